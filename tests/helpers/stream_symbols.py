"""The streams of a data-bin, as fairseq's own Dictionary and indexed dataset read them back."""

from pathlib import Path


def read_back(data_bin: Path, name: str, side: str) -> list[list[str]]:
    """Symbols of every example by fairseq; each must end in its only </s>."""
    from fairseq.data import Dictionary
    from fairseq.data.indexed_dataset import make_dataset

    dictionary = Dictionary.load(str(data_bin / f"dict.{side}.txt"))
    dataset = make_dataset(str(data_bin / name), impl="mmap")
    examples = [[dictionary[index] for index in example] for example in dataset]
    assert all(symbols.index("</s>") == len(symbols) - 1 for symbols in examples)
    return [symbols[:-1] for symbols in examples]


def text_of(symbols: list[str]) -> str:
    """Text of the symbols of one example."""
    return "".join(symbols).replace("▁", " ").strip()
