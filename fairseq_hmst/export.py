"""Write a model folder: `python -m fairseq_hmst.export --checkpoint A.pt [B.pt ...] --data DATA_BIN --out MODEL`.

The folder holds all that translating needs (see fairseq_hmst.inference.model_folder), and neither pickle nor code.
Several checkpoints become one model of averaged weights (--average), or stay apart and decode together (--ensemble).
It is written whole or not at all.
"""

import argparse
import pickle
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from fairseq.models import ARCH_MODEL_NAME_REGISTRY, MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY
from omegaconf import OmegaConf

from .average import average_checkpoints
from .data.data_bin import DataBin, DataBinError
from .inference.arguments import add_generation_arguments
from .inference.decoder import make_decoder
from .inference.encoder_copy import copy_encoder
from .inference.errors import ModelFolderError, TranslationError
from .inference.model_card import model_card
from .inference.model_folder import (
    CONFIG_NAME,
    DATA_NAME,
    ENCODER_NAME,
    FORMAT,
    README_NAME,
    STAGE,
    make_task,
    write_weights,
)
from .inference.options import GENERATION_OPTIONS, Options
from .inference.sealing import CARD_NAME, read_json, seal, write_json
from .models.base import HmstModel
from .tasks.hmst_translation import HmstTranslationTask
from .translate import find_encoder
from .version import __version__

# of the model's configuration: where a training started from, of no use later, and paths of the training's machine
TRAINING_OPTIONS = ("init_from", "finetune")
NAMED_IN_CARD = ""  # --include-encoder without a folder: the encoder that the data-bin's card names


def export(
    groups: list[list[Path]],
    data_bin: Path,
    out: Path,
    include_encoder: str | None = None,
    generation: dict[str, Any] | None = None,
    scores: Any = None,
) -> None:
    """Write a model folder.

    Args:
        groups: checkpoints of fairseq-train; those of a group become one model of their mean weights, several groups
            an ensemble.
        data_bin: what they were trained on.
        out: the folder to write; it must not exist.
        include_encoder: folder or hub name of the speech encoder to include; "": the one that the data-bin's card
            names; None: none is included.
        generation: defaults of decoding: decoding, beam, lenpen, ctc_decode_weight.
        scores: anything that JSON can hold, for the card and the README.

    Raises:
        DataBinError: the data-bin is not whole, or is not the checkpoints'.
        ModelFolderError: `out` exists, or a checkpoint cannot be read.
        TranslationError: the encoder is not the one that made the units.
        ValueError: the checkpoints of a group do not fit each other, or the models cannot decode so.
    """
    if out.exists():
        raise ModelFolderError(f"{out} exists already; name another folder, or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", suffix=".partial", dir=out.parent) as temporary:
        folder = Path(temporary) / out.name
        folder.mkdir()
        card = _write_models(folder, groups, make_task(data_bin), generation or {})
        card |= _write_data(folder, DataBin(data_bin), include_encoder)
        card |= {
            "stage": STAGE,
            "format": FORMAT,
            "versions": {"fairseq_hmst": __version__, "torch": torch.__version__},
            "scores": without_paths(scores),
        }
        (folder / README_NAME).write_text(model_card(out.name, card), encoding="utf-8")
        seal(folder, card, unsealed={README_NAME})
        folder.rename(out)


def without_paths(value: Any) -> Any:
    """A JSON value in which absolute paths, of no use elsewhere, have become the names of what they lead to."""
    if isinstance(value, dict):
        return {without_paths(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _write_models(
    folder: Path, groups: list[list[Path]], task: HmstTranslationTask, generation: dict[str, Any]
) -> dict[str, Any]:
    """Write weights and config.json; what the card says of them."""
    models, options = zip(*(_load_model(paths, task) for paths in groups), strict=True)
    make_decoder(task.data_bin.path, list(models), Options(**generation), {})  # refuses what the models cannot do
    files = ["model.safetensors"] if len(models) == 1 else [f"model-{n + 1}.safetensors" for n in range(len(models))]
    for file, model in zip(files, models, strict=True):
        write_weights(model, folder / file)
    described = [{"file": file, "options": found} for file, found in zip(files, options, strict=True)]
    write_json(folder / CONFIG_NAME, {"models": described, "generation": generation})
    return {
        "architectures": [found["_name"] for found in options],
        "averaged_checkpoints": len(groups[0]),
        "parameters": sum(tensor.numel() for model in models for tensor in model.parameters()),
        "decodings": [name for name in models[0].decodings if all(name in model.decodings for model in models)],
    }


def _load_model(paths: list[Path], task: HmstTranslationTask) -> tuple[HmstModel, dict[str, Any]]:
    """The model of a checkpoint, or of the average of several, and the options that make it anew."""
    names = ", ".join(map(str, paths))
    try:
        state = average_checkpoints([str(path) for path in paths])
        given, task_state, weights = state["cfg"]["model"], state["task_state"], state["model"]
        family = ARCH_MODEL_NAME_REGISTRY[given["_name"]]
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise ModelFolderError(f"{names}: cannot be read as checkpoints of fairseq: {error!r}") from error
    if not issubclass(MODEL_REGISTRY[family], HmstModel):
        raise ModelFolderError(f"{names}: expected a model of this package, found fairseq's '{family}'")
    task.load_state_dict(task_state)
    # all options, so that a later default changes nothing
    defaults: Any = OmegaConf.to_container(OmegaConf.structured(MODEL_DATACLASS_REGISTRY[family]), enum_to_str=True)
    kept = defaults.keys() - TRAINING_OPTIONS
    options = {key: value for key, value in (defaults | given).items() if key in kept} | {"_name": family}
    model = task.build_model(OmegaConf.create(options), from_checkpoint=True)
    model.load_state_dict(weights)
    return model.eval(), options


def _write_data(folder: Path, data_bin: DataBin, include_encoder: str | None) -> dict[str, Any]:
    """Copy the data-bin but for its streams, and the speech encoder if asked for; what the card says of them."""
    data = folder / DATA_NAME
    for name in data_bin.card["hashes"]:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data_bin.path / name, data / name)
    write_json(data / CARD_NAME, without_paths(data_bin.card))
    encoder = None
    if (data_bin.path / "kmeans").is_dir():
        kmeans = read_json(data_bin.path / "kmeans" / CARD_NAME)
        write_json(data / "kmeans" / CARD_NAME, without_paths(kmeans))
        encoder = _write_encoder(kmeans["extractor"], include_encoder, folder / ENCODER_NAME)
    elif include_encoder is not None:
        raise ModelFolderError(f"{data_bin.path} has no k-means, so there is no speech encoder to include")
    return {"languages": data_bin.card["languages"], "signature": data_bin.signature, "encoder": encoder}


def _write_encoder(extractor: dict[str, Any], include_encoder: str | None, folder: Path) -> dict[str, Any]:
    """Copy the speech encoder if asked for; what the card says of it."""
    new_hash = None
    if include_encoder is not None:
        new_hash = copy_encoder(find_encoder(extractor, include_encoder or None), folder)
    is_on_hub = extractor["source"] != "mfcc" and not Path(extractor["source"]).is_absolute()
    return {
        "name": extractor["name"],
        "layer": extractor["layer"],
        "hash": new_hash or extractor["hash"],
        "hub_name": extractor["source"] if is_on_hub else None,
        "included": include_encoder is not None,
    }


def main(argv: list[str] | None = None) -> int:
    """Command line; exit status 1 for what cannot be exported, 2 for options that do not fit, 130 if interrupted."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    several = len(arguments.checkpoint) > 1
    if several and not (arguments.average or arguments.ensemble):
        parser.error("several checkpoints: say --average or --ensemble")
    if not several and (arguments.average or arguments.ensemble):
        parser.error(f"--{'average' if arguments.average else 'ensemble'} has no effect on one checkpoint")
    generation = {name: getattr(arguments, name) for name in GENERATION_OPTIONS}
    try:
        export(
            [[path] for path in arguments.checkpoint] if arguments.ensemble else [arguments.checkpoint],
            arguments.data,
            arguments.out,
            include_encoder=arguments.include_encoder,
            generation={name: value for name, value in generation.items() if value is not None},
            scores=None if arguments.scores is None else read_json(arguments.scores),
        )
    except (DataBinError, ModelFolderError, TranslationError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    print(f"{arguments.out}: read its README.md before you publish it")
    return 0


def make_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = argparse.ArgumentParser(prog="python -m fairseq_hmst.export", description=__doc__.split("\n\n")[1])
    parser.add_argument(
        "--checkpoint", type=Path, nargs="+", required=True, metavar="CKPT", help="of fairseq-train; one or several"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--average", action="store_true", help="several checkpoints become one model of mean weights")
    how.add_argument("--ensemble", action="store_true", help="several checkpoints stay apart and decode together")
    parser.add_argument("--data", type=Path, required=True, metavar="DATA_BIN", help="that they were trained on")
    parser.add_argument("--out", type=Path, required=True, metavar="MODEL", help="folder to write; must not exist")
    parser.add_argument(
        "--include-encoder",
        nargs="?",
        const=NAMED_IN_CARD,
        metavar="FOLDER",
        help="copy the speech encoder into MODEL, from FOLDER (or hub name), or from where the units were made with it",
    )
    scores_help = "what hmst-score --format json printed, for the model card"
    parser.add_argument("--scores", type=Path, metavar="FILE.json", help=scores_help)
    add_generation_arguments(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
