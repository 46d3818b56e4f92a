"""mBART (Liu et al. 2020, arXiv:2001.08210) and mBART-50."""

from pathlib import Path

from preprocess.files.languages import CONVENTIONS
from preprocess.files.text_models import FAMILIES

from ...models.pretrained import PretrainedModelError
from ..symbols import MASK_SYMBOL, sentencepiece_symbols
from .family import Family, RowNames

CONVENTION_NAMES = ("mbart-cc25", "mbart-50")


def name_rows(folder: Path, num_rows: int, convention: str) -> RowNames:
    """Rows of Hugging Face's mBART: special symbols and pieces, its languages, and <mask>.

    Raises:
        PretrainedModelError: their number is not that of the convention.
    """
    pieces = sentencepiece_symbols(folder / "sentencepiece.bpe.model")
    languages = {name: list(CONVENTIONS[name].symbols) for name in CONVENTION_NAMES}
    num_expected = {name: len(pieces) + len(languages[name]) + 1 for name in languages}
    # a model to which rows were added at the end, beside which the convention cannot be told, is taken for what it says
    if num_rows != num_expected[convention] and (
        num_rows in num_expected.values() or num_rows < num_expected[convention]
    ):
        found = ", ".join(f"{number} in {name}" for name, number in num_expected.items())
        raise PretrainedModelError(
            f"does not fit the data-bin, which was made for {convention}: its embedding has {num_rows} rows; with this "
            f"SentencePiece model it would have {found}",
            place=folder,
        )
    symbols = [*pieces, *languages[convention], MASK_SYMBOL]
    return RowNames({symbol: row for row, symbol in enumerate(symbols)}, languages[convention])


MBART = Family(
    models=FAMILIES["mbart"],
    conventions=CONVENTION_NAMES,
    post_norm=False,
    positions="learned from 2",
    layernorm_embedding=True,
    output_bias=False,
    start_with_padding=False,
    name_rows=name_rows,
)
