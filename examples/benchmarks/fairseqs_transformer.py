"""fairseq's own `transformer` with the layers of an architecture of this package, on a data-bin's examples."""

from pathlib import Path

from fairseq.data import data_utils, indexed_dataset

import fairseq_hmst.plugin  # noqa: F401  (registers the models)
from fairseq_hmst.models.architectures import SIZES

WITH_DECODER = ("hmst_aed", "hmst_ctc_attention")  # families that it can be compared with


def make_bitext(data_bin: Path, folder: Path) -> Path:
    """The training examples of both streams as one bitext of fairseq's `translation` task."""
    for name in ("dict.src.txt", "dict.tgt.txt"):
        (folder / name).write_bytes((data_bin / name).read_bytes())
    for side in ("src", "tgt"):
        prefix = str(folder / f"train.src-tgt.{side}")
        builder = indexed_dataset.make_builder(f"{prefix}.bin", impl="mmap", vocab_size=60000)
        for stream in ("st", "mt"):
            rows = data_utils.load_indexed_dataset(str(data_bin / f"train.{stream}.{side}"), None, "mmap")
            for index in range(len(rows)):
                builder.add_item(rows[index])
        builder.finalize(f"{prefix}.idx")
    return folder


def fairseqs_command(bitext: Path, architecture: str) -> list[str]:
    """Options of fairseq-train.

    Args:
        bitext: that `make_bitext` wrote.
        architecture: FAMILY_SIZE, the family one of WITH_DECODER.
    """
    family, _, size = architecture.rpartition("_")
    sizes = SIZES[family][size]
    layers: list[object] = []
    for side in ("encoder", "decoder"):
        layers += [f"--{side}-embed-dim", sizes["embed_dim"], f"--{side}-ffn-embed-dim", sizes["ffn_embed_dim"]]
        layers += [f"--{side}-attention-heads", sizes["attention_heads"], f"--{side}-layers", sizes[f"{side}_layers"]]
        layers += [f"--{side}-normalize-before"]
    # --left-pad-source turns its default, True, off
    task = ["--task", "translation", "--source-lang", "src", "--target-lang", "tgt", "--left-pad-source"]
    model = ["--arch", "transformer", "--share-decoder-input-output-embed", *map(str, layers)]
    return [str(bitext), *task, *model, "--criterion", "label_smoothed_cross_entropy", "--label-smoothing", "0.1"]
