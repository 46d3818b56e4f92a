"""Model folders as `hmst export` writes them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from prompt_models import RECORDINGS, random_checkpoint
from toy import make_toy_data_bin

from fairseq_hmst.average import average_checkpoints
from fairseq_hmst.data.data_bin import DataBinError
from fairseq_hmst.export import ExportOptions, export
from fairseq_hmst.export.command import main
from fairseq_hmst.export.example_copies import copy_examples
from fairseq_hmst.export.exported_model import without_paths
from fairseq_hmst.export.readme import write_readme
from fairseq_hmst.model_folder.card import ModelCard
from fairseq_hmst.model_folder.errors import ModelFolderError
from fairseq_hmst.model_folder.folder import ModelFolder, make_task
from fairseq_hmst.translate import TranslationError, Translator
from preprocess.errors import OutputError
from preprocess.files.cards.data_bin_card import KeptTextModel

PROMPT = RECORDINGS / "activated.ogg"


@pytest.fixture(scope="module")
def checkpoints(prompt_data_bin, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return [random_checkpoint(folder / f"{seed}.pt", prompt_data_bin, seed=seed) for seed in range(3)]


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def front_matter(readme: str) -> dict:
    return yaml.safe_load(readme.split("---")[1])


def weights_of(folder: Path) -> list[dict[str, torch.Tensor]]:
    return [model.state_dict() for model in ModelFolder.open(folder).load_models("cpu")]


def test_the_folder_holds_what_the_contract_names_and_no_stream(model_folder):
    subwords = [f"data/subwords/{name}.model" for name in ("source", "target", "unit")]
    data = ["data/card.json", "data/dict.src.txt", "data/dict.tgt.txt", "data/kmeans/card.json"]
    data += ["data/kmeans/centroids.npz", *subwords]
    assert files_of(model_folder) == ["README.md", "card.json", "config.json", *data, "model.safetensors"]
    assert all(path.stat().st_mode & 0o044 for path in model_folder.rglob("*"))  # others may read them


def test_no_file_is_a_pickle_or_names_a_path_of_this_machine(model_folder):
    for path in model_folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not content.startswith(b"\x80")  # every pickle of protocol 2 or later
            assert not (path.suffix != ".npz" and content.startswith(b"PK"))  # torch's files
            assert str(RECORDINGS.parent).encode() not in content
            assert str(model_folder.parent).encode() not in content


def test_absolute_paths_become_names_wherever_they_stand():
    value = {"/a/b": [{"source": "/models/wavlm-large"}, "relative/path", 3, None], "text": "and/or /x"}
    expected = {"b": [{"source": "wavlm-large"}, "relative/path", 3, None], "text": "and/or /x"}
    assert without_paths(value) == expected


def test_weights_are_those_of_the_checkpoint_to_the_bit(checkpoints, prompt_data_bin, tmp_path):
    export([[checkpoints[0]]], prompt_data_bin, tmp_path / "model")
    expected = torch.load(checkpoints[0], weights_only=True)["model"]
    (found,) = weights_of(tmp_path / "model")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_shared_embeddings_are_stored_once_and_shared_again(prompt_data_bin, tmp_path):
    checkpoint = random_checkpoint(tmp_path / "aed.pt", prompt_data_bin, "hmst_aed")
    # as in a trained model: the output layer of the decoder is its embedding
    content = torch.load(checkpoint, weights_only=True)
    content["model"]["decoder.output_projection.weight"] = content["model"]["decoder.embed_tokens.weight"]
    torch.save(content, checkpoint)
    export([[checkpoint]], prompt_data_bin, tmp_path / "model")
    stored = (tmp_path / "model" / "model.safetensors").read_bytes()
    assert stored.count(b'"decoder.embed_tokens.weight":{"dtype"') + stored.count(b'_projection.weight":{"dtype"') == 1
    (model,) = ModelFolder.open(tmp_path / "model").load_models("cpu")
    assert model.decoder.output_projection.weight is model.decoder.embed_tokens.weight
    assert torch.equal(model.decoder.embed_tokens.weight, content["model"]["decoder.embed_tokens.weight"])


def test_all_options_of_the_model_are_kept_but_what_training_started_from(checkpoints, prompt_data_bin, tmp_path):
    content = torch.load(random_checkpoint(tmp_path / "aed.pt", prompt_data_bin, "hmst_aed"), weights_only=True)
    content["cfg"]["model"] |= {"init_from": "/home/somebody/mbart.pt", "finetune": "lna", "arch": "hmst_aed_tiny"}
    torch.save(content, tmp_path / "aed.pt")
    export([[tmp_path / "aed.pt"]], prompt_data_bin, tmp_path / "model")
    (entry,) = ModelFolder.open(tmp_path / "model").config.models
    options = entry.options
    assert (options["_name"], options["embed_dim"], options["max_source_positions"]) == ("hmst_aed", 32, 4096)
    assert not {"init_from", "finetune", "arch"} & options.keys()
    assert weights_of(tmp_path / "model")


def test_several_checkpoints_are_averaged_as_by_the_command_average(checkpoints, prompt_data_bin, tmp_path):
    command = ["--model", *checkpoints, "--average", "--data", prompt_data_bin, "--out", tmp_path / "model"]
    assert main([str(part) for part in command]) == 0
    expected = average_checkpoints([str(path) for path in checkpoints])["model"]
    (found,) = weights_of(tmp_path / "model")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert "the average of 3 checkpoints" in (tmp_path / "model" / "README.md").read_text()


def test_moving_averages_take_the_place_of_the_weights_where_they_are_asked_for(prompt_data_bin, tmp_path, capsys):
    content = torch.load(random_checkpoint(tmp_path / "plain.pt", prompt_data_bin), weights_only=True)
    averages = {name: tensor + 1 if tensor.is_floating_point() else tensor for name, tensor in content["model"].items()}
    content["extra_state"]["ema"] = averages
    content["cfg"]["ema"] = {"store_ema": True}
    torch.save(content, tmp_path / "averaged.pt")

    def exported(name: str, *options: str) -> int:
        command = ["--model", tmp_path / f"{name}.pt", "--data", prompt_data_bin, "--out", tmp_path / "model", *options]
        return main([str(part) for part in command])

    for options, expected in ((("--ema",), averages), ((), content["model"])):
        assert exported("averaged", *options) == 0
        (found,) = weights_of(tmp_path / "model")
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert exported("plain", "--ema") == 1
    assert "plain.pt: has no moving averages of weights" in capsys.readouterr().err


def test_an_ensemble_keeps_its_models_apart(checkpoints, prompt_data_bin, tmp_path):
    command = ["--model", *checkpoints[:2], "--ensemble", "--data", prompt_data_bin, "--out", tmp_path / "model"]
    assert main([str(part) for part in command]) == 0
    assert {"model-1.safetensors", "model-2.safetensors"} < set(files_of(tmp_path / "model"))
    for found, checkpoint in zip(weights_of(tmp_path / "model"), checkpoints, strict=False):
        expected = torch.load(checkpoint, weights_only=True)["model"]
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert "in an ensemble of 2 models" in (tmp_path / "model" / "README.md").read_text()


def test_families_that_share_a_decoding_may_be_an_ensemble(checkpoints, prompt_data_bin, tmp_path):
    other = random_checkpoint(tmp_path / "joint.pt", prompt_data_bin, "hmst_ctc_attention")
    export([[checkpoints[0]], [other]], prompt_data_bin, tmp_path / "model")
    folder = ModelFolder.open(tmp_path / "model")
    assert folder.card.decodings == ("ctc",)
    assert Translator.from_pretrained(tmp_path / "model").translate([PROMPT])[0].segments


def test_the_readme_has_front_matter_for_the_hub_use_and_limitations(model_folder):
    readme = (model_folder / "README.md").read_text(encoding="utf-8")
    front = front_matter(readme)
    assert front["language"] == ["en", "fr"]
    assert front["pipeline_tag"] == "automatic-speech-recognition"
    assert "speech-translation" in front["tags"]
    assert "license" not in front
    for part in ("hmst translate model recording.wav", "## Limitations", "mfcc|L0|k16|dedup", "None were given"):
        assert part in readme
    code = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    compile(code, "README.md", "exec")


def test_scores_stand_in_card_and_readme_with_their_signatures(checkpoints, prompt_data_bin, tmp_path):
    row = {"system": "/some/where/st.txt", "language": "all", "sentences": 10, "bleu": 12.34, "chrf": 34.5, "bp": 0.9}
    row |= {"bleu_signature": "nrefs:1|case:mixed", "chrf_signature": "nrefs:1|nc:6"}
    report = tmp_path / "scores.json"
    report.write_text(json.dumps({"references": "/some/where/ref.txt", "scores": [row]}), encoding="utf-8")
    command = ["--model", checkpoints[0], "--data", prompt_data_bin, "--out", tmp_path / "m", "--scores", report]
    assert main([str(part) for part in command]) == 0
    readme = (tmp_path / "m" / "README.md").read_text(encoding="utf-8")
    assert "| st.txt | all | 10 | 12.3 | 34.5 | 0.900 |" in readme
    assert "`nrefs:1|case:mixed`" in readme
    card = ModelFolder.open(tmp_path / "m").card
    assert card.scores == {"references": "ref.txt", "scores": [row | {"system": "st.txt"}]}


def test_defaults_of_decoding_are_kept_and_can_be_overridden(prompt_data_bin, tmp_path):
    checkpoint = random_checkpoint(tmp_path / "joint.pt", prompt_data_bin, "hmst_ctc_attention")
    generation = {"decoding": "joint", "beam": 2, "lenpen": 0.5, "ctc_decode_weight": 0.7}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in generation.items()]
    command = ["--model", checkpoint, "--data", prompt_data_bin, "--out", tmp_path / "model", *options]
    assert main([str(part) for part in command]) == 0
    default = Translator.from_pretrained(tmp_path / "model", nbest=2)
    plain = tmp_path / "plain"
    export([[checkpoint]], prompt_data_bin, plain)
    same = Translator.from_pretrained(plain, nbest=2, **generation)
    assert default.translate([PROMPT]) == same.translate([PROMPT])
    assert default.decoding == "joint"
    # the folder's weight of CTC is not for another decoding
    assert default.with_options(decoding="attention").decoding == "attention"


def test_what_cannot_be_exported_is_refused_and_leaves_nothing(checkpoints, prompt_data_bin, tmp_path, capsys):
    other_data = make_toy_data_bin(tmp_path / "toy")
    broken, foreign = tmp_path / "broken.pt", tmp_path / "foreign.pt"
    broken.write_bytes(checkpoints[0].read_bytes()[:1000])
    content = torch.load(checkpoints[0], weights_only=True)
    torch.save(content | {"cfg": {"model": {"_name": "transformer"}}}, foreign)
    aed = random_checkpoint(tmp_path / "aed.pt", prompt_data_bin, "hmst_aed")
    before = set(tmp_path.iterdir())
    one = ["--model", checkpoints[0]]
    for command, data, message in (
        (["--model", tmp_path / "none.pt"], prompt_data_bin, "none.pt: cannot be read: No such file or directory"),
        (["--model", broken], prompt_data_bin, "broken.pt: cannot be read as a checkpoint"),
        (["--model", foreign], prompt_data_bin, "expected a model of this package, found fairseq's 'transformer'"),
        (
            ["--model", checkpoints[0], aed, "--average"],
            prompt_data_bin,
            "different models: --arch hmst_aed and hmst_ctc",
        ),
        (one, other_data, "the checkpoint belongs to another data-bin"),
        (one, tmp_path, "is not a finished output of the stage 'binarize'"),
        (one, f"{prompt_data_bin}:{prompt_data_bin}", "separates data-bins; name one"),
        ([*one, "--decoding", "joint"], prompt_data_bin, "--decoding joint: the model has no head for it"),
        ([*one, "--beam", "0"], prompt_data_bin, "--beam must be at least 1, got 0"),
        ([*one, "--include-encoder"], prompt_data_bin, "there is no speech encoder to include"),
        ([*one, "--scores", tmp_path / "none.json"], prompt_data_bin, "none.json"),
    ):
        assert main([str(part) for part in (*command, "--data", data, "--out", tmp_path / "model")]) == 1
        assert message in capsys.readouterr().err
        assert set(tmp_path.iterdir()) == before


def test_examples_are_copied_and_sealed(checkpoints, prompt_data_bin, tmp_path):
    examples = [RECORDINGS / "vm-intro.ogg", PROMPT]
    command = ["--model", checkpoints[0], "--data", prompt_data_bin, "--out", tmp_path / "model"]
    assert main([str(part) for part in (*command, "--examples", *examples)]) == 0
    folder = ModelFolder.open(tmp_path / "model")
    assert folder.examples == [tmp_path / "model" / "examples" / name for name in ("activated.ogg", "vm-intro.ogg")]
    assert folder.examples[0].read_bytes() == PROMPT.read_bytes()
    folder.examples[0].write_bytes(b"other")
    with pytest.raises(ModelFolderError, match="examples/activated.ogg"):
        ModelFolder.open(tmp_path / "model")


def test_what_is_no_example_is_refused(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "other").mkdir()
    shutil.copy(PROMPT, tmp_path / "other")
    (tmp_path / "letter.wav").write_text("no sound")
    for examples, message in (
        ([tmp_path / "letter.wav"], "letter.wav: an example that cannot be read as sound"),
        ([tmp_path / "letter.txt"], "letter.txt: an example must be one of .flac, .mp3, .ogg, .opus, .wav"),
        ([PROMPT, tmp_path / "other" / PROMPT.name], "activated.ogg: two examples have this name; rename one"),
    ):
        with pytest.raises(ModelFolderError, match=re.escape(message)):
            copy_examples(examples, tmp_path / "model")


def test_only_a_model_that_was_exported_is_replaced(checkpoints, prompt_data_bin, tmp_path):
    for checkpoint in checkpoints[:2]:
        export([[checkpoint]], prompt_data_bin, tmp_path / "model")
        expected = torch.load(checkpoint, weights_only=True)["model"]
        assert all(torch.equal(tensor, expected[name]) for name, tensor in weights_of(tmp_path / "model")[0].items())
    (tmp_path / "model/card.json").write_text("{}")
    with pytest.raises(OutputError, match="model: exists and is not an output of hmst export: "):
        export([[checkpoints[0]]], prompt_data_bin, tmp_path / "model")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.pt", "b.pt"], "several checkpoints: say --average or --ensemble"),
        (["a.pt", "--ensemble"], "--ensemble has no effect on one checkpoint"),
        (["a.pt", "b.pt", "--average", "--ensemble"], "not allowed with argument"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(options, message, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--model", *options, "--data", "d", "--out", str(tmp_path / "m")])
    assert message in capsys.readouterr().err


def test_a_data_bin_without_kmeans_gives_a_model_of_text_alone(toy_data_bin, tmp_path):
    export([[random_checkpoint(tmp_path / "c.pt", toy_data_bin)]], toy_data_bin, tmp_path / "model")
    translator = Translator.from_pretrained(tmp_path / "model")
    assert translator.translate_text(["red cat"])[0].segments
    assert translator.model.speech.is_lacking
    with pytest.raises(TranslationError, match="exported without k-means: it translates text alone"):
        translator.translate([PROMPT])
    with pytest.raises(ModelFolderError, match="has no k-means, so there is no speech encoder"):
        export([[tmp_path / "c.pt"]], toy_data_bin, tmp_path / "other", ExportOptions(include_encoder=""))


def test_a_changed_data_bin_is_refused(checkpoints, prompt_data_bin, tmp_path):
    copy = tmp_path / "data-bin"
    shutil.copytree(prompt_data_bin, copy)
    with (copy / "dict.tgt.txt").open("a") as file:
        file.write("more 1\n")
    with pytest.raises(DataBinError, match="has changed since"):
        export([[checkpoints[0]]], copy, tmp_path / "model")
    assert make_task(prompt_data_bin)  # the original still is whole


@pytest.mark.parametrize(("license", "is_forbidden"), [("cc-by-nc-4.0", True), ("mit", False), (None, False)])
def test_the_readme_says_what_the_licence_of_the_text_model_forbids(model_folder, tmp_path, license, is_forbidden):
    kept = {"kept_pieces": 5, "pieces": 9, "coverage": 1.0, "license": license}
    text_model = KeptTextModel(convention="nllb-200", name="nllb", hash="0" * 64, **kept)
    card = replace(ModelCard.read(model_folder), text_model=text_model)
    write_readme(tmp_path / "README.md", "model", card)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert f"- text model: nllb (nllb-200), licence: {license or 'its README names none'}" in readme
    assert ("forbids commercial use, also of this model" in readme) == is_forbidden
    assert front_matter(readme).get("license") == (license if is_forbidden else None)
