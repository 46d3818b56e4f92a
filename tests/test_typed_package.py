"""Type checkers find both packages where they are installed, an editable installation included."""

import subprocess
import sys
from pathlib import Path


def test_mypy_sees_the_types_of_both_packages(tmp_path: Path):
    code = "from fairseq_hmst import __version__\nfrom preprocess.errors import UserError\n"
    (tmp_path / "mine.py").write_text(f"{code}reveal_type(__version__)\nreveal_type(UserError('x').advice)\n")
    command = [sys.executable, "-m", "mypy", "--follow-imports", "silent", "mine.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.count('Revealed type is "str"') == 2 or run.stdout.count('"builtins.str"') == 2, run.stdout
    assert "error" not in run.stdout
