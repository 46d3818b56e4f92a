"""Starting from the weights of a training on other data: what both vocabularies know is copied, piece by piece."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from preprocess.files.units import FIRST_CHARACTER

from ..checkpoints.identity import FINGERPRINT
from ..checkpoints.reading import CheckpointError, read_checkpoint
from ..data.data_bin import DataBin

logger = logging.getLogger(__name__)

KMEANS = "kmeans/centroids.npz"  # of a fingerprint
NAMED = 3  # of weights that are left as they were
# Parameters that have a row a symbol, and whose symbols these are. The units are what an input dictionary has behind
# the whole output dictionary, with --share-embeddings.
ROWS = {
    "encoder.embed_tokens.weight": "source",
    "encoder.embed_tokens.text.weight": "target",
    "encoder.embed_tokens.units.weight": "units",
    "decoder.embed_tokens.weight": "target",
    "decoder.output_projection.weight": "target",
    "decoder.output_projection.bias": "target",
    "ctc_head.projection.weight": "target",
    "ctc_head.projection.bias": "target",
    "source_ctc_head.projection.weight": "transcript",
    "source_ctc_head.projection.bias": "transcript",
    "predictor.embedding.weight": "target",
    "joiner.output.weight": "target",
    "joiner.output.bias": "target",
}


@dataclass(frozen=True)
class Transfer:
    """Weights of one checkpoint, to be copied into models of a data-bin.

    Attributes:
        path: the checkpoint.
        weights: by name.
        old_rows: symbol -> row in the checkpoint, by vocabulary.
        new_symbols: of the data-bin, by vocabulary.
    """

    path: str
    weights: Mapping[str, Tensor]
    old_rows: Mapping[str, Mapping[str, int]]
    new_symbols: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, path: str, data_bin: DataBin) -> "Transfer":
        """Read a checkpoint; units of another k-means are no symbols that both know.

        Raises:
            CheckpointError: it is no whole checkpoint, or does not say what its rows mean.
            OSError: there is no such file.
        """
        checkpoint = read_checkpoint(path)
        state = checkpoint.get("task_state", {})
        if "symbols" not in state:
            raise CheckpointError(
                "does not say which pieces its rows belong to: an older version or another task wrote it",
                place=path,
                advice="let its training make one more update by this version, and take what that saves",
            )
        same_units = state[FINGERPRINT].get(KMEANS) == data_bin.fingerprint.get(KMEANS)
        if not same_units:
            logger.warning(f"{path} was trained on units of another k-means: the rows of units are not copied")
        rows = {
            name: {symbol: row for row, symbol in enumerate(symbols) if same_units or not is_unit_piece(symbol)}
            for name, symbols in _with_units(state["symbols"]).items()
        }
        return cls(path, checkpoint["model"], rows, _with_units(data_bin.symbols))

    def load_into(self, model: nn.Module) -> None:
        """Copy what the model has too; all else stays as it was initialised. What was copied is logged."""
        left: list[str] = []
        copied: set[str] = set()
        with torch.no_grad():
            for name, parameter in model.state_dict().items():
                given = self.weights.get(name)
                vocabulary = ROWS.get(name)
                if given is None or given.shape[vocabulary is not None :] != parameter.shape[vocabulary is not None :]:
                    left.append(name)
                elif vocabulary is None:
                    parameter.copy_(given)
                else:
                    pairs = self._common_rows(vocabulary)
                    parameter[[new for new, _ in pairs]] = given[[old for _, old in pairs]].to(parameter.dtype)
                    copied.add(vocabulary)
        counts = [f"{len(self._common_rows(v))} of {len(self.new_symbols[v])} {v} pieces" for v in sorted(copied)]
        whole = len(model.state_dict().keys() - ROWS.keys() - set(left))
        stay = f"; left as initialised: {len(left)}, such as {', '.join(left[:NAMED])}" if left else ""
        logger.info(f"transferred from {self.path}: {', '.join([*counts, f'{whole} other weights'])}{stay}")

    def _common_rows(self, vocabulary: str) -> list[tuple[int, int]]:
        """Rows in the model and in the checkpoint of each symbol that both have."""
        old = self.old_rows[vocabulary]
        return [(new, old[symbol]) for new, symbol in enumerate(self.new_symbols[vocabulary]) if symbol in old]


def is_unit_piece(symbol: str) -> bool:
    """Whether a piece is one of speech units."""
    return all(ord(character) >= FIRST_CHARACTER for character in symbol)


def _with_units(symbols: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {**symbols, "units": symbols["source"][len(symbols["target"]) :]}
