"""Why a process failed, in a line."""

import signal


def reason_of(status: int, said: str) -> str:
    """The last line of what it said, or the signal that ended it.

    Args:
        status: exit status, as of `subprocess`: -N where signal N ended the process.
        said: its errors.
    """
    if status < 0:
        name = signal.Signals(-status).name
        return f"ended by {name}" + (", perhaps for want of memory" if name == "SIGKILL" else "")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else f"exit status {status}"
