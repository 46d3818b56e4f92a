import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import preprocess
from preprocess import __main__ as command_line

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["torch", "fairseq", "transformers", "torchaudio", "sklearn", "fairseq_hmst"]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_importing_any_module_imports_no_heavy_library():
    names = [module.name for module in pkgutil.walk_packages(preprocess.__path__, "preprocess.")]
    assert len(names) > 15
    code = f"import importlib, sys; [importlib.import_module(name) for name in {names}]; print(*sys.modules)"
    assert set(HEAVY).isdisjoint(run(code).split())


def test_the_help_imports_no_stage_and_names_all():
    code = """
import contextlib, sys
from preprocess.__main__ import main
with contextlib.suppress(SystemExit):
    main(["--help"])
print(*sys.modules)
"""
    printed = run(code)
    assert all(f"\\n  {stage} " in printed.replace("\n", "\\n") for stage in command_line.STAGES)
    assert "preprocess.stages.kmeans" not in printed
    assert "numpy" not in printed.split()


def test_every_stage_has_arguments_and_run():
    for stage in command_line.STAGES.values():
        module = importlib.import_module(f"preprocess.stages.{stage.module}")
        assert callable(module.add_arguments)
        assert callable(module.run)


@pytest.mark.parametrize("stage", list(command_line.STAGES))
def test_every_stage_prints_its_help(stage: str, capsys):
    with pytest.raises(SystemExit) as exit_information:
        command_line.main([stage, "--help"])
    assert exit_information.value.code == 0
    assert f"usage: hmst preprocess {stage}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["kmeans"], ["kmeans", "--clusters", "many"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str], capsys):
    with pytest.raises(SystemExit) as exit_information:
        command_line.main(arguments)
    assert exit_information.value.code == 2
    assert "usage: hmst preprocess" in capsys.readouterr().err


def test_an_interruption_exits_with_130_and_no_traceback(monkeypatch, capsys):
    def interrupt(arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("preprocess.stages.kmeans.run", interrupt)
    assert command_line.main(["kmeans", "--manifest", "m", "--extractor", "mfcc", "--out", "o"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_module_runs_as_a_program():
    arguments = ["units", "--manifest", "none.tsv", "--kmeans", "none", "--out", "x.units"]
    process = subprocess.run(
        [sys.executable, "-m", "preprocess", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert process.stderr.startswith("error: none: is not a finished output of the stage 'kmeans'")
