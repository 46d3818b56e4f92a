"""Data that options of varied examples need: checks before the first epoch, and the speakers of rows."""

import functools
from collections.abc import Sequence

import numpy as np

from preprocess.errors import MismatchError, OptionError
from preprocess.files.origin import read_origins

from ...data.data_bin import DataBin, DataBinError
from ...data.stream_rows import load_stream
from ...data.variation.joins import ALONE, joinable_groups
from .options import VariationConfig, check_repetition, sides_of


def check_varied_data(
    config: VariationConfig, data_bins: Sequence[DataBin], split: str, stream_names: Sequence[str]
) -> None:
    """Refuse data that lack what an option needs; all data-bins at once, as the last one's turn may be days away.

    Args:
        config: options that `check_variation_options` has checked.
        data_bins: of the training.
        split: of the streams.
        stream_names: of what is trained on.

    Raises:
        DataBinError: a table of speakers is not in its form.
        OptionError: a data-bin lacks what an option needs.
    """
    jitter = config.repeat_jitter
    for data_bin in data_bins:
        counts = data_bin.card.counts.get(split, {})
        has_transcripts = "st" in stream_names and "st" in counts and counts["st"].transcripts > 0
        if config.join_share > 0:
            speaker_groups(data_bin, split)
        if "source" in sides_of(config) and not has_transcripts and "mt" not in stream_names:
            raise OptionError("sample_pieces", f"source has no effect: {data_bin.path} has speech without transcripts")
        check_repetition(config, data_bin.card.repeat, str(data_bin.path))
        if jitter is not None and jitter != "fixed" and not has_transcripts:
            raise OptionError(
                "repeat_jitter",
                f"{jitter} needs speech with transcripts, to measure it, and {data_bin.path} has none; give fixed",
            )


@functools.cache  # asked for by the check of all data-bins, and when each is loaded, as in every epoch of several
def speaker_groups(data_bin: DataBin, split: str) -> np.ndarray:
    """Number of speaker and languages of each row of speech; ALONE where there is no other sentence of the speaker.

    Raises:
        DataBinError: the table of speakers is not in its form.
        OptionError: no row has another sentence of its speaker.
    """
    path = data_bin.path / f"{split}.st.origin.tsv"
    data_bin.compare([path.name])
    numbers: dict[tuple[str, str, str], int] = {}
    try:
        groups = [
            numbers.setdefault((origin.speaker, origin.source_language, origin.target_language), len(numbers))
            if origin.speaker
            else ALONE
            for origin in read_origins(path)
        ]
    except MismatchError as error:
        raise DataBinError.of(error) from error
    targets = load_stream(data_bin, split, "st").targets
    assert targets is not None  # of a data-bin
    found = joinable_groups(np.array(groups), targets)
    if (found == ALONE).all():
        named = "one sentence of each" if numbers else "none"
        raise OptionError(
            "join_share", f"joins rows of one speaker, but {path} names {named}; fill `speaker` in manifests"
        )
    return found
