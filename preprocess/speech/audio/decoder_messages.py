"""Lines that libmpg123 prints about a file, kept from the user.

libsndfile has no option for it. It prints through `stderr` of C's standard library, a pointer that glibc lets others
change; file descriptor 2, to which Python writes and which child processes inherit, stays as it is.
"""

import contextlib
import ctypes
import os
import platform
import re
import tempfile
import threading
from collections.abc import Iterator

MESSAGE = re.compile(rb"(\[src/libmpg123/|Note: |Warning: Xing ).*\n?")


class _CStderr:
    """`stderr` of glibc, pointed at a temporary file while it is in use."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.fdopen.restype = ctypes.c_void_p
        self._libc.fflush.argtypes = [ctypes.c_void_p]
        self._stderr = ctypes.c_void_p.in_dll(self._libc, "stderr")
        self._caught = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (as long as the process)
        self._stream = self._libc.fdopen(os.dup(self._caught.fileno()), b"a")
        self._lock, self._users, self._own = threading.Lock(), 0, self._stderr.value
        os.register_at_fork(before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self._forked)

    def enter(self) -> None:
        """Catch what is printed until as many threads have left as entered."""
        with self._lock:
            if self._users == 0:
                self._own, self._stderr.value = self._stderr.value, self._stream
            self._users += 1

    def leave(self) -> None:
        """Write on what was caught and is not of libmpg123."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._stderr.value = self._own
            self._libc.fflush(self._stream)
            if size := os.fstat(self._caught.fileno()).st_size:
                lines = os.pread(self._caught.fileno(), size, 0).splitlines(keepends=True)
                self._caught.truncate(0)
                if others := b"".join(line for line in lines if not MESSAGE.fullmatch(line)):
                    with contextlib.suppress(OSError):  # it is closed
                        os.write(2, others)

    def _forked(self) -> None:
        """The child has but the thread that forked, which was not decoding."""
        self._users, self._stderr.value = 0, self._own
        self._lock.release()


_c_stderr: _CStderr | None = None
_c_stderr_lock = threading.Lock()


@contextlib.contextmanager
def without_decoder_messages() -> Iterator[None]:
    """Keep lines of libmpg123 from stderr in the block, where the C library is glibc; any other line gets there."""
    global _c_stderr
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    with _c_stderr_lock:
        _c_stderr = _c_stderr or _CStderr()
    _c_stderr.enter()
    try:
        yield
    finally:
        _c_stderr.leave()
