"""The score that fairseq-generate prints: sacreBLEU of plain text, by the tokenizer of each target language.

fairseq's own default is BLEU of subwords, under the same name. Its choice of a scorer is replaced when this is
imported, for the dictionaries of this task alone.
"""

from collections.abc import Iterator, Sequence

from fairseq import scoring
from fairseq.data import Dictionary
from fairseq.scoring import BaseScorer
from sacrebleu.metrics.bleu import BLEUScore

from preprocess.errors import OptionError

from ...bleu import AUTO, BleuScorer

# What fairseq calls BLEU of text and of subwords; its default, which cannot be told from a choice of it.
BLEU_NAMES = ("bleu", "sacrebleu")
FAIRSEQ_TOKENIZER = "13a"

_fairseq_build_scorer = scoring.build_scorer


class TextScorer(BaseScorer):
    """BLEU of all sentences that fairseq-generate has translated.

    Args:
        bleu: tokenises and scores.
        languages: target languages of the data-bin.
    """

    def __init__(self, bleu: BleuScorer, languages: Sequence[str]) -> None:
        super().__init__(None)
        self.bleu = bleu
        self.languages: list[str] = []
        self._only = languages[0] if len(languages) == 1 else ""
        self._expected: Iterator[str] = iter(())

    def expect(self, languages: Sequence[str]) -> None:
        """Say which languages the sentences of the batch are in that has just been decoded."""
        self._expected = iter(languages)

    def add_string(self, ref: str, pred: str) -> None:
        """Add a sentence, detokenised."""
        super().add_string(ref, pred)
        self.languages.append(next(self._expected, self._only))

    def score(self, order: int = 4) -> float:
        """BLEU, 0 to 100."""
        return float(self._score().score)

    def result_string(self, order: int = 4) -> str:
        """BLEU with its parts and signature."""
        if not self.ref:
            return "no sentence was scored"
        return f"{self._score().format()} {self.bleu.signature(self.languages)}"

    def _score(self) -> BLEUScore:
        return self.bleu.score(self.pred, self.ref, self.languages)


class TextScorers:
    """Maker of the scorers that fairseq asks the output dictionary for.

    That is a part of models and copied with them, as the task must not be.

    Args:
        tokenizer: value of --bleu-tokenizer.
        languages: target languages of the data-bin.

    Attributes:
        last: scorer that was made last; None: none yet.
    """

    def __init__(self, tokenizer: object, languages: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._languages = languages
        self.last: TextScorer | None = None

    def make(self, choice: object) -> TextScorer:
        """Make a scorer as fairseq's --scoring wants it, a name or options."""
        self.last = TextScorer(choose_bleu(choice, self._tokenizer), self._languages)
        return self.last


def choose_bleu(choice: object, given: object) -> BleuScorer:
    """BLEU as the task's option and those of fairseq's --scoring sacrebleu want it.

    Args:
        choice: what fairseq was given by --scoring, a name or options.
        given: value of --bleu-tokenizer.

    Raises:
        OptionError: two tokenizers are given, or an option that is not known here.
    """
    if getattr(choice, "sacrebleu_char_level", False):
        raise OptionError("sacrebleu_char_level", "is not known to this task; give --bleu-tokenizer char")
    tokenizer = str(given)
    wanted = str(getattr(choice, "sacrebleu_tokenizer", FAIRSEQ_TOKENIZER))
    if wanted != FAIRSEQ_TOKENIZER and tokenizer not in (AUTO, wanted):
        raise OptionError("bleu_tokenizer", f"{tokenizer} contradicts --sacrebleu-tokenizer {wanted}")
    chosen = wanted if wanted != FAIRSEQ_TOKENIZER else tokenizer
    return BleuScorer(chosen, bool(getattr(choice, "sacrebleu_lowercase", False)))


def build_scorer(choice: object, tgt_dict: Dictionary) -> BaseScorer:
    """A scorer, in place of fairseq's `build_scorer`: this task's BLEU, or whatever else --scoring names."""
    make_scorer = getattr(tgt_dict, "make_scorer", None)
    name = getattr(choice, "_name", choice) or BLEU_NAMES[0]
    if make_scorer is None or name not in BLEU_NAMES:
        return _fairseq_build_scorer(choice, tgt_dict)
    return make_scorer(choice)


scoring.build_scorer = build_scorer
