"""M2M-100 (Fan et al. 2020, arXiv:2010.11125) and dense NLLB-200 (Costa-jussà et al. 2022, arXiv:2207.04672)."""

from pathlib import Path

from preprocess.files.languages import CONVENTIONS
from preprocess.files.text_models import FAMILIES

from ..symbols import MASK_SYMBOL, check_number_of_rows, read_rows, sentencepiece_symbols
from .family import Family, RowNames


def name_rows(folder: Path, num_rows: int, convention: str) -> RowNames:
    """Rows of M2M-100: those of vocab.json, then its languages. Rows of NLLB: as in mBART.

    Raises:
        PretrainedModelError: there are fewer; rows behind them are nobody's.
    """
    languages = list(CONVENTIONS[convention].symbols)
    if convention == "m2m-100":
        rows = read_rows(folder / "vocab.json")
        rows |= {language: len(rows) + number for number, language in enumerate(languages)}
    else:
        symbols = [*sentencepiece_symbols(folder / "sentencepiece.bpe.model"), *languages, MASK_SYMBOL]
        rows = {symbol: row for row, symbol in enumerate(symbols)}
    check_number_of_rows(folder, rows, num_rows)
    return RowNames(rows, languages)


M2M_100 = Family(
    models=FAMILIES["m2m_100"],
    conventions=("m2m-100", "nllb-200", "nllb-200-legacy"),
    post_norm=False,
    positions="sinusoids from 2",
    layernorm_embedding=False,
    output_bias=False,
    start_with_padding=False,
    name_rows=name_rows,
)
