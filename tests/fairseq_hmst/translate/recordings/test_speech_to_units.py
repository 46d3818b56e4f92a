"""The speech encoder of a model folder: included, or only named."""

import re
import shutil
from pathlib import Path

import pytest
import soundfile
from cards import edit_card, measure
from prompt_models import (
    PROMPTS,
    make_prompt_data_bin,
    random_checkpoint,
    run_translate,
)

from fairseq_hmst.export import ExportOptions, export
from fairseq_hmst.model_folder.json_files import read_object, write_object
from fairseq_hmst.translate import ModelFolderError, TranslationError, Translator
from preprocess.files.units import read_units


@pytest.fixture(scope="module")
def hubert_data_bin(tmp_path_factory) -> Path:
    """Prompts whose units come from a tiny speech encoder of transformers, which lies beside as `tiny-hubert`."""
    import torch
    import transformers

    folder = tmp_path_factory.mktemp("hubert")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.HubertConfig(**sizes, conv_dim=(8,) * 7, num_conv_pos_embedding_groups=2)
    transformers.HubertModel(config).save_pretrained(folder / "tiny-hubert")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder / "tiny-hubert")
    kmeans = f"{{extractor: {folder / 'tiny-hubert'}, layer: 1, clusters: 16, portion: 1.0}}"
    return make_prompt_data_bin(folder / "data", kmeans=kmeans)


@pytest.fixture(scope="module")
def hubert_checkpoint(hubert_data_bin) -> Path:
    return random_checkpoint(hubert_data_bin.parent / "c.pt", hubert_data_bin)


def test_an_included_encoder_makes_the_units_of_the_training_without_its_folder(
    hubert_data_bin, hubert_checkpoint, tmp_path, monkeypatch
):
    expected = [units for _, units in read_units(hubert_data_bin.parent / "units" / "test.units")]
    encoder = hubert_data_bin.parents[2] / "tiny-hubert"
    export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "model", ExportOptions(include_encoder=""))
    assert "in `encoder/`" in (tmp_path / "model" / "README.md").read_text()
    assert not any(str(encoder).encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    encoder.rename(encoder.with_name("gone"))
    try:
        translator = Translator.from_pretrained(tmp_path / "model")
        found = translator.translate(PROMPTS)
        assert [list(translation.segments[0].units) for translation in found] == expected
        with pytest.raises(ValueError, match="it holds its speech encoder"):
            Translator.from_pretrained(tmp_path / "model", encoder="anything")
    finally:
        encoder.with_name("gone").rename(encoder)


def test_an_encoder_with_pickled_weights_is_included_without_the_pickle(hubert_data_bin, hubert_checkpoint, tmp_path):
    import torch
    from safetensors.torch import load_file

    expected = [units for _, units in read_units(hubert_data_bin.parent / "units" / "test.units")]
    encoder = hubert_data_bin.parents[2] / "tiny-hubert"
    pickled = Path(shutil.copytree(encoder, tmp_path / "pickled"))
    torch.save(load_file(pickled / "model.safetensors"), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    data_bin = Path(shutil.copytree(hubert_data_bin, tmp_path / "data-bin"))
    from preprocess.files.hashing import hash_file

    for card in (data_bin / "kmeans" / "card.json", data_bin / "card.json"):  # as if it had made the units
        text = card.read_text().replace(
            hash_file(encoder / "model.safetensors"), hash_file(pickled / "pytorch_model.bin")
        )
        card.write_text(text.replace(str(encoder), str(pickled)))
        edit_card(card, remeasure=True)
    export([[hubert_checkpoint]], data_bin, tmp_path / "model", ExportOptions(include_encoder=str(pickled)))
    files = {path.name for path in (tmp_path / "model" / "encoder").iterdir()}
    assert files == {"config.json", "preprocessor_config.json", "model.safetensors"}
    shutil.rmtree(pickled)
    found = Translator.from_pretrained(tmp_path / "model").translate(PROMPTS)
    assert [list(translation.segments[0].units) for translation in found] == expected


def test_an_encoder_that_is_only_named_must_be_given_and_be_the_same(
    hubert_data_bin, hubert_checkpoint, tmp_path, capsys
):
    encoder = hubert_data_bin.parents[2] / "tiny-hubert"
    export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "model")
    assert not any(str(encoder).encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    status, _, err = run_translate(capsys, tmp_path / "model", PROMPTS[0])
    assert status == 1
    assert "needs the speech encoder 'tiny-hubert'" in err
    assert "say where it lies by --encoder" in err
    translator = Translator.from_pretrained(tmp_path / "model")
    assert translator.model.speech.is_lacking
    with pytest.raises(TranslationError, match="say where it lies by the argument `encoder`"):
        translator.translate(PROMPTS[0])
    assert not Translator.from_pretrained(tmp_path / "model", encoder=str(encoder)).model.speech.is_lacking
    assert run_translate(capsys, tmp_path / "model", PROMPTS[0], "--encoder", encoder)[0] == 0
    other = Path(shutil.copytree(encoder, tmp_path / "other"))
    content = bytearray((other / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (other / "model.safetensors").write_bytes(content)
    status, _, err = run_translate(capsys, tmp_path / "model", PROMPTS[0], "--encoder", other)
    assert status == 1
    assert "is not the one of the k-means" in err
    with pytest.raises(TranslationError, match="is not the one of the k-means"):
        export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "no", ExportOptions(include_encoder=str(other)))
    assert (
        run_translate(capsys, tmp_path / "model", "--text", tmp_path / "none.txt")[0] == 1
    )  # no encoder is needed for that


def test_an_export_without_the_encoder_says_so_and_names_the_command_that_works(
    hubert_data_bin, hubert_checkpoint, tmp_path, capsys, monkeypatch
):
    from fairseq_hmst.export.command import main

    monkeypatch.chdir(tmp_path)
    command = ["--model", str(hubert_checkpoint), "--data", str(hubert_data_bin), "--out"]
    assert main([*command, "model"]) == 0
    line = "model: the speech encoder is not included: translate by `hmst translate model --encoder tiny-hubert FILE`"
    assert capsys.readouterr().out.startswith(line)
    readme = Path("model/README.md").read_text()
    (shown,) = re.findall(r"^hmst translate (.*)$", readme, re.MULTILINE)
    assert shown == "model --encoder tiny-hubert recording.wav"
    assert 'Translator.from_pretrained("model", encoder="tiny-hubert").translate("recording.wav").text' in readme
    Path("tiny-hubert").symlink_to(hubert_data_bin.parents[2] / "tiny-hubert")
    soundfile.write("recording.wav", *soundfile.read(PROMPTS[0]))
    assert run_translate(capsys, *shown.split())[0] == 0
    assert main([*command, "whole", "--include-encoder"]) == 0
    assert "not included" not in capsys.readouterr().out
    assert "hmst translate whole recording.wav\n" in Path("whole/README.md").read_text()


def test_an_encoder_of_the_hub_needs_no_option(hubert_data_bin, hubert_checkpoint, tmp_path, capsys):
    from fairseq_hmst.export.command import main

    data_bin = Path(shutil.copytree(hubert_data_bin, tmp_path / "data-bin"))
    card = data_bin / "kmeans" / "card.json"
    card.write_text(card.read_text().replace(str(hubert_data_bin.parents[2] / "tiny-hubert"), "some/hubert"))
    for path in (card, data_bin / "card.json"):
        edit_card(path, remeasure=True)
    command = ["--model", hubert_checkpoint, "--data", data_bin, "--out", tmp_path / "model"]
    assert main([str(part) for part in command]) == 0
    assert "is not included: it is taken from the hub, as some/hubert; --include-encoder" in capsys.readouterr().out
    assert "hmst translate model recording.wav\n" in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.parametrize("change", ["other weights beside", "code", "weights elsewhere"])
def test_an_included_encoder_runs_no_code_and_reads_no_other_file(hubert_data_bin, hubert_checkpoint, tmp_path, change):
    export([[hubert_checkpoint]], hubert_data_bin, tmp_path / "model", ExportOptions(include_encoder=""))
    encoder, card = tmp_path / "model" / "encoder", tmp_path / "model" / "card.json"
    if change == "weights elsewhere":
        write_object(encoder / "model.safetensors.index.json", {"weight_map": {"layer": "../../weights.safetensors"}})
        name = "encoder/model.safetensors.index.json"
        edit_card(card, hashes=read_object(card)["hashes"] | {name: measure(tmp_path / "model" / name)})
    elif change == "code":
        write_object(
            encoder / "config.json", read_object(encoder / "config.json") | {"auto_map": {"AutoConfig": "x.X"}}
        )
        edit_card(card, remeasure=True)
    else:
        (encoder / "adapter_config.json").write_text("{}")
    with pytest.raises(
        ModelFolderError,
        match=r"names code to be run|does not name it; remove it|names weights that card.json does not: \.\.",
    ):
        Translator.from_pretrained(tmp_path / "model")
