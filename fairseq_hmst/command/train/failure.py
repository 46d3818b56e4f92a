"""The cause of a failed training, from the end of its log."""

import re
import signal
from collections.abc import Sequence

from preprocess.errors import OptionError

from .child import SIGNAL_STATUS

TAIL_LINES = 200  # of a log, in which its error must be
USAGE_ERROR = re.compile(r"\S+: error: (.+)")
EXCEPTION = re.compile(r"((?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt))(?:: (.*))?")
NOT_THE_CAUSE = ("ProcessRaisedException", "ProcessExitedException", "CalledProcessError")
PLAIN = ("fairseq_hmst.", "preprocess.", "ValueError", "AssertionError")


def explain_failure(tail: Sequence[str], exit_status: int) -> str:
    """The message of the last error in a log.

    Args:
        tail: last lines of the log.
        exit_status: of the process, as a shell gives it.
    """
    for line in reversed(tail):
        if usage := USAGE_ERROR.fullmatch(line):
            return usage[1]
        found = EXCEPTION.fullmatch(line)
        if found is not None and not found[1].endswith(NOT_THE_CAUSE):
            name, message = found[1], found[2] or ""
            if name.endswith(".OptionError"):  # whose message begins with the option
                option, _, problem = message.partition(" ")
                return OptionError(option, problem).as_flag
            is_plain = bool(message) and name.startswith(PLAIN)
            return message if is_plain else f"{name.rpartition('.')[2]}: {message}".removesuffix(": ")
    if exit_status > SIGNAL_STATUS:
        name = signal.Signals(exit_status - SIGNAL_STATUS).name
        return f"fairseq-train was ended by {name}" + (", for want of memory perhaps" if name == "SIGKILL" else "")
    return f"fairseq-train ended with exit status {exit_status}"
