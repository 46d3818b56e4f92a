"""Output layers that differ from the embeddings, biases of the output, and NaN: refused in every form of a model."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from text_model_cases import read_reference, text_model_case

from fairseq_hmst.models.pretrained import PretrainedModelError
from fairseq_hmst.text_start import read_text_model
from preprocess.errors import NotFiniteError, UserError

SHARED = ("model.shared.weight", "lm_head.weight", "model.encoder.embed_tokens.weight")
SHARED = (*SHARED, "model.decoder.embed_tokens.weight")
FORMS = ("safetensors", "sharded safetensors", "bin", "sharded bin")


@pytest.fixture(scope="module")
def case():
    return text_model_case("mbart-50", keep_all_pieces=False, targets=("fr",))


@pytest.fixture(scope="module")
def weights(case) -> dict[str, torch.Tensor]:
    """All weights by the names that older versions of transformers write, the embedding under each of its own."""
    state = dict(read_reference(case.folder).state_dict())
    state |= dict.fromkeys(SHARED, state["model.shared.weight"])
    return {name: tensor.clone() for name, tensor in state.items()}


def write(folder: Path, weights: dict[str, torch.Tensor], form: str) -> None:
    """Write weights in one or two files."""
    (folder / "model.safetensors").unlink()
    suffix = "safetensors" if "safetensors" in form else "bin"
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    names = sorted(weights)
    parts = [names[::2], names[1::2]] if "sharded" in form else [names]
    files = {f"{stem}.{suffix}": parts[0]}
    if len(parts) > 1:
        files = {f"{stem}-{number:05}-of-00002.{suffix}": part for number, part in enumerate(parts, start=1)}
        index = {"metadata": {}, "weight_map": {name: file for file, part in files.items() for name in part}}
        (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index))
    for file, part in files.items():
        tensors = {name: weights[name].contiguous() for name in part}
        if suffix == "bin":
            torch.save(tensors, folder / file)
        else:
            save_file(tensors, folder / file, {"format": "pt"})


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_refused_where_the_output_is_another(case, weights, form, tmp_path):
    faults: list[tuple[str, torch.Tensor, type[UserError], str]] = [
        (name, weights[name] + 0.1, PretrainedModelError, "expected one embedding for encoder, decoder and output")
        for name in SHARED
    ]
    wrong_row = weights["lm_head.weight"].clone()
    wrong_row[7, 0] += 1e-3
    bias = weights["final_logits_bias"].clone()
    bias[0, 3] = -1e-3
    nan = weights["model.decoder.layers.0.fc1.bias"].clone()
    nan[2] = torch.nan
    lost_embedding = wrong_row * torch.inf
    faults += [
        ("lm_head.weight", wrong_row, PretrainedModelError, "expected one embedding .* but lm_head.weight is another"),
        ("final_logits_bias", bias, PretrainedModelError, "final_logits_bias is not zero"),
        ("lm_head.bias", torch.ones(len(wrong_row)), PretrainedModelError, "lm_head.bias: expected an output layer"),
        ("model.decoder.layers.0.fc1.bias", nan, NotFiniteError, "decoder.layers.0.fc1.bias holds NaN or infinite"),
        ("model.shared.weight", lost_embedding, NotFiniteError, "shared.weight holds NaN or infinite values in row 0"),
    ]
    for number, (name, tensor, error, message) in enumerate([*faults, (None, None, None, None)]):
        folder = Path(shutil.copytree(case.folder, tmp_path / str(number)))
        write(folder, weights if name is None else weights | {name: tensor}, form)
        if name is None:
            assert read_text_model(str(folder), case.task.data_bin, trust_pickle=False).num_parameters > 0
            continue
        with pytest.raises(error, match=message) as caught:
            read_text_model(str(folder), case.task.data_bin, trust_pickle=False)
        assert caught.value.places == (str(folder),)


def test_untied_in_the_configuration_too(case, weights, tmp_path):
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text()) | {"tie_word_embeddings": False}
    (folder / "config.json").write_text(json.dumps(config))
    write(folder, weights | {"lm_head.weight": weights["lm_head.weight"] + 1}, "safetensors")
    with pytest.raises(PretrainedModelError, match="but lm_head.weight is another"):
        read_text_model(str(folder), case.task.data_bin, trust_pickle=False)
