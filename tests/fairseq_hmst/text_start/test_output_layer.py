"""Embeddings and output layers that differ, in every form of a model: taken where config.json says that they do.

Else they are refused, as are biases of the output and NaN.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from text_model_cases import read_reference, text_model_case

from fairseq_hmst.models.pretrained import DECODER_EMBEDDING, OUTPUT_EMBEDDING, PretrainedModelError
from fairseq_hmst.text_start import read_text_model
from preprocess.errors import NotFiniteError, UserError

ENCODER, DECODER, OUTPUT = "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"
SHARED = ("model.shared.weight", OUTPUT, ENCODER, DECODER)
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


def untie(folder: Path, **config: object) -> None:
    """Let config.json say that embeddings are several."""
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    content |= {"tie_word_embeddings": False} | config
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")


def read(folder: Path, case):
    return read_text_model(str(folder), case.task.data_bin, trust_pickle=False)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_taken_where_the_configuration_says_that_embeddings_are_several(case, weights, form, tmp_path):
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    untie(folder)
    several = {name: torch.randn(weights[name].shape) for name in SHARED}
    write(folder, weights | several, form)
    model, reference = read(folder, case), read_reference(folder)
    assert torch.equal(model.embedding, reference.model.encoder.embed_tokens.weight)
    assert torch.equal(model.state[DECODER_EMBEDDING], reference.model.decoder.embed_tokens.weight)
    assert torch.equal(model.state[OUTPUT_EMBEDDING], reference.lm_head.weight)
    assert torch.equal(model.embedding, several[ENCODER])  # shared.weight is read by none of the three
    assert model.architecture.unshared_embeddings == "all"
    before = read(case.folder, case)
    assert model.num_parameters == before.num_parameters + 2 * before.embedding.numel()


@pytest.mark.parametrize(
    ("numbers", "unshared"),
    [((1, 1, 1), None), ((1, 1, 2), "output"), ((1, 2, 2), "decoder"), ((1, 2, 1), "all"), ((1, 2, 3), "all")],
)
def test_embeddings_of_the_same_values_are_one(case, weights, numbers, unshared, tmp_path):
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    untie(folder)
    tables = {name: weights[name] + number for name, number in zip((ENCODER, DECODER, OUTPUT), numbers, strict=True)}
    write(folder, weights | tables, "safetensors")
    model = read(folder, case)
    assert model.architecture.unshared_embeddings == unshared
    decoder = model.state.get(DECODER_EMBEDDING, model.embedding)
    output = model.state.get(OUTPUT_EMBEDDING, decoder)
    for found, expected in zip((model.embedding, decoder, output), tables.values(), strict=True):
        assert torch.equal(found, expected)


def test_untied_files_of_transformers_4_have_one_embedding_for_encoder_and_decoder(case, weights, tmp_path):
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    untie(folder)
    weights = weights | {OUTPUT: weights[OUTPUT] + 1}
    old = {name: tensor for name, tensor in weights.items() if name not in (ENCODER, DECODER)}
    write(folder, old, "safetensors")
    model = read(folder, case)
    assert model.architecture.unshared_embeddings == "output"
    assert torch.equal(model.embedding, weights["model.shared.weight"])
    assert torch.equal(model.state[OUTPUT_EMBEDDING], weights[OUTPUT])
    new = {name: tensor for name, tensor in weights.items() if name != "model.shared.weight"}
    write(folder, new, "safetensors")  # the embedding that nothing reads is missing
    assert torch.equal(read(folder, case).embedding, weights[ENCODER])
    for missing in (OUTPUT, ENCODER, DECODER):
        write(folder, {name: tensor for name, tensor in weights.items() if name != missing}, "safetensors")
        with pytest.raises(PretrainedModelError, match=f"1 weights are missing, such as {missing}"):
            read(folder, case)


def test_opus_mt_with_two_embeddings_has_no_third(tmp_path):
    case = text_model_case("opus-mt", untied="decoder")
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    assert OUTPUT not in weights
    assert read(folder, case).architecture.unshared_embeddings == "decoder"
    write(folder, weights | {OUTPUT: weights[DECODER] + 1}, "safetensors")
    with pytest.raises(PretrainedModelError, match="one embedding for decoder and output, but lm_head.weight is anoth"):
        read(folder, case)
    untie(folder)
    assert read(folder, case).architecture.unshared_embeddings == "all"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("target_vocab.json", "there is target_vocab.json"),
        ("tokenizer_config.json", "tokenizer_config.json has separate_vocabs"),
        ("config.json", r"vocab_size is \d+, decoder_vocab_size 99"),
    ],
)
def test_opus_mt_with_two_vocabularies_is_refused(change, reason, tmp_path):
    case = text_model_case("opus-mt", untied="decoder")
    folder = Path(shutil.copytree(case.folder, tmp_path / "model"))
    path = folder / change
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(content | {"separate_vocabs": True, "decoder_vocab_size": 99}), encoding="utf-8")
    with pytest.raises(PretrainedModelError, match=rf"one for translations \({reason}\); expected one for both"):
        read(folder, case)
