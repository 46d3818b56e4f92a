"""Write a model folder from checkpoints and their data-bin, whole or not at all."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

import msgspec
import torch
from fairseq.models import ARCH_MODEL_REGISTRY, MODEL_DATACLASS_REGISTRY
from omegaconf import OmegaConf

from preprocess.files.cards.card import CARD_NAME, Card
from preprocess.files.cards.named_files import copy_files, hash_files, list_files
from preprocess.files.cards.stage_cards import ExtractorDescription, KmeansCard
from preprocess.files.hashing import hash_file
from preprocess.files.outputs.held import held_folder
from preprocess.files.outputs.place import folder_of_model, inputs_of
from preprocess.files.whole import whole_folder

from ..average import average_checkpoints
from ..data.data_bin import DataBin
from ..model_folder.card import README_NAME, EncoderEntry, ModelCard, ModelConfig, ModelEntry, Versions
from ..model_folder.errors import ModelFolderError
from ..model_folder.folder import DATA_NAME, ENCODER_NAME, make_task, write_weights
from ..model_folder.generation import GenerationOptions
from ..model_folder.json_files import read_object
from ..models.hmst_model import HmstModel
from ..tasks.hmst_translation import HmstTranslationTask
from ..translate.decoder import make_decoder
from ..translate.options import TranslationOptions
from ..translate.recordings.speech_to_units import find_encoder
from ..version import __version__
from .encoder_copy import copy_encoder
from .example_copies import copy_examples
from .options import ExportOptions
from .readme import write_readme

KMEANS_CARD = f"kmeans/{CARD_NAME}"
KindOfCard = TypeVar("KindOfCard", bound=Card)

# of the model's configuration: where a training started from, of no use later, and paths of the training's machine
TRAINING_OPTIONS = ("init_from", "transfer_from", "finetune", "new_lr_scale")


@dataclass(frozen=True)
class ExportedModel:
    """A model whose weights are written, and the options that build it."""

    model: HmstModel
    entry: ModelEntry


def export(
    groups: Sequence[Sequence[Path]], data_bin_folder: Path, out: Path, options: ExportOptions | None = None
) -> ModelCard:
    """Write a model folder, and return its card.

    Args:
        groups: checkpoints of fairseq-train; those of a group become one model of their mean weights, several groups
            an ensemble.
        data_bin_folder: what they were trained on.
        out: the folder to write; an exported model that is there is replaced.
        options: encoder, scores and defaults of decoding; None: none of these.

    Raises:
        DataBinError: the data-bin is not whole, or is not the checkpoints'.
        ModelFolderError: a checkpoint, an example or the scores cannot be read.
        OutputError: `out` cannot be written, or is something else than an exported model.
        TranslationError: the encoder is not the one that made the units.
        ValueError: the checkpoints of a group do not fit each other, or the models cannot decode so.
    """
    options = options or ExportOptions()
    inputs = inputs_of(list(groups), data_bin_folder, options, folder_of_model(options.include_encoder))
    with held_folder(out, ModelCard, inputs), whole_folder(out, ModelCard) as folder:
        scores = None if options.scores is None else read_object(options.scores)
        task = make_task(data_bin_folder)
        models = _write_models(folder, groups, task, options)
        copy_examples(options.examples, folder)
        encoder = _write_data(folder, task.data_bin, options.include_encoder)
        card = ModelCard(
            architectures=tuple(model.entry.family for model in models),
            averaged_checkpoints=len(groups[0]),
            parameters=sum(tensor.numel() for model in models for tensor in model.model.parameters()),
            decodings=tuple(name for name in models[0].model.decodings if _all_have(models, name)),
            languages=task.data_bin.card.languages,
            signature=task.data_bin.signature,
            text_model=task.data_bin.card.text_model,
            encoder=encoder,
            versions=Versions(__version__, str(torch.__version__)),
            scores=without_paths(scores),
            long_training_seconds=task.data_bin.card.long_training_seconds,
            hashes=hash_files(folder, list_files(folder)),
        )
        write_readme(folder / README_NAME, out.name, card)  # which the card does not name: a person may edit it
        replace(card, readme_hash=hash_file(folder / README_NAME)).write(folder)
    return card


def without_paths(value: object) -> object:
    """A JSON value with names in place of absolute paths, which are of no use elsewhere."""
    if isinstance(value, dict):
        return {without_paths(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _write_models(
    folder: Path, groups: Sequence[Sequence[Path]], task: HmstTranslationTask, chosen: ExportOptions
) -> list[ExportedModel]:
    """Write weights and config.json."""
    models, options = zip(*(_load_model(paths, task, chosen.ema) for paths in groups), strict=True)
    generation = chosen.generation
    wanted = TranslationOptions(generation.decoding, generation.beam, generation.lenpen, generation.ctc_decode_weight)
    make_decoder(task.data_bin.path, list(models), wanted, GenerationOptions())  # refuses what the models cannot do
    files = ["model.safetensors"] if len(models) == 1 else [f"model-{n + 1}.safetensors" for n in range(len(models))]
    for file, model in zip(files, models, strict=True):
        write_weights(model, folder / file)
    entries = [ModelEntry(file, found) for file, found in zip(files, options, strict=True)]
    ModelConfig(tuple(entries), generation).write(folder)
    return [ExportedModel(model, entry) for model, entry in zip(models, entries, strict=True)]


def _all_have(models: Sequence[ExportedModel], decoding: str) -> bool:
    return all(decoding in model.model.decodings for model in models)


def _load_model(paths: Sequence[Path], task: HmstTranslationTask, ema: bool) -> tuple[HmstModel, dict[str, object]]:
    """Load the model of a checkpoint, or of several averaged, and the options that build it."""
    names = ", ".join(map(str, paths))
    try:
        state = average_checkpoints([str(path) for path in paths], ema)
        given, task_state, weights = state["cfg"]["model"], state["task_state"], state["model"]
        architecture = ARCH_MODEL_REGISTRY[given["_name"]]
    except OSError as error:
        raise ModelFolderError(f"cannot be read: {error.strerror}", place=error.filename or names) from error
    except (RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise ModelFolderError(f"cannot be read as checkpoints of fairseq: {error!r}", place=names) from error
    if not issubclass(architecture, HmstModel):
        raise ModelFolderError(f"expected a model of this package, found fairseq's '{given['_name']}'", place=names)
    task.load_state_dict(task_state)
    # all options, so that a later default changes nothing
    container = OmegaConf.to_container(OmegaConf.structured(MODEL_DATACLASS_REGISTRY[given["_name"]]), enum_to_str=True)
    defaults = cast("dict[str, object]", container)
    kept = defaults.keys() - TRAINING_OPTIONS
    options = {key: value for key, value in (defaults | given).items() if key in kept} | {"_name": architecture.family}
    model = task.build_model(OmegaConf.create(options), from_checkpoint=True)
    model.load_state_dict(weights)
    return model.eval(), options


def _write_data(folder: Path, data_bin: DataBin, include_encoder: str | None) -> EncoderEntry | None:
    """Copy the data-bin but for its streams, and the speech encoder if asked for."""
    data = folder / DATA_NAME
    data_bin.compare(data_bin.card.hashes)
    names = [name for name in data_bin.card.vocabulary_files if Path(name).name != CARD_NAME]
    copy_files(data_bin.path, names, data)
    kmeans = KmeansCard.read(data_bin.path / "kmeans") if KMEANS_CARD in data_bin.card.hashes else None
    if kmeans is not None:
        _card_without_paths(kmeans).write(data / "kmeans")
        names.append(KMEANS_CARD)
    replace(_card_without_paths(data_bin.card), hashes=hash_files(data, names)).write(data)
    if kmeans is not None:
        return _write_encoder(kmeans.extractor, include_encoder, folder / ENCODER_NAME)
    if include_encoder is not None:
        raise ModelFolderError("has no k-means, so there is no speech encoder to include", place=data_bin.path)
    return None


def _card_without_paths(card: KindOfCard) -> KindOfCard:
    return msgspec.convert(without_paths(msgspec.to_builtins(card, str_keys=True)), type(card), str_keys=True)


def _write_encoder(description: ExtractorDescription, include_encoder: str | None, folder: Path) -> EncoderEntry:
    """Copy the speech encoder if asked for."""
    is_on_hub = description.source != "mfcc" and not Path(description.source).is_absolute()
    hub_name = description.source if is_on_hub else None
    entry = EncoderEntry(description.name, description.layer, description.hash, hub_name, include_encoder is not None)
    if include_encoder is None:
        return entry
    new_hash = copy_encoder(find_encoder(description, include_encoder or None), folder)
    return entry if new_hash is None else replace(entry, hash=new_hash)
