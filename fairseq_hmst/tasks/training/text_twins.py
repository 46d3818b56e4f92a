"""Giving the speech examples of train the text twins that --consistency-weight compares them with."""

from ...data.data_bin import DataBin, DataBinError
from ...data.stream_rows import StreamRows, stream_named
from ...data.twins import RepeatedText, TextTwins


def check_transcripts(data_bins: list[DataBin], split: str) -> None:
    """Refuse data of which no text twins can be made; all data-bins at once, as the last one's turn may be days away.

    Raises:
        DataBinError: in one of the data-bins no speech example has a transcript.
    """
    for data_bin in data_bins:
        speech = data_bin.card.counts.get(split, {}).get("st")
        if speech is None or speech.transcripts == 0:
            raise DataBinError(
                f"{data_bin.path}: no example of '{split}.st' has a transcript, of which --consistency-weight makes "
                "its text twin; fill src_text in the manifests and binarize again, or leave the option out"
            )


def add_text_twins(streams: list[StreamRows], data_bin: DataBin) -> int:
    """Give the speech examples among `streams`, which are those of `data_bin`, text twins; the number of twins."""
    speech = stream_named("st", streams)
    if speech is None or speech.transcripts is None:
        return 0
    texts = RepeatedText(speech.sources, speech.transcripts, data_bin.card.repeat, data_bin.language_symbols)
    speech.twins = twins = TextTwins(texts)
    return int((twins.sizes > 0).sum())
