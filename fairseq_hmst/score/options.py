"""Options of scoring."""

from dataclasses import dataclass, field

from preprocess.files.options import option

from ..bleu import AUTO, TOKENIZERS
from .comet import CometOptions
from .corpus import BootstrapOptions


@dataclass(frozen=True)
class ScoreOptions:
    """Options of scoring; the bootstrap is used where there are several systems."""

    tokenize: str = option(
        "of BLEU; auto: that of each target language, 13a where it is not known", AUTO, choices=TOKENIZERS
    )
    bootstrap: BootstrapOptions = field(default_factory=BootstrapOptions)
    comet: CometOptions = field(default_factory=CometOptions)
