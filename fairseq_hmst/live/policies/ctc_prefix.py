"""CTC prefix scores tell when a translation has used up what was heard; for joint decoding and CTC."""

import torch
from torch import Tensor

from ...generators.ctc.ctc_prefix import CTCPrefixScorer
from .policy import Heard


class CTCPrefix:
    """Commits labels that CTC rather expects than the end, hearing only what is sure.

    A label after a beginning is certain while the probability of all translations that begin with both, by the steps
    behind the look-ahead alone, is at least that of exactly the beginning.
    """

    def num_certain(self, heard: Heard) -> int:
        """Labels before the first at which what is sure is used up."""
        if heard.num_sure == 0:
            return heard.num_committed
        log_probs, blank_index = heard.find_ctc_log_probs()
        goes_on = _goes_on(log_probs[: heard.num_sure], torch.tensor(heard.labels), blank_index)
        for number in range(heard.num_committed, len(heard.labels)):
            if not goes_on[number]:
                return number
        return len(heard.labels)


def _goes_on(log_probs: Tensor, labels: Tensor, blank_index: int) -> list[bool]:
    """Whether each label (U,) is likelier, behind those before it, than the end there, by log-probabilities (T, V)."""
    num_steps, num_labels = log_probs.shape
    # the scorer's own place of end of sentence, which is no label of CTC
    eos_index = num_labels
    padded = torch.nn.functional.pad(log_probs, (0, 1), value=-torch.inf)
    scorer = CTCPrefixScorer(padded[None], torch.tensor([num_steps]), blank_index, eos_index)
    state = scorer.initial_state(1)
    found = []
    for label in labels:
        scores = scorer.score(state, torch.tensor([[int(label), eos_index]]))[0]
        found.append(bool(scores[0] >= scores[1]))
        state = scorer.extend(state, label[None])
    return found
