"""Pretrained speech encoders of Hugging Face transformers, cut off above the wanted layer.

Layer n gives `hidden_states[n]` of the whole model, to rounding; the layers above it are not built. Waveforms are
prepared (zero mean and unit variance, or log-mel for Whisper) as the model's preprocessor config says. Weights and
results are float32: float16 gives NaN in some of these models.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...errors import ExtractorError, FileError
from ...files.reading.finite import check_finite
from ...files.reading.json_file import read_json
from ...files.reading.obstacle import in_a_line
from ..audio import SAMPLE_RATE
from .checkpoint import CONFIG_FILES, Checkpoint, find_folder, hash_weights
from .waveform import WaveformExtractor
from .whisper import WhisperExtractor

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, Wav2Vec2FeatureExtractor, WhisperFeatureExtractor
    from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from .faster.modules import WaveformModel

# config.model_type -> module and class of the bare encoder
ENCODER_CLASSES = {
    "wavlm": ("transformers", "WavLMModel"),
    "hubert": ("transformers", "HubertModel"),
    "wav2vec2": ("transformers", "Wav2Vec2Model"),  # XLS-R too
    "data2vec-audio": ("transformers", "Data2VecAudioModel"),
    "whisper": ("transformers.models.whisper.modeling_whisper", "WhisperEncoder"),
}
FOR_TRAINING = {"masked_spec_embed"}  # weights that no frame depends on, and that a checkpoint may lack


def load_speech_encoder(source: str, layer: int | None, device: str) -> WaveformExtractor | WhisperExtractor:
    """Load an encoder up to `layer`.

    Args:
        source: a folder with config.json, weights and preprocessor_config.json, or a hub name to download.
        layer: 1..number of its layers.
        device: a torch device.

    Raises:
        ExtractorError: the folder is no such model, `layer` is missing or out of range, or weights are missing.
        NotFiniteError: a weight is NaN or infinite.
    """
    folder = find_folder(source)
    config, preprocessor = _load_configs(folder)
    is_whisper = config.model_type == "whisper"
    num_layers = config.encoder_layers if is_whisper else config.num_hidden_layers
    if layer is None or not 1 <= layer <= num_layers:
        found = "none" if layer is None else layer
        raise ExtractorError(
            f"expected --layer in 1..{num_layers}, its transformer layers, found {found}", place=source
        )
    checkpoint = Checkpoint(
        name=Path(source).resolve().name if Path(source).is_dir() else source.rsplit("/", 1)[-1],
        source=str(folder.resolve()) if Path(source).is_dir() else source,
        layer=layer,
        num_layers=num_layers,
        hash=hash_weights(folder),
    )
    model = _load_cut_model(folder, config, layer, device)
    if is_whisper:
        return WhisperExtractor(
            cast("WhisperEncoder", model), cast("WhisperFeatureExtractor", preprocessor), checkpoint
        )
    return WaveformExtractor(cast("WaveformModel", model), cast("Wav2Vec2FeatureExtractor", preprocessor), checkpoint)


def _load_configs(folder: Path) -> tuple[PretrainedConfig, SequenceFeatureExtractor]:
    """Model config and feature extractor of a folder."""
    with _importing("AutoConfig"):
        from transformers import AutoConfig, AutoFeatureExtractor
    try:
        for path in (folder / name for name in CONFIG_FILES):
            if path.is_file():
                read_json(path, dict)
    except FileError as error:
        raise ExtractorError.of(error, "copy it again from where the weights came from") from error
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # transformers raises whatever a damaged file leads it to
        raise ExtractorError(f"its config.json cannot be used: {in_a_line(error)}", place=folder) from error
    if config.model_type not in ENCODER_CLASSES:
        raise ExtractorError(
            f"expected a speech encoder ({', '.join(ENCODER_CLASSES)}), found a '{config.model_type}'", place=folder
        )
    try:
        preprocessor = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise ExtractorError(
            f"preprocessor_config.json is missing or broken ({in_a_line(error)})",
            place=folder,
            advice="it says how waveforms are normalised: copy it from where the weights came from",
        ) from error
    if preprocessor.sampling_rate != SAMPLE_RATE:
        raise ExtractorError(
            f"expected a model for {SAMPLE_RATE} Hz, found {preprocessor.sampling_rate} Hz", place=folder
        )
    return config, preprocessor


def _load_cut_model(folder: Path, config: PretrainedConfig, layer: int, device: str) -> PreTrainedModel:
    import torch

    module_name, class_name = ENCODER_CLASSES[config.model_type]
    with _importing(class_name):
        model_class: type[PreTrainedModel] = getattr(importlib.import_module(module_name), class_name)
    is_whisper = config.model_type == "whisper"
    # Layers above `layer` are never built. A length adapter, where there is one, comes after the last.
    config.update({"encoder_layers": layer} if is_whisper else {"num_hidden_layers": layer, "add_adapter": False})
    try:
        loaded: object = model_class.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            key_mapping={r"^(model\.)?encoder\.": ""} if is_whisper else None,  # whole Whisper checkpoints
        )
        model, report = cast("tuple[PreTrainedModel, dict[str, set[str]]]", loaded)
        model = model.eval().to(device)
    except Exception as error:  # each file format and each device has errors of its own
        raise ExtractorError(
            f"cannot load the weights to the device '{device}': {in_a_line(error)}", place=folder
        ) from error
    missing = sorted(set(report["missing_keys"]) - FOR_TRAINING)
    if missing:
        raise ExtractorError(
            f"the checkpoint lacks {len(missing)} weights of the encoder, such as {missing[0]}; expected the weights "
            f"of a {class_name}",
            place=folder,
        )
    weights = {name: tensor for name, tensor in model.state_dict().items() if name not in FOR_TRAINING}
    check_finite(weights, folder, "download the speech encoder again")
    return model


@contextlib.contextmanager
def _importing(class_name: str) -> Iterator[None]:
    """Explain a failed import of a class of transformers; silence its log and progress bars."""
    try:
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        yield
    except (ImportError, OSError, RuntimeError) as error:  # OSError: a torchaudio that was built for another torch
        raise ExtractorError(
            f"{class_name} of transformers cannot be imported ({error})",
            advice="install transformers, and a torchaudio that belongs to the installed torch (constraints.txt names "
            "versions that fit together)",
        ) from error
