"""The section of warnings, at the top of a page."""

from ..figures.warnings.checks import Outcome, describe_example
from . import markup


def warnings_section(checks: Outcome) -> str:
    """Section on what was found, and on what could not be checked."""
    boxes = [
        markup.warning(warning.text, warning.advice, map(describe_example, warning.examples))
        for warning in checks.warnings
    ]
    number = len(boxes)
    title = "No warnings" if not number else "1 warning" if number == 1 else f"{number} warnings"
    not_checked = [
        markup.paragraph(f"Not checked: {check.kind.replace('_', ' ')}: {check.reason}.", "muted")
        for check in checks.not_checked
    ]
    nothing = markup.paragraph("Nothing in this data-bin is known to spoil a training or a score.", "muted")
    return markup.section(title, *(boxes or [nothing]), *not_checked)
