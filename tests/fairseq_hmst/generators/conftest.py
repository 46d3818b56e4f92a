"""Small models with each search."""

from pathlib import Path

import pytest
from small_decoders import Decoder, make_decoder

from fairseq_hmst.generators.followed.table import LANGUAGES, SEARCHES


@pytest.fixture(scope="session")
def decoders(toy_data_bin: Path, two_target_data_bin: Path) -> dict[str, Decoder]:
    """A small random model of each search; do not change them."""
    return {
        search: make_decoder(search, two_target_data_bin if search == LANGUAGES else toy_data_bin)
        for search in SEARCHES
    }
