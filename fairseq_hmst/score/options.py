"""Options of scoring."""

from dataclasses import dataclass, field

from preprocess.files.program.options import option

from ..bleu import AUTO, TOKENIZERS
from .comet import CometOptions
from .comparison import ResamplingOptions
from .errors import ScoreError


@dataclass(frozen=True)
class ScoreOptions:
    """Options of scoring."""

    tokenize: str = option(
        "of BLEU; auto: that of each target language, 13a where it is not known", AUTO, choices=TOKENIZERS
    )
    resampling: ResamplingOptions = field(default_factory=ResamplingOptions)
    trainings: int | None = option(
        "files of each system, one behind the other: its trainings by other seeds; adds a test over trainings",
        None,
        metavar="N",
    )
    comet: CometOptions = field(default_factory=CometOptions)

    def __post_init__(self) -> None:
        """Check the number of trainings.

        Raises:
            ScoreError: one training has no spread.
        """
        if self.trainings is not None and self.trainings < 2:
            raise ScoreError(f"--trainings must be 2 or more, got {self.trainings}")
