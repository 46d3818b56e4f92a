"""AlignAtt (Papi et al. 2023, arXiv 2305.11408): stop before a token that looks at the end of what was heard."""

from .policy import Heard


class AlignAtt:
    """Commits labels whose attention lies mostly on speech behind the look-ahead."""

    def num_certain(self, heard: Heard) -> int:
        """Labels before the first whose most attended speech token is not sure."""
        attended = heard.find_alignment().masked_fill(~heard.is_speech, -1.0).argmax(1).tolist()
        for number in range(heard.num_committed, len(heard.labels)):
            if attended[number] >= heard.num_sure:
                return number
        return len(heard.labels)
