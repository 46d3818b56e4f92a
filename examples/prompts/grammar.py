"""The kinds of announcement: each function draws one at random, with its wording in English, French and Spanish.

Number, gender and word order follow each language; a fixed sentence of the recordings is a line of phrases.tsv.
Times and dates are in dates.py.
"""

import random
from collections.abc import Callable

from dates import date, duration, time
from numerals import digit_by_digit, english, french, number_recordings, small_number, spanish
from phrases import PHRASES, Announcement, Phrase, sentence


def counted_messages(rng: random.Random) -> Announcement:
    """A number of messages: "You have two new messages."; also none, one, and without "you have"."""
    kind = rng.choice(PHRASES["message_type"])
    count = 0 if rng.random() < 0.03 else small_number(rng)
    noun = "message" if count == 1 else "messages"
    number = number_recordings(count) if count else ("vm-no",)
    recordings = (*number, *kind.take(rng), f"vm-{noun}")
    fr_noun, es_noun = (kind.fr[0], kind.es[0]) if count <= 1 else (kind.fr[-1], kind.es[-1])
    words = " ".join(filter(None, (english(count) if count else "no", kind.en, noun)))
    fr = f"{french(count) if count else 'aucun'} {fr_noun}"
    es = f"{spanish(count, before='m') if count else 'ningún'} {es_noun}"
    if rng.random() < 0.6:
        return Announcement(recordings, sentence(words), sentence(fr), sentence(es))
    negation = "" if count else "n'"
    recordings = ("vm-youhave", *recordings)
    fr_verb, es_verb = (f"vous {negation}avez", "usted tiene" if count else "usted no tiene")
    return Announcement(
        recordings, sentence(f"you have {words}"), sentence(f"{fr_verb} {fr}"), sentence(f"{es_verb} {es}")
    )


def ordered_message(rng: random.Random) -> Announcement:
    """A message by its place, such as "Third urgent message." or "Last message."."""
    order, kind = rng.choice(PHRASES["ordinal"]), rng.choice(PHRASES["message_type"])
    return Announcement(
        (*order.take(rng), *kind.take(rng), "vm-message"),
        sentence(" ".join(filter(None, (order.en, kind.en, "message")))),
        sentence(f"{order.fr[0]} {kind.fr[0]}"),
        sentence(f"{order.es[0]} {kind.es[0]}"),
    )


def messages(rng: random.Random) -> Announcement:
    """Messages counted or in order."""
    return counted_messages(rng) if rng.random() < 0.75 else ordered_message(rng)


def number(rng: random.Random) -> Announcement:
    """A number by itself, 0..999 or a round thousand, sometimes below zero."""
    size = rng.random()
    value = rng.randint(0, 99) if size < 0.6 else rng.randint(100, 999) if size < 0.95 else 1000 * rng.randint(1, 9)
    recordings, words = number_recordings(value), (english(value), french(value), spanish(value))
    if value and rng.random() < 0.25:
        recordings = ("digits/minus", *recordings)
        words = (f"minus {words[0]}", f"moins {words[1]}", f"menos {words[2]}")
    return Announcement(recordings, *(sentence(text) for text in words))


def price(rng: random.Random) -> Announcement:
    """An amount of dollars: "Forty-two dollars."; there is no recording of "dollar"."""
    value = small_number(rng, least=2) if rng.random() < 0.8 else rng.randint(100, 999)
    return Announcement(
        (*number_recordings(value), "digits/dollars"),
        sentence(f"{english(value)} dollars"),
        sentence(f"{french(value)} dollars"),
        sentence(f"{spanish(value, before='m')} dólares"),
    )


def digits(rng: random.Random) -> Announcement:
    """Digits one by one: "Extension four zero two."; two or three digits, or by themselves up to four."""
    owner = rng.choice(PHRASES["number_owner"]) if rng.random() < 0.6 else None
    values = [rng.randint(0, 9) for _ in range(rng.choice((2, 2, 3) if owner else (2, 3, 3, 4)))]
    recordings, en, fr, es = digit_by_digit(values)
    if owner:
        recordings = (*owner.take(rng), *recordings)
        en, fr, es = f"{owner.en} {en}", f"{owner.fr[0]} {fr}", f"{owner.es[0]} {es}"
    return Announcement(recordings, sentence(en), sentence(fr), sentence(es))


def in_a_row(phrases: list[Phrase], rng: random.Random) -> Announcement:
    """Words one after the other, without grammar."""
    recordings = tuple(recording for phrase in phrases for recording in phrase.take(rng))
    en, fr, es = (" ".join(words) for words in zip(*((p.en, p.fr[0], p.es[0]) for p in phrases), strict=True))
    return Announcement(recordings, sentence(en), sentence(fr), sentence(es))


def spelling(rng: random.Random) -> Announcement:
    """Letters one by one, such as "K dash B.": two to four letters, sometimes with a sign between."""
    letters = rng.sample(PHRASES["letter"], rng.randint(2, 4))
    if rng.random() < 0.5:
        letters[-2 if len(letters) > 2 else 1 : -1] = [rng.choice(PHRASES["symbol"])]
    return in_a_row(letters, rng)


def phonetic_spelling(rng: random.Random) -> Announcement:
    """Two or three words of the spelling alphabet, such as "Alpha Tango."; Spanish has one of its own."""
    return in_a_row(rng.sample(PHRASES["phonetic"], rng.randint(2, 3)), rng)


def setting(rng: random.Random) -> Announcement:
    """The state of a feature: "Your password is cancelled." or "Password cancelled.".

    French and Spanish participles agree with the noun.
    """
    feature, state = rng.choice(PHRASES["feature"]), rng.choice(PHRASES["state"])
    fr_state = state.fr[0 if feature.gender[0] == "m" else -1]
    es_state = state.es[0 if feature.gender[1] == "m" else -1]
    if rng.random() < 0.5:
        recordings = (*feature.take(rng), *state.take(rng))
        texts = (f"{feature.en} {state.en}", f"{feature.fr[0]} {fr_state}", f"{feature.es[0]} {es_state}")
    else:
        recordings = ("your", *feature.take(rng), "is", *state.take(rng))
        texts = (
            f"your {feature.en} is {state.en}",
            f"votre {feature.fr[0]} est {fr_state}",
            f"su {feature.es[0]} está {es_state}",
        )
    return Announcement(recordings, *(sentence(text) for text in texts))


def choice(rng: random.Random) -> Announcement:
    """A key and its purpose: "Press five to listen to it." or "To listen to it, press five.", half and half."""
    value, purpose = rng.randint(0, 11), rng.choice(PHRASES["purpose"])
    if value < 10:
        key, key_words = number_recordings(value), (english(value), french(value), spanish(value))
    else:
        phrase = PHRASES["key"][value - 10]
        key, key_words = phrase.take(rng), (phrase.en, phrase.fr[0], phrase.es[0])
    press = [f"{verb} {word}" for verb, word in zip(("press", "appuyez sur", "marque"), key_words, strict=True)]
    goal = (purpose.en, purpose.fr[0], purpose.es[0])
    if rng.random() < 0.5:
        recordings = ("vm-press", *key, *purpose.take(rng))
        texts = [f"{first} {second}" for first, second in zip(press, goal, strict=True)]
    else:
        recordings = (*purpose.take(rng), "vm-press", *key)
        texts = [f"{first}, {second}" for first, second in zip(goal, press, strict=True)]
    return Announcement(recordings, *(sentence(text) for text in texts))


def prompt(rng: random.Random) -> Announcement:
    """A whole recorded sentence, mostly with another: "I'm sorry. That conference is full." and the like."""
    statement, position = rng.choice(PHRASES["statement"]), rng.random()
    if position < 0.2:
        return in_a_row([statement], rng)
    if position < 0.6:
        return in_a_row([rng.choice(PHRASES["opener"]), statement], rng)
    return in_a_row([statement, rng.choice(PHRASES["closer"])], rng)


# Kind of announcement -> how it is drawn, and its share of every split. Shares add up to 1; kinds with few different
# sentences have small ones, so that their held-out sentences suffice.
KINDS: dict[str, tuple[Callable[[random.Random], Announcement], float]] = {
    "messages": (messages, 0.16),
    "time": (time, 0.17),
    "date": (date, 0.15),
    "number": (number, 0.09),
    "digits": (digits, 0.09),
    "spelling": (spelling, 0.09),
    "duration": (duration, 0.06),
    "price": (price, 0.05),
    "phonetic": (phonetic_spelling, 0.05),
    "prompt": (prompt, 0.05),
    "setting": (setting, 0.02),
    "choice": (choice, 0.02),
}
