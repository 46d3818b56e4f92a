"""Labels are certain when the steps that write them lie behind the look-ahead; for CTC and transducers."""

from .policy import Heard

MOST = 0.5


class LookAhead:
    """Commits labels whose posterior of alignment lies mostly on steps behind the look-ahead."""

    def num_certain(self, heard: Heard) -> int:
        """Labels before the first that is mostly written at steps which are not sure."""
        behind = heard.find_alignment()[:, : heard.num_sure].sum(1).tolist()
        for number in range(heard.num_committed, len(heard.labels)):
            if behind[number] < MOST:
                return number
        return len(heard.labels)
