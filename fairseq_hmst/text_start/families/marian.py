"""Opus-MT (Tiedemann and Thottingal 2020), which Marian trained (Junczys-Dowmunt et al. 2018, arXiv:1804.00344)."""

from pathlib import Path

from preprocess.errors import FileError
from preprocess.files.text_models import FAMILIES, check_one_vocabulary

from ...models.pretrained import PretrainedModelError
from ..symbols import check_number_of_rows, read_rows
from .family import Family, RowNames


def name_rows(folder: Path, num_rows: int, convention: str) -> RowNames:
    """Rows of Opus-MT: those of vocab.json, among them its languages, such as >>deu<<.

    Raises:
        PretrainedModelError: there are fewer, or translations have a vocabulary of their own.
    """
    try:
        check_one_vocabulary(folder)
    except FileError as error:
        raise PretrainedModelError.of(error) from error
    rows = read_rows(folder / "vocab.json")
    check_number_of_rows(folder, rows, num_rows)
    return RowNames(rows, [symbol for symbol in rows if symbol.startswith(">>") and symbol.endswith("<<")])


MARIAN = Family(
    models=FAMILIES["marian"],
    conventions=("opus-mt", "opus-mt-several"),
    post_norm=True,
    positions="sinusoids from 0",
    layernorm_embedding=False,
    output_bias=True,
    start_with_padding=True,
    name_rows=name_rows,
)
