"""Options of scoring."""

from dataclasses import dataclass, field

from preprocess.files.options import option

from .comet import CometOptions
from .corpus import DEFAULT_TOKENIZER, TOKENIZERS, BootstrapOptions


@dataclass(frozen=True)
class ScoreOptions:
    """Options of scoring; the bootstrap is used where there are several systems."""

    tokenize: str = option("of BLEU", DEFAULT_TOKENIZER, choices=TOKENIZERS)
    bootstrap: BootstrapOptions = field(default_factory=BootstrapOptions)
    comet: CometOptions = field(default_factory=CometOptions)
