"""Importing fairseq leaves the logging of the program alone."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "imports",
    [
        "from preprocess.data_bin.writer import load_indexed_dataset; load_indexed_dataset()",
        "from fairseq_hmst.translate import Translator",
    ],
)
def test_the_root_logger_stays_as_it_was(imports: str):
    code = (
        "import logging; root = logging.getLogger(); own = logging.StreamHandler(); root.addHandler(own); "
        f"root.setLevel('ERROR'); {imports}; print(root.level, root.handlers == [own])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.split() == ["40", "True"], run.stderr
    assert "tensorboardX" not in run.stderr
