"""Announcements of times, dates and durations."""

import random

from numerals import english, english_ordinal, french, number_recordings, ordinal_recordings, small_number, spanish
from phrases import PHRASES, Announcement, sentence

DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def part_of_day(hour: int, afternoon: bool) -> tuple[str, str]:
    """French and Spanish for A.M. and P.M. at `hour` 1..11: the evening begins at 6 P.M. in French, 8 in Spanish."""
    if not afternoon:
        return "du matin", "de la mañana"
    return ("du soir" if hour >= 6 else "de l'après-midi"), ("de la noche" if hour >= 8 else "de la tarde")


def clock(hour: int, minute: int, half_of_day: str = "") -> Announcement:
    """A time without opening words: "three fifteen P.M.", "trois heures quinze ...", "las tres y quince ...".

    Args:
        hour: 1..12; with `half_of_day`, 1..11.
        minute: 0..59; 0 is said as "o'clock", or left out where `half_of_day` is said.
        half_of_day: "a-m", "p-m" or empty.
    """
    recordings, en = number_recordings(hour), english(hour)
    fr = f"{french(hour, feminine=True)} heure{'s' if hour > 1 else ''}"
    es = f"{'las' if hour > 1 else 'la'} {spanish(hour, before='f')}"
    if minute:
        oh = minute < 10
        recordings += (*(("digits/oh",) if oh else ()), *number_recordings(minute))
        en += f" {'oh ' if oh else ''}{english(minute)}"
        fr += f" {french(minute, feminine=True)}"
        es += f" y {spanish(minute)}"
    elif not half_of_day:
        recordings, en, es = (*recordings, "digits/oclock"), f"{en} o'clock", f"{es} en punto"
    if half_of_day:
        fr_part, es_part = part_of_day(hour, half_of_day == "p-m")
        recordings += (f"digits/{half_of_day}",)
        en, fr, es = f"{en} {half_of_day[0].upper()}.M.", f"{fr} {fr_part}", f"{es} {es_part}"
    return Announcement(recordings, en, fr, es)


def time(rng: random.Random) -> Announcement:
    """A time of day: "Three fifteen.", "Tomorrow at one o'clock." or "Monday at six P.M." and the like."""
    half_of_day = rng.choice(("", "", "", "", "a-m", "p-m"))
    minute = rng.randint(1, 59) if rng.random() < 0.6 else rng.choice((0, 0, 10, 15, 20, 30, 40, 45, 50))
    day = rng.choice(PHRASES["weekday"] + PHRASES["relative_day"]) if rng.random() < 0.3 else None
    if day:  # keep it short: a day, and then a full hour with or without its half of the day
        minute = 0 if half_of_day or rng.random() < 0.5 else minute
    at = clock(rng.randint(1, 11 if half_of_day else 12), minute, half_of_day)
    if day is None:
        return Announcement(at.recordings, sentence(at.en), sentence(at.fr), sentence(at.es))
    return Announcement(
        (*day.take(rng), "digits/at", *at.recordings),
        sentence(f"{day.en} at {at.en}"),
        sentence(f"{day.fr[0]} à {at.fr}"),
        sentence(f"{day.es[0]} a {at.es}"),
    )


def date(rng: random.Random) -> Announcement:
    """A date: "Monday, March first." or "March first."; French and Spanish have an ordinal for the first only."""
    index = rng.randrange(12)
    month, day = PHRASES["month"][index], rng.randint(1, DAYS_OF_MONTH[index])
    weekday = rng.choice(PHRASES["weekday"]) if rng.random() < 0.4 else None
    fr = f"{'premier' if day == 1 else french(day)} {month.fr[0]}"
    es = f"{'primero' if day == 1 else spanish(day)} de {month.es[0]}"
    return Announcement(
        (*(weekday.take(rng) if weekday else ()), *month.take(rng), *ordinal_recordings(day)),
        sentence(f"{weekday.en + ', ' if weekday else ''}{month.en} {english_ordinal(day)}"),
        sentence(f"{weekday.fr[0] if weekday else 'le'} {fr}"),
        sentence(f"{weekday.es[0] + ',' if weekday else 'el'} {es}"),
    )


# English unit -> recordings of it (any of them) in the singular and plural, French and Spanish noun, their genders.
UNITS = {
    "second": ("second", "seconds queue-seconds", "seconde", "segundo", "fm"),
    "minute": ("minute queue-minute", "minutes vm-minutes queue-minutes", "minute", "minuto", "fm"),
    "hour": ("", "hours", "heure", "hora", "ff"),
}


def duration(rng: random.Random) -> Announcement:
    """A duration: "Five minutes.", "Less than two hours.", "Hold time one minute."; "hour" has no recording."""
    unit = rng.choice(list(UNITS))
    singular, plural, fr, es, genders = UNITS[unit]
    count = small_number(rng, least=1 if singular else 2)
    ending = "" if count == 1 else "s"
    recordings = (*number_recordings(count), rng.choice((plural if count > 1 else singular).split()))
    en = f"{english(count)} {unit}{ending}"
    fr = f"{french(count, feminine=genders[0] == 'f')} {fr}{ending}"
    es = f"{spanish(count, before=genders[1])} {es}{ending}"
    opening = rng.random()
    if opening < 0.3:
        recordings, en, fr, es = ("queue-less-than", *recordings), f"less than {en}", f"moins de {fr}", f"menos de {es}"
    elif opening < 0.5:
        recordings = ("queue-reporthold", *recordings)
        en, fr, es = f"hold time {en}", f"temps d'attente {fr}", f"tiempo de espera {es}"
    return Announcement(recordings, sentence(en), sentence(fr), sentence(es))
