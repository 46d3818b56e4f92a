"""Options of converting a text model."""

from dataclasses import dataclass

from preprocess.files.program.options import option


@dataclass(frozen=True)
class TextStartOptions:
    """Options of converting."""

    seed: int = option("seed of the rows that are drawn for new symbols", 0)
    trust_pickle: bool = option(
        "load a checkpoint of fairseq's that holds more than weights and options, which could run any code; what it "
        "names is listed first, and it can import nothing else",
        False,
    )
