"""Importing fairseq leaves the program as it was."""

import logging
import subprocess
import sys
import warnings

import pytest

from preprocess.files.program.fairseq_import import process_unchanged


@pytest.mark.parametrize(
    "imports",
    [
        "from preprocess.data_bin.writer import load_indexed_dataset; load_indexed_dataset()",
        "from fairseq_hmst.translate import Translator",
    ],
)
def test_the_root_logger_stays_as_it_was(imports: str):
    # without a handler at first: only then does logging.basicConfig of fairseq do anything
    code = f"import logging; root = logging.getLogger(); {imports}; print(root.level, root.handlers)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.split() == [str(logging.WARNING), "[]"], run.stderr
    assert "tensorboardX" not in run.stderr


def test_what_is_compiled_anew_is_not_warned_of():
    line = 'label = 1 if "" is not "" else 2'
    with pytest.warns(SyntaxWarning):
        compile(line, "here", "exec")
    with warnings.catch_warnings(record=True) as told, process_unchanged():
        compile(line, "here", "exec")
    assert told == []
