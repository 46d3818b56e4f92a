"""Names of the heads, their translations of one segment, and the time that each takes."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..translate.errors import TranslationError
from .answers import Answer

if TYPE_CHECKING:
    from ..translate.translator import Translator


DECODINGS = {
    "attention": "attention",
    "ctc": "CTC",
    "transducer": "transducer",
    "joint": "attention and CTC together",
}


@dataclass(frozen=True)
class HeadAnswer:
    """The best translation by one decoding.

    Attributes:
        decoding: as --decoding names it.
        text: plain text.
        seconds: of encoding and search, from units or text on; the units are made once for all heads.
    """

    decoding: str
    text: str
    seconds: float


def compare_heads(translator: "Translator", answer: Answer, number: int) -> list[HeadAnswer]:
    """Answers of all heads to a segment, timed one after the other; none where the model has one head alone.

    Args:
        translator: that made the answer.
        answer: of a recording or a text.
        number: of the segment.

    Raises:
        TranslationError: the segment is too long for the model.
    """
    decodings = translator.folder.card.decodings
    if len(decodings) < 2:
        return []
    segment = answer.translation.segments[number]
    if answer.recording is None:
        line, stream = answer.translation.source, "mt"
    else:
        line, stream = " ".join(map(str, segment.units)), "st"
    return [_ask(translator, decoding, line, stream, answer) for decoding in decodings]


def _ask(translator: "Translator", decoding: str, line: str, stream: str, answer: Answer) -> HeadAnswer:
    decoder = translator.with_options(decoding=decoding).decoder
    languages = decoder.choose_languages(answer.choices.source_language, answer.choices.target_language)
    begin = time.perf_counter()
    (found,) = decoder.decode([line], stream, [languages])
    seconds = time.perf_counter() - begin
    if isinstance(found, TranslationError):
        raise found
    return HeadAnswer(decoding, found.nbest[0].text, seconds)
