"""Convert a pretrained text model (mBART) once, for one data-bin: `python -m fairseq_hmst.mbart --help`.

The result is what `fairseq-train --arch hmst_aed --init-from` starts from: rows of the embedding for the pieces that
the data-bin has, new rows for its speech units, and all other weights as they are.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch

from .data.data_bin import DataBin, DataBinError
from .models.mbart import PretrainedModelError
from .pretrained.convert import convert, coverage
from .pretrained.fairseq_release import CHECKPOINT_FILE, read_fairseq_release
from .pretrained.fit import check_languages, check_positions
from .pretrained.huggingface import read_huggingface
from .pretrained.text_model import TextModel


def read_text_model(source: str, data_bin: DataBin, trust_pickle: bool) -> TextModel:
    """Read an mBART in any of its forms, if it is the one that the data-bin was made for.

    Args:
        source: folder or hub name of Hugging Face's, or folder or checkpoint of fairseq's.
        data_bin: made with --text-model.
        trust_pickle: see pretrained.pickles.read_checkpoint.

    Raises:
        PretrainedModelError: the source is no whole mBART, or does not belong to the data-bin.
    """
    made_with = data_bin.card["text_model"]
    if made_with is None:
        raise PretrainedModelError(
            f"{data_bin.path} was made without a text model; "
            f"make it with `python -m preprocess subwords --text-model {source}`"
        )
    path = Path(source)
    if (path / CHECKPOINT_FILE).is_file():
        path = path / CHECKPOINT_FILE
    if path.is_file():
        return read_fairseq_release(path, made_with["hash"], made_with["convention"], trust_pickle)
    return read_huggingface(source, made_with["hash"], made_with["convention"])


def write_pretrained(text_model: TextModel, data_bin: DataBin, seed: int, path: Path) -> None:
    """Convert, and write the file whole or not at all.

    Raises:
        PretrainedModelError: the model does not fit the data-bin.
    """
    check_languages(text_model, data_bin)
    check_positions(text_model, data_bin)
    content = convert(text_model, data_bin, seed)
    print(describe(text_model, data_bin, sum(tensor.numel() for tensor in content["state"].values())))
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with temporary.open("wb") as file:
            torch.save(content, file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def describe(text_model: TextModel, data_bin: DataBin, num_parameters: int) -> str:
    """A table of what was kept of the model, as lines of text."""
    size = text_model.architecture
    lines = [
        f"{text_model.name}: {size['encoder_layers']} + {size['decoder_layers']} layers of width {size['embed_dim']}, "
        f"{size['max_source_positions']} positions",
        f"{'':18}{'data-bin':>14}{'kept':>14}{'model':>14}",
    ]
    for row in coverage(text_model, data_bin):
        lines.append(f"{row.kind:18}{row.in_data_bin:14,}{row.kept:14,}{row.in_model:14,}")
    lines.append(f"{'parameters':18}{num_parameters:14,}{'':14}{text_model.num_parameters:14,}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Command line; exit status 1 for what cannot be read or does not fit."""
    parser = argparse.ArgumentParser(
        prog="python -m fairseq_hmst.mbart", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="MODEL",
        help="folder or hub name of a Hugging Face mBART, or folder or checkpoint of fairseq's release",
    )
    parser.add_argument("--data", required=True, help="data-bin that was made with this model's --text-model")
    parser.add_argument("--out", type=Path, required=True, help="file to write, such as mbart.pt")
    parser.add_argument("--seed", type=int, default=0, help="seed of the rows that are drawn for new symbols")
    parser.add_argument(
        "--trust-pickle",
        action="store_true",
        help="load a checkpoint of fairseq's that holds more than weights and options, which could run any code; what "
        "it names is listed first",
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        if not arguments.out.parent.is_dir():
            raise FileNotFoundError(f"--out {arguments.out}: there is no folder {arguments.out.parent}")
        data_bin = DataBin(arguments.data)
        text_model = read_text_model(arguments.source, data_bin, arguments.trust_pickle)
        write_pretrained(text_model, data_bin, arguments.seed, arguments.out)
    except (PretrainedModelError, DataBinError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
