"""COMET by another interpreter, with a stub in the place of unbabel-comet."""

import sys
from pathlib import Path

import pytest

from fairseq_hmst.score.comet import comet_scores
from fairseq_hmst.score.command import main
from fairseq_hmst.score.texts import ScoreError

# a score is 1 where hypothesis and reference are equal, and a hundredth of the source's length more
STUB = """
print("noise on the standard output")
from types import SimpleNamespace
def download_model(name):
    return f"downloaded {name}"
def load_from_checkpoint(path):
    if "broken" in path:
        raise KeyError("no such model")
    def predict(samples, gpus):
        scores = [float(s["mt"] == s["ref"]) + len(s["src"]) / 100 for s in samples]
        return SimpleNamespace(scores=scores if path == "downloaded tiny" else [-1.0] * len(samples))
    return SimpleNamespace(predict=predict)
"""


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """An environment that has unbabel-comet: its interpreter."""
    (tmp_path / "comet").mkdir()
    (tmp_path / "comet" / "__init__.py").write_text(STUB)
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    (tmp_path / "torch" / "cuda.py").write_text("device_count = lambda: 0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return sys.executable


def test_each_sentence_of_each_system_is_scored_with_its_source_and_reference(stub):
    systems = {"one": ["a", "b"], "two": ["a", "x"]}
    found = comet_scores(stub, "tiny", ["abc", "abcdef"], systems, ["a", "b"])
    assert found == {"one": [1.03, 1.06], "two": [1.03, 0.06]}


def test_a_checkpoint_file_is_not_looked_for_on_the_hub(stub, tmp_path):
    (tmp_path / "model.ckpt").touch()
    assert comet_scores(stub, str(tmp_path / "model.ckpt"), ["s"], {"one": ["a"]}, ["a"]) == {"one": [-1.0]}


def test_the_table_has_a_mean_for_each_language(stub, tmp_path, capsys):
    files = {"ref": "a\nb\nc", "hyp": "a\nb\nx", "src": "abcd\n\nabcdefgh", "lang": "de\nes\nde"}
    paths = {name: tmp_path / name for name in files}
    for name, text in files.items():
        paths[name].write_text(text + "\n")
    command = ["--reference", paths["ref"], "--languages", paths["lang"], "--hypothesis", paths["hyp"]]
    command += ["--comet-python", stub, "--comet-model", "tiny", "--source", paths["src"]]
    assert main([str(part) for part in command]) == 0
    output = capsys.readouterr().out
    assert [line.split()[-1] for line in output.splitlines()[:4]] == ["COMET", "0.7067", "0.5600", "1.0000"]
    assert "COMET: tiny" in output
    assert "noise" not in output
    paths["src"].write_text("a\n")
    assert main([str(part) for part in command]) == 1
    assert "src: 1 lines, but there are 3 references" in capsys.readouterr().err


def test_an_environment_without_comet_is_refused_with_what_to_install():
    with pytest.raises(
        ScoreError, match="unbabel-comet cannot be imported .* install it there by .* -m pip install unb"
    ):
        comet_scores(sys.executable, "tiny", ["s"], {"one": ["a"]}, ["a"])


def test_an_interpreter_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScoreError, match="--comet-python .*/none cannot be run: No such file"):
        comet_scores(str(tmp_path / "none"), "tiny", ["s"], {"one": ["a"]}, ["a"])


def test_a_failure_inside_comet_is_reported(stub, capfd):
    with pytest.raises(ScoreError, match="failed with exit status 1; see what it printed above"):
        comet_scores(stub, "broken", ["s"], {"one": ["a"]}, ["a"])
    assert "no such model" in capfd.readouterr().err


def test_the_worker_imports_nothing_but_the_standard_library_and_comets_environment():
    worker = (Path(__file__).parents[3] / "fairseq_hmst" / "score" / "comet_worker.py").read_text()
    imported = {line.split()[1] for line in worker.splitlines() if line.strip().startswith(("import ", "from "))}
    assert imported == {"__future__", "json", "sys", "pathlib", "torch.cuda", "comet"}
