"""All checks of a data-bin, and their outcome in words. A new check is a new file, and a name in CHECKS."""

from collections.abc import Iterator
from dataclasses import dataclass

from .altered_text import check_altered_text
from .cancelled_channels import check_cancelled_channels
from .ctc_path import check_ctc_path
from .doubtful_units import check_doubtful_units
from .duplicates import check_duplicates
from .frames_per_cluster import check_frames_per_cluster
from .languages_alike import check_languages
from .silence import check_silence
from .speaking_rate import check_speaking_rate
from .unknown_tokens import check_unknown_tokens
from .warning import Check, DataWarning, Inspected, NotChecked, WarnedExample

CHECKS: tuple[Check, ...] = (
    check_frames_per_cluster,
    check_doubtful_units,
    check_languages,
    check_ctc_path,
    check_duplicates,
    check_speaking_rate,
    check_silence,
    check_cancelled_channels,
    check_unknown_tokens,
    check_altered_text,
)
PRINTED_EXAMPLES = 3  # of a warning: a terminal shows where to begin, the page shows more


@dataclass(frozen=True)
class Outcome:
    """Outcome of all checks, in their order."""

    warnings: tuple[DataWarning, ...]
    not_checked: tuple[NotChecked, ...]

    def lines(self) -> Iterator[str]:
        """Lines for a terminal: the number of warnings, each with its first examples, and what was not checked."""
        yield f"{len(self.warnings) or 'no'} warning{'s' * (len(self.warnings) != 1)}"
        for number, warning in enumerate(self.warnings, start=1):
            yield f"{number}. {warning.text}"
            if warning.examples:
                yield "   " + "; ".join(map(describe_example, warning.examples[:PRINTED_EXAMPLES]))
            yield f"   {warning.advice}"
        for check in self.not_checked:
            yield f"not checked: {check.kind.replace('_', ' ')}: {check.reason}"


def check_all(inspected: Inspected) -> Outcome:
    """Make all checks."""
    found = [outcome for check in CHECKS for outcome in check(inspected)]
    return Outcome(
        tuple(outcome for outcome in found if isinstance(outcome, DataWarning)),
        tuple(outcome for outcome in found if isinstance(outcome, NotChecked)),
    )


def describe_example(example: WarnedExample) -> str:
    """One example in words: where it is, and what is wrong with it."""
    where = f"{example.split}.{example.stream} {example.id}"
    return f"{where}: {example.found}" if example.found else where
