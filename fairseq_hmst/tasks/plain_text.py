"""Plain text of what examples and heads hold as ids."""

from torch import Tensor

from ..data.data_bin import DataBin


class PlainText:
    """Turns ids of a data-bin's dictionaries into detokenised text.

    Args:
        data_bin: gives dictionaries, language symbols and the labels of a CTC on the transcript.
    """

    def __init__(self, data_bin: DataBin) -> None:
        self.data_bin = data_bin

    def target(self, tokens: Tensor, escape_unknown: bool = False) -> str:
        """Text of ids (U,) of the output dictionary, without padding, end and language symbol."""
        dictionary = self.data_bin.target_dictionary
        no_text = {dictionary.pad(), *self.data_bin.language_symbols.output_ids}
        pieces = dictionary.string(tokens.int().cpu(), escape_unk=escape_unknown, extra_symbols_to_ignore=no_text)
        return self.data_bin.join_target(pieces.split(" "))

    def transcript(self, tokens: Tensor) -> str:
        """Text of ids (S,) of the input dictionary, a transcript without its repetitions."""
        pieces = self.data_bin.source_dictionary.string(tokens.int().cpu(), escape_unk=True)
        return self.data_bin.join_source(pieces.split(" "))

    def transcript_of_labels(self, labels: Tensor) -> str:
        """Text of labels (S,) of a CTC on the transcript, without blanks."""
        return self.transcript(self.data_bin.transcript_ids(labels))
