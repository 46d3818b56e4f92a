"""Scores of a transducer search: probabilities of blank and labels at a step, for rows of hypotheses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from ..finite_scores import FiniteScores
from ..followed.temperature import mean_log_probs
from ..hypothesis import EncoderOut

if TYPE_CHECKING:
    from ...data.batch import NetInput

ModelState = tuple[Tensor, ...]  # of one model: the projected predictor output (N, J), then the predictor's own state
States = list[ModelState]  # one entry a model; hypothesis n is row n of every tensor


# No alignment has more than this many labels an encoder step, counted from the first step to the present one. Sources
# are longer than their translations here, so that only a model that never says blank comes near. Counted from the
# start, since a translation may have to wait for the end of its source and then come all at one step.
MAX_LABELS_PER_STEP = 5
# Rounds of a search after which the host asks which utterances have ended, for which it waits for a GPU. A round for
# nothing costs as much as ten such waits.
ROUNDS_TO_A_QUESTION = 8


@dataclass
class LabelLimit:
    """Bound on the labels of a hypothesis: fairseq's --max-len-a and --max-len-b, at least --min-len.

    An alignment of a transducer is bound by MAX_LABELS_PER_STEP as well.
    """

    max_len_a: float = 0.0
    max_len_b: int = 200
    min_len: int = 0

    def total(self, source_lengths: Tensor) -> Tensor:
        """The most labels that a source of each length may have, of any shape."""
        return (self.max_len_a * source_lengths + self.max_len_b).long().clamp(min=self.min_len)

    def most(self, num_steps: int) -> int:
        """The most labels that an alignment with `num_steps` encoder steps may have."""
        return min(int(self.total(torch.tensor(num_steps))), MAX_LABELS_PER_STEP * num_steps)


def allows_label(num_labels: Tensor, steps: Tensor, totals: Tensor) -> Tensor:
    """Whether one more label may follow `num_labels` at encoder step `steps`, from 0; shapes that broadcast.

    Args:
        totals: the most labels of each alignment, `LabelLimit.total`.
    """
    return (num_labels < totals) & (num_labels < MAX_LABELS_PER_STEP * (steps + 1))


class TransducerScorable(Protocol):
    """A model that can be decoded by its transducer."""

    transducer_blank_index: int

    def eval(self) -> object: ...

    def encode(self, src_tokens: Tensor, src_lengths: Tensor) -> EncoderOut: ...

    def project_encoder(self, encoder_out: EncoderOut) -> tuple[Tensor, Tensor]:
        """The encoder's side of the joiner, (B, T, J), and valid steps, (B,)."""
        ...

    def start_prediction(self, num_hypotheses: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The predictor's side of N hypotheses without labels, (N, J), and its state, tensors with N rows."""
        ...

    def predict(self, labels: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The predictor's side after one more label (N,) of each hypothesis, (N, J), and its state."""
        ...

    def joint_log_probs(self, encoder_projected: Tensor, predictor_projected: Tensor) -> Tensor:
        """Join both sides, (N, J) and (N, J), to log-probabilities, (N, V) float32."""
        ...


class Scores(NamedTuple):
    """Log-probabilities of what may come next, in nats."""

    blank: Tensor  # (N,)
    labels: Tensor  # (N, V); -inf at blank and at whatever is no label


class TransducerScorer:
    """An ensemble on one batch: the mean of the models' probabilities, each model with a predictor state of its own.

    Args:
        models: set to evaluation.
        net_input: src_tokens (B, T) and src_lengths (B,).
        not_labels: ids that never come out, such as padding; the others' probabilities are left as they are.
        temperature: that logits are divided by, above 0.
        penalties: what is taken off the log-probability of a label, by its id.

    Attributes:
        source_lengths: (B,) encoder steps.

    Raises:
        ValueError: the models disagree about the blank or the number of encoder steps.
    """

    def __init__(
        self,
        models: Sequence[TransducerScorable],
        net_input: NetInput,
        not_labels: set[int],
        temperature: float = 1.0,
        penalties: Mapping[int, float] | None = None,
    ) -> None:
        self._models = models
        self._temperature, self._penalties = temperature, penalties or {}
        self._projections = []
        lengths = []
        for model in models:
            model.eval()
            encoder_out = model.encode(net_input["src_tokens"], net_input["src_lengths"])
            projected, model_lengths = model.project_encoder(encoder_out)
            self._projections.append(projected)
            lengths.append(model_lengths)
        _check_alike(models, lengths)
        self.source_lengths = lengths[0]
        self._finite_scores = FiniteScores()
        self._blank_index = models[0].transducer_blank_index
        self._not_labels = torch.tensor(sorted(not_labels | {self._blank_index}), device=self.source_lengths.device)

    @property
    def num_steps(self) -> int:
        """Encoder steps of the longest utterance, perhaps with padding."""
        return self._projections[0].size(1)

    def start(self, num_hypotheses: int) -> States:
        """States of N hypotheses without labels."""
        states: States = []
        for model in self._models:
            projected, state = model.start_prediction(num_hypotheses)
            states.append((projected, *state))
        return states

    def extend(self, states: States, is_longer: Tensor, labels: Tensor) -> States:
        """States (N,) after one more label (N,) of the hypotheses that have one (N,); others are as before."""
        if is_longer.device.type == "cpu":
            return self._extend_rows(states, is_longer.nonzero().squeeze(1), labels)
        # all rows: to know which are longer the host would wait
        extended: States = []
        for model, state in zip(self._models, states, strict=True):
            changed = _predict(model, labels.masked_fill(~is_longer, self._blank_index), state[1:])
            extended.append(tuple(_chosen(is_longer, *each) for each in zip(changed, state, strict=True)))
        return extended

    def _extend_rows(self, states: States, rows: Tensor, labels: Tensor) -> States:
        if len(rows) == 0:
            return states
        extended: States = []
        for model, state in zip(self._models, states, strict=True):
            changed = _predict(model, labels[rows], tuple(tensor[rows] for tensor in state[1:]))
            extended.append(tuple(old.index_copy(0, rows, new) for old, new in zip(state, changed, strict=True)))
        return extended

    def scores(self, states: States, utterances: Tensor, steps: Tensor) -> Scores:
        """Log-probabilities of what comes next in hypotheses (N,) of these utterances (N,) at these encoder steps (N,).

        Whether they are finite is told by `check_finite`.
        """
        outputs = [
            model.joint_log_probs(projection[utterances, steps], state[0])
            for model, projection, state in zip(self._models, self._projections, states, strict=True)
        ]
        log_probs = mean_log_probs(outputs, self._temperature)
        self._finite_scores.note(log_probs)
        labels = log_probs.index_fill(1, self._not_labels, -torch.inf)
        for label, penalty in self._penalties.items():
            labels[:, label] -= penalty
        return Scores(log_probs[:, self._blank_index], labels)

    def check_finite(self) -> None:
        """Refuse scores that were not finite; every search asks before it trusts its results.

        Raises:
            NotFiniteError: one was NaN or infinite.
        """
        self._finite_scores.check()

    def asks_after(self, num_rounds: int) -> bool:
        """Whether the host asks now which utterances have ended: for a CPU it never waits."""
        return self.source_lengths.device.type == "cpu" or (num_rounds + 1) % ROUNDS_TO_A_QUESTION == 0

    def max_symbols(self, limit: LabelLimit) -> int:
        """The most symbols, blanks and labels, of any alignment."""
        return self.num_steps + limit.most(self.num_steps)


def _predict(model: TransducerScorable, labels: Tensor, own_state: tuple[Tensor, ...]) -> ModelState:
    projected, own_state = model.predict(labels, own_state)
    return projected, *own_state


def _chosen(is_new: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(is_new.view(-1, *[1] * (new.dim() - 1)), new, old)


def select_rows(states: States, rows: Tensor) -> States:
    """States of hypotheses `rows` (M,), in this order."""
    return [tuple(tensor[rows] for tensor in state) for state in states]


def _check_alike(models: Sequence[TransducerScorable], lengths: Sequence[Tensor]) -> None:
    for number, (model, model_lengths) in enumerate(zip(models[1:], lengths[1:], strict=True), 1):
        blank_index, expected = model.transducer_blank_index, models[0].transducer_blank_index
        if blank_index != expected:
            raise ValueError(
                f"model {number} of the ensemble has another transducer blank than the first: "
                f"{blank_index} against {expected}"
            )
        if not torch.equal(model_lengths, lengths[0]):
            raise ValueError(
                f"model {number} of the ensemble has other encoder steps an utterance than the first: "
                f"{model_lengths.tolist()} against {lengths[0].tolist()}"
            )
