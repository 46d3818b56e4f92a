import shutil
from pathlib import Path

import pytest
from checked_recipes import Found
from recipe_corpus import write_corpus

from fairseq_hmst.command.check.recipe_check import check_recipe


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    write_corpus(folder / "corpus")
    for language in ("en", "fr"):
        (folder / f"mt.{language}").write_text("on the cat\n", encoding="utf-8")
    return folder


@pytest.fixture
def faults(corpus: Path, tmp_path: Path) -> Found:
    """Writes a recipe beside a copy of the corpus, checks it, and gives the faults without the folder's name."""
    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)

    def find(recipe: str) -> list[str]:
        (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
        return [str(fault).replace(f"{tmp_path}/", "") for fault in check_recipe(tmp_path / "recipe.yaml").faults]

    return find
