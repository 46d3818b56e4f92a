"""The command `hmst`: its table, helps without heavy imports, versions, completion."""

import subprocess
import sys

import pytest
from toy import REPOSITORY, run_command

from fairseq_hmst import __version__
from fairseq_hmst.command.hmst import main
from fairseq_hmst.command.subcommands import SUBCOMMANDS
from preprocess.stages import STAGES

HEAVY = {"torch", "fairseq", "transformers", "scipy", "sklearn", "matplotlib", "gradio", "soundfile", "torchaudio"}
HELP = """
import sys
from fairseq_hmst.command.hmst import main
try:
    status = main({arguments})
except SystemExit as end:
    status = end.code
print(status, *sorted({heavy} & set(sys.modules)), file=sys.stderr)
"""
STAGE_NAMES = [["preprocess", stage] for stage in STAGES] + [["preprocess", "manifest", "tsv"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([name, "--help"] for name in SUBCOMMANDS),
        *([*words, "--help"] for words in STAGE_NAMES),
    ],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: list[str]):
    code = HELP.format(arguments=arguments, heavy=HEAVY)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert run.stderr.split() == ["0"], run.stdout
    assert run.stdout.startswith("usage: hmst") or arguments == ["--version"]


@pytest.mark.parametrize("name", [[], *([name] for name in SUBCOMMANDS)], ids=" ".join)
def test_every_subcommand_has_a_version(name: list[str], capsys):
    try:
        assert main([*name, "--version"]) == 0
    except SystemExit as end:
        assert end.code == 0
    assert capsys.readouterr().out == f"hmst {__version__}\n"


def test_a_subcommand_that_is_not_there_is_refused_with_those_that_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["trian"])
    assert "invalid choice: 'trian' (choose from 'run', 'check', 'preprocess', 'train'" in capsys.readouterr().err


def test_without_a_subcommand_the_help_is_printed(capsys):
    with pytest.raises(SystemExit, match="0"):
        main([])
    printed = capsys.readouterr().out
    assert all(name in printed for name in SUBCOMMANDS)


def test_user_dir_is_the_package_from_any_folder(tmp_path):
    run = run_command("hmst", "user-dir", cwd=tmp_path)
    assert run.stdout == f"{REPOSITORY / 'fairseq_hmst'}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_subcommands_and_their_options(shell: str, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("text-start", "--include-encoder", "binarize", "covost2"))


def test_bash_takes_the_completion(tmp_path):
    script = tmp_path / "hmst.bash"
    script.write_text(run_command("hmst", "completion", "bash").stdout)
    code = f"source {script}; COMP_WORDS=(hmst tr); COMP_CWORD=1; _shtab_hmst; echo ${{COMPREPLY[@]}}"
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert run.stdout.split() == ["train", "translate"], run.stderr


def test_a_file_named_preprocess_in_the_way_is_named(tmp_path):
    (tmp_path / "preprocess.py").write_text("raise SystemExit('it was run')\n")
    run = subprocess.run([sys.executable, "-c", "import fairseq_hmst"], cwd=tmp_path, capture_output=True, text=True)
    assert f"ImportError: {tmp_path / 'preprocess.py'} has the name of the package `preprocess`" in run.stderr


def test_a_light_import_leaves_the_process_alone():
    code = """
import logging, random, sys, warnings

def state():
    root = logging.getLogger()
    return root.level, list(root.handlers), list(warnings.filters), random.getstate()

before = state()
import fairseq_hmst, preprocess
assert state() == before
print(*{"torch", "numpy", "fairseq"} & set(sys.modules))
import numpy, torch
before, of_numpy, of_torch = state(), str(numpy.random.get_state()), torch.get_rng_state()
from fairseq_hmst import Translator
assert state() == before and str(numpy.random.get_state()) == of_numpy and torch.get_rng_state().equal(of_torch)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr
