"""Transducers of a few numbers in a model's place, and batches for them."""

import itertools
from types import SimpleNamespace

import torch

from fairseq_hmst.losses.rnnt import rnnt_loss
from fairseq_hmst.modules.joiner import Joiner
from fairseq_hmst.modules.predictor import PREDICTORS

BLANK, PADDING, EOS = 0, 1, 2  # as in fairseq's Dictionary, whose <s> serves as blank
LABELS = (3, 4, 5)
DICTIONARY = SimpleNamespace(bos=lambda: BLANK, pad=lambda: PADDING, eos=lambda: EOS)
NOT_LABELS = {BLANK, PADDING, EOS}


class StubModel:
    """A transducer without an encoder: encoder steps are looked up by token."""

    transducer_blank_index = BLANK

    def __init__(self, predictor="lstm", seed=0, num_missing_steps=0):
        torch.manual_seed(seed)
        self.table = 3 * torch.randn(10, 4)
        self.predictor = PREDICTORS[predictor](len(NOT_LABELS) + len(LABELS), PADDING, BLANK, 4, 0.0).eval()
        self.joiner = Joiner(4, 4, 8, len(NOT_LABELS) + len(LABELS))
        for parameter in self.predictor.parameters():
            parameter.data *= 3
        self.joiner.predictor_projection.weight.data *= 30  # what was emitted decides as much as the source
        self.joiner.output.weight.data *= 6
        self.joiner.output.bias.data[:3] += torch.tensor([1.0, -2.0, -2.0])  # blank, padding, end of sentence
        self.num_missing_steps = num_missing_steps
        self.training = True

    def eval(self):
        self.training = False

    def encode(self, src_tokens, src_lengths):
        if self.training:
            raise RuntimeError("decoding needs evaluation mode")
        return {"states": self.table[src_tokens], "lengths": src_lengths - self.num_missing_steps}

    def project_encoder(self, encoder_out):
        return self.joiner.project_encoder(encoder_out["states"]), encoder_out["lengths"]

    def start_prediction(self, num_hypotheses):
        state = self.predictor.initial_state(num_hypotheses)
        return self.predict(torch.full((num_hypotheses,), BLANK), state)

    def predict(self, labels, state):
        states, state = self.predictor.step(labels, state)
        return self.joiner.project_predictor(states), state

    def joint_log_probs(self, encoder_projected, predictor_projected):
        return self.joiner.log_probs(encoder_projected, predictor_projected)


class TableModel(StubModel):
    """Probabilities of the next symbol by encoder step and number of labels: table[t][u] = {symbol: probability}."""

    def __init__(self, table):
        super().__init__()
        self.probabilities = torch.zeros(len(table), len(table[0]), len(NOT_LABELS) + len(LABELS))
        for t, u in itertools.product(range(len(table)), range(len(table[0]))):
            for symbol, probability in table[t][u].items():
                self.probabilities[t, u, symbol] = probability

    def project_encoder(self, encoder_out):
        steps = torch.arange(encoder_out["states"].size(1)).expand(encoder_out["states"].shape[:2])
        return steps.unsqueeze(2), encoder_out["lengths"]

    def start_prediction(self, num_hypotheses):
        num_labels = torch.zeros(num_hypotheses, 1, dtype=torch.int64)
        return num_labels, (num_labels,)

    def predict(self, labels, state):
        num_labels = state[0] + 1
        return num_labels, (num_labels,)

    def joint_log_probs(self, encoder_projected, predictor_projected):
        return self.probabilities[encoder_projected[:, 0], predictor_projected[:, 0]].log()


def batch(*lengths):
    rows = torch.randint(3, 10, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(5))
    is_padding = torch.arange(max(lengths)) >= torch.tensor(lengths).unsqueeze(1)
    return {"net_input": {"src_tokens": rows.masked_fill(is_padding, PADDING), "src_lengths": torch.tensor(lengths)}}


def one_by_one(sample):
    for row, length in zip(*sample["net_input"].values(), strict=True):
        yield {"net_input": {"src_tokens": row[None, :length], "src_lengths": length[None]}}


@torch.no_grad()
def all_log_probs(models, sample, max_len):
    """{labels: log-probability over all alignments} of one utterance for label sequences of up to `max_len` labels.

    By the transducer loss, itself tested against the enumeration of alignments.
    """
    found = {}
    length = sample["net_input"]["src_lengths"]
    for labels in itertools.chain.from_iterable(itertools.product(LABELS, repeat=n) for n in range(max_len + 1)):
        targets = torch.tensor([labels], dtype=torch.int64).view(1, -1)
        probabilities = []
        for model in models:
            model.eval()
            projected, _ = model.project_encoder(model.encode(**sample["net_input"]))
            predictor_out = model.joiner.project_predictor(model.predictor(targets))
            probabilities.append(model.joint_log_probs(projected.unsqueeze(2), predictor_out.unsqueeze(1)).exp())
        mean = torch.stack(probabilities).mean(0).double().log()
        found[labels] = -rnnt_loss(mean, targets, length, torch.tensor([len(labels)]), BLANK).item()
    return found
