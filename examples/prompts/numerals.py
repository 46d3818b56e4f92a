"""Numbers: the recordings that say them, and their words in English, French and Spanish (by num2words)."""

import random
from functools import cache

from num2words import num2words


def number_recordings(number: int) -> tuple[str, ...]:
    """Recording ids that say the cardinal `number`, 0..9999."""
    if not 0 <= number <= 9999:
        raise ValueError(f"only numbers in 0..9999 can be said, got {number}")
    if number == 0:
        return ("digits/0",)
    recordings: list[str] = []
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            recordings += [f"digits/{number // size}", f"digits/{name}"]
            number %= size
    if number > 20:
        recordings.append(f"digits/{number - number % 10}")
        number %= 10
    if number:
        recordings.append(f"digits/{number}")
    return tuple(recordings)


def ordinal_recordings(number: int) -> tuple[str, ...]:
    """Recording ids that say the ordinal `number`, 1..99: "twenty" + "first"."""
    if number > 20 and number % 10:
        return (f"digits/{number - number % 10}", f"digits/h-{number % 10}")
    return (f"digits/h-{number}",)


@cache
def english(number: int) -> str:
    """American wording, as recorded: without "and"."""
    return num2words(number, lang="en").replace(" and ", " ").replace(",", "")


@cache
def english_ordinal(number: int) -> str:
    """1 -> "first"."""
    return num2words(number, lang="en", to="ordinal")


@cache
def french(number: int, feminine: bool = False) -> str:
    """Cardinal; `feminine` before a feminine noun: "vingt et une heures"."""
    words = num2words(number, lang="fr")
    return words + "e" if feminine and words.split(" ")[-1].split("-")[-1] == "un" else words


@cache
def spanish(number: int, before: str = "") -> str:
    """Cardinal, by itself or `before` a noun of gender "m" or "f": "veintiuno", "veintiún", "veintiuna"."""
    words = num2words(number, lang="es")
    if not before or not words.endswith("uno"):
        return words
    if before == "f":
        return words.removesuffix("o") + "a"
    return words.removesuffix("veintiuno") + "veintiún" if words.endswith("veintiuno") else words.removesuffix("o")


def digit_by_digit(digits: list[int]) -> tuple[tuple[str, ...], str, str, str]:
    """Recordings and English, French, Spanish words of digits read one after the other."""
    recordings = tuple(f"digits/{digit}" for digit in digits)
    en, fr, es = (" ".join(speak(digit) for digit in digits) for speak in (english, french, spanish))
    return recordings, en, fr, es


def small_number(rng: random.Random, least: int = 1) -> int:
    """`least`..99, numbers up to twenty more often than those above."""
    return rng.randint(least, 20) if rng.random() < 0.6 else rng.randint(21, 99)
