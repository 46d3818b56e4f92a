"""Sample translations and pictures of their alignment in TensorBoard (--tensorboard-logdir)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fairseq.distributed import utils as distributed_utils
from torch import Tensor

from ...alignment import align
from ...data.batch import Batch
from ...data.data_bin import DataBin
from ...training.training_events import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...models.hmst_model import HmstModel

INCHES_A_LABEL = 0.25


class BoardWriter(Protocol):
    """The part that is needed of `torch.utils.tensorboard.SummaryWriter`."""

    def add_text(self, tag: str, text_string: str, global_step: int) -> None: ...

    def add_figure(self, tag: str, figure: "Figure", global_step: int) -> None: ...

    def flush(self) -> None: ...


class SampleBoard:
    """Shows samples of validations.

    Args:
        writer: writes into the folder that TensorBoard reads.
        data_bin: names the tokens.
        decoding: value of --decoding, the head whose alignment is drawn.
    """

    def __init__(self, writer: BoardWriter, data_bin: DataBin, decoding: str) -> None:
        self.writer, self.data_bin, self.decoding = writer, data_bin, decoding

    @classmethod
    def open(cls, folder: str | None, data_bin: DataBin, decoding: str) -> "SampleBoard | None":
        """A board that writes to FOLDER/samples.

        None without a folder, in all processes of a training but the first, and without TensorBoard, of which fairseq
        itself says that it is not installed.
        """
        if folder is None or distributed_utils.get_global_rank() != 0:
            return None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return None
        return cls(SummaryWriter(str(Path(folder) / "samples")), data_bin, decoding)

    def show(self, samples: Sequence[Sample], num_updates: int) -> None:
        """Show texts, one entry an example."""
        for sample in samples:
            lines = {"source": sample.source, "reference": sample.reference, "hypothesis": sample.hypothesis}
            text = "\n\n".join(f"{name}: {line}" for name, line in lines.items() if line)
            self.writer.add_text(f"sample {sample.row}", text, num_updates)
        self.writer.flush()

    def show_alignment(
        self, row: int, model: "HmstModel", batch: Batch, place: int, hypothesis: Tensor, num_updates: int
    ) -> None:
        """Show the alignment of a hypothesis to its source; none where it is empty, or too long for CTC.

        Args:
            row: number of the example in the split.
            model: wrote the hypothesis.
            batch: holds the example.
            place: its place in the batch.
            hypothesis: (U,) with what is no text, such as its end.
            num_updates: of the model.
        """
        dictionary, symbols = self.data_bin.target_dictionary, self.data_bin.language_symbols
        no_text = {dictionary.eos(), dictionary.pad(), *symbols.output_ids}
        labels = hypothesis[[int(token) not in no_text for token in hypothesis]]
        if len(labels) == 0:
            return
        net_input = batch["net_input"]
        source = net_input["src_tokens"][place, : net_input["src_lengths"][place]]
        start = net_input["prev_output_tokens"][place, : symbols.num_start_tokens]
        decoding = model.decodings[0] if self.decoding == "auto" else self.decoding
        try:
            alignment = align([model], decoding, source, labels, start)
        except ValueError:  # no CTC path
            return
        pieces = [self.data_bin.target_dictionary[int(label)] for label in labels]
        figure = draw_alignment(alignment, pieces, f"{decoding}, sample {row}, {num_updates} updates")
        self.writer.add_figure(f"alignment {row}", figure, num_updates)
        self.writer.flush()


def draw_alignment(alignment: Tensor, labels: Sequence[str], title: str) -> "Figure":
    """A picture of an alignment (U, T): a row a label, dark where it looks at the source."""
    from matplotlib.figure import Figure  # slow to import, and rarely needed

    # by the class, not pyplot: no window system and no state of the process is touched
    figure = Figure(figsize=(8, 1.5 + INCHES_A_LABEL * len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(alignment.numpy(), aspect="auto", cmap="Greys", vmin=0, interpolation="nearest")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("encoder step")
    axes.set_title(title)
    return figure
