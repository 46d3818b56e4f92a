"""Who may import whom, one row a folder, read from the sources with `ast`: no import is run.

An import inside a function counts; one below `if TYPE_CHECKING:` does not. A new file needs no edit here, a new folder
needs a row.
"""

import ast
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("preprocess", "fairseq_hmst")

# "A": all of the folder or module A of the same package, as its files are those of a row without a row of its own.
PREPROCESS = {
    "errors": ("standard_streams", "files.reading.obstacle"),
    "standard_streams": (),
    "files": (),
    "speech": ("files",),
    "vocabulary": ("files",),
    "external_text": ("files",),
    "recipe": ("files",),
    "corpora": ("files", "speech.audio"),
    "clustering": ("files", "speech"),
    "data_bin": ("files", "vocabulary"),
    "report": ("files", "vocabulary", "data_bin"),
    # No stage imports another: `run` finds them by the names in stages/__init__.py.
    "stages": (
        *("files", "speech", "vocabulary", "external_text", "recipe", "corpora", "clustering", "data_bin", "report"),
        "stages.__init__",
    ),
    "__main__": ("stages",),
    "__init__": (),
}
FAIRSEQ_HMST = {
    **dict.fromkeys(("losses", "modules", "version", "cpu_processes", "outdated_calls", "lazy", "installation"), ()),
    "bleu": ("preprocess.files",),
    "compat": ("preprocess.files",),
    "checkpoints": ("compat", "training.training_events", "preprocess.files"),
    "training": ("compat", "data", "preprocess.files"),
    "average": ("plugin", "checkpoints", "preprocess.files"),
    "data": ("compat", "preprocess.files"),
    "models": ("modules", "data", "checkpoints", "compat", "training.scaled_updates", "preprocess.files"),
    "criterions": ("losses", "compat", "preprocess.files"),
    "generators": ("preprocess.files",),  # modules and models only by their methods
    "alignment": ("losses",),
    "tasks": (
        *("bleu", "data", "checkpoints", "generators", "alignment", "training.training_events", "plugin"),
        *("training.scaled_updates", "preprocess.files"),
    ),
    "text_start": ("data", "models", "compat", "lazy", "preprocess.files"),
    "model_folder": ("data", "tasks", "generators.decodings", "preprocess.files"),
    "score": ("bleu", "preprocess.files"),
    "translate": ("lazy", "model_folder", "tasks", "generators", "data", "preprocess"),
    "live": ("lazy", "translate", "tasks", "generators", "data", "alignment", "preprocess"),
    "export": ("lazy", "translate", "model_folder", "models", "data", "tasks", "average", "preprocess.files"),
    "demo": ("translate", "live", "model_folder", "generators.decodings", "alignment", "preprocess.files"),
    "command": (
        *("export", "score", "average", "checkpoints", "model_folder", "compat", "preprocess"),
        *("plugin", "cpu_processes", "training.training_events", "outdated_calls", "generators.followed"),
    ),
    "plugin": ("compat", "cpu_processes", "outdated_calls", "checkpoints", "criterions", "models", "tasks", "training"),
    "__init__": ("installation", "lazy"),
    "__main__": ("command",),
}
ARROWS = {"preprocess": PREPROCESS, "fairseq_hmst": FAIRSEQ_HMST}
FOR_ALL = {"preprocess.errors", "fairseq_hmst.version"}  # but for what is below them
WITHIN = {"stages"}  # folders whose files do not import each other


@dataclass(frozen=True)
class Import:
    """One import of one of our packages, by full dotted names of files; a package's own file is NAME.__init__."""

    importer: str
    imported: str
    is_relative: bool


def read_imports(root: Path, package: str) -> Iterator[Import]:
    """Imports of our packages in all modules of a package, also those inside functions."""
    for path in sorted((root / package).rglob("*.py")):
        importer = path.relative_to(root).with_suffix("").parts
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ignored = {id(node) for branch in type_checking_branches(tree) for node in ast.walk(branch)}
        for node in ast.walk(tree):
            if id(node) in ignored:
                continue
            if isinstance(node, ast.Import):
                names, is_relative = [alias.name.split(".") for alias in node.names], False
            elif isinstance(node, ast.ImportFrom):
                base = [*importer[: len(importer) - node.level]] if node.level else []
                base += node.module.split(".") if node.module else []
                names, is_relative = [[*base, alias.name] for alias in node.names], node.level > 0
            else:
                continue
            for name in names:
                if name[0] in PACKAGES:
                    yield Import(".".join(importer), file_of(root, name), is_relative)


def type_checking_branches(tree: ast.Module) -> Iterator[ast.If]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield node


def file_of(root: Path, name: Sequence[str]) -> str:
    """The file that a dotted name leads to: a module, a package, or one of these with a definition behind it."""
    for length in range(len(name), 0, -1):
        path = root.joinpath(*name[:length])
        if path.with_suffix(".py").is_file():
            return ".".join(name[:length])
        if path.is_dir():
            return ".".join([*name[:length], "__init__"])
    return ".".join(name)


def row_of(name: str) -> tuple[str, str]:
    """Package and row of a file: `preprocess.files.cards.card` stands in the row `files`."""
    package, _, rest = name.partition(".")
    return package, rest.split(".")[0]


def is_allowed(found: Import) -> bool:
    (package, row), (target_package, target_row) = row_of(found.importer), row_of(found.imported)
    if found.is_relative != (package == target_package):
        return False
    if (package, row) == (target_package, target_row) and row not in WITHIN:
        return True
    if found.imported in FOR_ALL and row not in ("losses", "modules", "__init__" if package == "preprocess" else ""):
        return package == target_package or bool({"preprocess", "preprocess.files"} & {*ARROWS[package].get(row, ())})
    target = found.imported if package != target_package else found.imported.partition(".")[2]
    allowed = ARROWS[package].get(row, ())
    is_in_row = any(target == name or target.startswith(f"{name}.") for name in allowed)
    return is_in_row and not (package != target_package and target_row == "stages")


def find_bad_arrows(root: Path, package: str) -> list[str]:
    """Imports that the table does not allow, as `importer -> imported`."""
    return [f"{found.importer} -> {found.imported}" for found in read_imports(root, package) if not is_allowed(found)]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_only_where_the_table_allows(package: str):
    assert find_bad_arrows(ROOT, package) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_has_a_row_and_every_row_a_folder(package: str):
    folder = ROOT / package
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert names == set(ARROWS[package])


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_code_is_a_package_with_a_docstring(package: str):
    for folder in {path.parent for path in (ROOT / package).rglob("*.py")}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))), folder


@pytest.mark.parametrize(
    ("module", "line", "imported"),
    [
        ("preprocess/files/units.py", "from ..stages.binarize import run", "preprocess.stages.binarize"),
        ("preprocess/files/units.py", "def f():\n    from ..speech import audio", "preprocess.speech.audio.__init__"),
        ("preprocess/stages/subwords.py", "def f():\n    from . import binarize", "preprocess.stages.binarize"),
        ("preprocess/corpora/tsv.py", "from ..clustering.lloyd import x", "preprocess.clustering.lloyd"),
        ("preprocess/corpora/tsv.py", "from ..speech.shards import Shards", "preprocess.speech.shards"),
        ("preprocess/stages/binarize.py", "import preprocess.files.cards.card", "preprocess.files.cards.card"),
        ("preprocess/stages/binarize.py", "from fairseq_hmst.losses import ctc_loss", "fairseq_hmst.losses.ctc_loss"),
        ("preprocess/__init__.py", "from .errors import PreprocessError", "preprocess.errors"),
        ("fairseq_hmst/losses/ctc_loss.py", "from ..modules import joiner", "fairseq_hmst.modules.joiner"),
        ("fairseq_hmst/losses/ctc_loss.py", "from preprocess.files.cards.card import x", "preprocess.files.cards.card"),
        ("fairseq_hmst/modules/joiner.py", "from ..losses.rnnt import rnnt_loss", "fairseq_hmst.losses.rnnt"),
        ("fairseq_hmst/generators/ctc/ctc_generator.py", "from ...models.ctc import x", "fairseq_hmst.models.ctc"),
        ("fairseq_hmst/criterions/joint_criterion.py", "from ..models import aed", "fairseq_hmst.models.aed"),
        ("fairseq_hmst/tasks/hmst_translation.py", "from ..models import aed", "fairseq_hmst.models.aed"),
        ("fairseq_hmst/models/aed.py", "from ..losses.ctc_loss import x", "fairseq_hmst.losses.ctc_loss"),
        ("fairseq_hmst/data/streams.py", "from preprocess.speech.audio import x", "preprocess.speech.audio.__init__"),
        ("fairseq_hmst/translate/translator.py", "from preprocess.stages import x", "preprocess.stages.__init__"),
        ("fairseq_hmst/model_folder/folder.py", "from ..export import x", "fairseq_hmst.export.__init__"),
        ("fairseq_hmst/compat.py", "from .data.streams import x", "fairseq_hmst.data.streams"),
    ],
)
def test_a_planted_bad_arrow_is_caught(tmp_path: Path, module: str, line: str, imported: str):
    package = module.split("/")[0]
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / module
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    importer = module.removesuffix(".py").replace("/", ".")
    assert find_bad_arrows(tmp_path, package) == [f"{importer} -> {imported}"]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("preprocess/files/units.py", "if TYPE_CHECKING:\n    from ..speech.audio import x"),
        ("fairseq_hmst/translate/translator.py", "from preprocess.speech.audio import x"),
        ("fairseq_hmst/data/streams.py", "from preprocess.files.cards.card import x"),
    ],
)
def test_what_the_table_allows_is_not_caught(tmp_path: Path, module: str, line: str):
    package = module.split("/")[0]
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / module
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert find_bad_arrows(tmp_path, package) == []
