"""Time that translating takes, by step."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

STEPS = ("reading", "encoder", "assignment", "decoding")


class Timing:
    """Seconds of computing of each step, and seconds of audio."""

    def __init__(self) -> None:
        self.audio_seconds = 0.0
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time of the block to one of STEPS; inside, other steps can be measured apart."""
        start, before = time.perf_counter(), sum(self.seconds.values())
        try:
            yield
        finally:
            inside = sum(self.seconds.values()) - before
            self.seconds[step] += time.perf_counter() - start - inside

    def __str__(self) -> str:
        """One line: the real-time factor (computing over audio), and the share of each step."""
        total = sum(self.seconds.values()) or 1e-9
        shares = ", ".join(f"{step} {self.seconds[step] / total:.0%}" for step in STEPS if self.seconds[step])
        if not self.audio_seconds:
            return f"{total:.2f} s ({shares})"
        factor = total / self.audio_seconds
        return f"real-time factor {factor:.3f}: {total:.2f} s for {self.audio_seconds:.2f} s of audio ({shares})"
