"""Who may import whom (see CONTRIBUTING.md), read from the sources with `ast`: no import is run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Each may import those above it. A new module goes where its own imports allow it.
PREPROCESS_ORDER = """
    errors lock outputs faults card text manifest audio
    extractors.checkpoint extractors.products extractors.convolutions extractors.positions
    extractors.gated_attention extractors.faster
    extractors.waveform extractors.whisper extractors.huggingface extractors.mfcc extractors
    corpora.rows corpora.filters corpora.selection corpora.report corpora.segments corpora.talks
    corpora.debian corpora.held_out corpora.help_pages corpora.lua_dialogs corpora.parallel_text corpora.synthesis
    corpora.fish_fillets corpora.libreoffice_help
    corpora.must_c corpora.covost2 corpora.mtedx corpora.prompts corpora.tsv corpora
    units frames workers shards frame_sample nearest_centroid lloyd kmeans speech_to_units
    languages text_model provenance sentencepiece_training subwords dictionary token_encoder
    splits streams examples pruning tmx text_corpus pair_filter external_text data_bin_card binarize
    report.data_bin report.measures report.units report.lengths report.factors report.examples report.figures
    report.svg report.charts report.style report.markup report.sections report.page report
    __main__
    recipe_file recipe_step recipe
""".split()

# Each subpackage of fairseq_hmst may import these and itself; modules outside subpackages may import all of them.
FAIRSEQ_HMST_ARROWS = {
    "losses": set(),
    "modules": set(),
    "data": set(),
    "models": {"modules"},
    "criterions": {"losses"},
    "generators": {"losses"},
    "tasks": {"data", "generators"},
    "pretrained": {"data", "models"},
    "scoring": set(),
    "inference": {"data", "generators", "losses", "tasks"},
    "demo": {"inference", "translate"},
}
FOR_ALL_OF_FAIRSEQ_HMST = {"compat", "version"}


@dataclass(frozen=True)
class Import:
    """One import of one of our packages; names are dotted, without the package in front ("" is the package itself)."""

    importer: str
    imported: str
    package: str
    is_relative: bool


def read_imports(package: Path) -> Iterator[Import]:
    """Imports of `preprocess` and `fairseq_hmst` in all modules of a package, also those inside functions."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        importer = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        folder = list(parts[:-1])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from absolute_import(importer, alias.name)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield from absolute_import(importer, node.module or "")
            elif isinstance(node, ast.ImportFrom):
                base = folder[: len(folder) - node.level + 1] + (node.module or "").split(".") * bool(node.module)
                for alias in node.names:
                    is_module = is_module_of(package, [*base, alias.name])
                    yield Import(importer, ".".join([*base, alias.name] if is_module else base), package.name, True)


def absolute_import(importer: str, name: str) -> Iterator[Import]:
    package, _, module = name.partition(".")
    if package in ("preprocess", "fairseq_hmst"):
        yield Import(importer, module, package, False)


def is_module_of(package: Path, parts: list[str]) -> bool:
    path = package.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()


def find_bad_arrows(package: Path) -> list[str]:
    """Imports that the layers do not allow, as `importer -> imported`."""
    allows = {"preprocess": allows_in_preprocess, "fairseq_hmst": allows_in_fairseq_hmst}[package.name]
    bad = []
    for found in read_imports(package):
        if found.package != package.name:
            is_good = package.name == "fairseq_hmst" and found.importer == "translate"
        else:
            is_good = found.is_relative and allows(found.importer, found.imported)
        if not is_good:
            bad.append(f"{found.importer} -> {'' if found.is_relative else found.package + '.'}{found.imported}")
    return bad


def allows_in_preprocess(importer: str, imported: str) -> bool:
    if imported.startswith(f"{importer}."):
        return True  # extractors and corpora choose one of their modules
    known = importer in PREPROCESS_ORDER and imported in PREPROCESS_ORDER
    return known and PREPROCESS_ORDER.index(imported) < PREPROCESS_ORDER.index(importer)


def allows_in_fairseq_hmst(importer: str, imported: str) -> bool:
    source, target = importer.split(".")[0], imported.split(".")[0]
    if source not in FAIRSEQ_HMST_ARROWS or target in FOR_ALL_OF_FAIRSEQ_HMST:
        return source not in FOR_ALL_OF_FAIRSEQ_HMST
    return source == target or target in FAIRSEQ_HMST_ARROWS[source]


@pytest.mark.parametrize("package", ["preprocess", "fairseq_hmst"])
def test_imports_go_only_where_the_design_allows(package: str):
    assert find_bad_arrows(ROOT / package) == []


def test_all_modules_have_a_place_in_the_order():
    folder = ROOT / "preprocess"
    paths = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py")]
    names = {".".join(path.parts).removesuffix(".__init__") for path in paths} - {"__init__"}
    assert names == set(PREPROCESS_ORDER)
    subpackages = {path.parent.name for path in (ROOT / "fairseq_hmst").glob("*/__init__.py")}
    assert subpackages == set(FAIRSEQ_HMST_ARROWS)


@pytest.mark.parametrize(
    ("module", "line", "arrow"),
    [
        ("preprocess/units.py", "from .binarize import run", "units -> binarize"),
        ("preprocess/subwords.py", "def f():\n    from . import binarize", "subwords -> binarize"),
        ("preprocess/corpora/tsv.py", "from ..kmeans import run", "corpora.tsv -> kmeans"),
        ("preprocess/binarize.py", "import preprocess.card", "binarize -> preprocess.card"),
        ("preprocess/binarize.py", "from fairseq_hmst.losses import ctc", "binarize -> fairseq_hmst.losses"),
        ("fairseq_hmst/data/streams.py", "from preprocess.card import Card", "data.streams -> preprocess.card"),
        ("fairseq_hmst/losses/ctc.py", "from ..modules import joiner", "losses.ctc -> modules.joiner"),
        ("fairseq_hmst/modules/joiner.py", "from ..losses.rnnt import rnnt_loss", "modules.joiner -> losses.rnnt"),
        ("fairseq_hmst/generators/ctc.py", "from ..models.ctc import x", "generators.ctc -> models.ctc"),
        ("fairseq_hmst/criterions/joint.py", "from ..models import aed", "criterions.joint -> models.aed"),
        ("fairseq_hmst/tasks/hmst_translation.py", "from ..models import aed", "tasks.hmst_translation -> models.aed"),
        ("fairseq_hmst/models/aed.py", "from ..losses.ctc import x", "models.aed -> losses.ctc"),
        ("fairseq_hmst/compat.py", "from .data.streams import x", "compat -> data.streams"),
    ],
)
def test_a_planted_bad_arrow_is_caught(tmp_path: Path, module: str, line: str, arrow: str):
    package = module.split("/")[0]
    for path in (ROOT / package).rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    planted = tmp_path / module
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    assert find_bad_arrows(tmp_path / package) == [arrow]


def test_translate_alone_may_import_both(tmp_path: Path):
    (tmp_path / "fairseq_hmst").mkdir()
    (tmp_path / "fairseq_hmst" / "translate.py").write_text(
        "from preprocess.units import deduplicate\nfrom . import data"
    )
    assert find_bad_arrows(tmp_path / "fairseq_hmst") == []
