"""Whether a text model fits a data-bin: language symbols and lengths."""

from fairseq.data.indexed_dataset import MMapIndexedDataset

from ..data.data_bin import DataBin
from ..models.pretrained import PretrainedModelError
from .text_model import TextModel


def check_languages(text_model: TextModel, data_bin: DataBin) -> None:
    """Refuse a data-bin with a language that the model lacks."""
    entry = data_bin.card.language_symbols
    for language, symbol in ({} if entry is None else entry.symbols).items():
        if symbol not in text_model.rows:
            raise PretrainedModelError(
                f"the data-bin has the language {language} ({symbol}), which {text_model.name} lacks",
                advice=f"it has: {', '.join(text_model.languages)}",
            )


def check_positions(text_model: TextModel, data_bin: DataBin) -> None:
    """Refuse a data-bin with sequences longer than the positions that the model has learned."""
    faults = []
    size = text_model.architecture
    for suffix, limit in (("src", size.max_source_positions), ("tgt", size.max_target_positions)):
        names = sorted(name for name in data_bin.card.hashes if name.endswith(f".{suffix}.idx"))
        data_bin.compare(names)
        for index in (data_bin.path / name for name in names):
            dataset = MMapIndexedDataset(str(index.with_suffix("")))
            sizes = dataset.sizes  # a view into the file, which is mapped as long as the dataset lives
            num_longer = int((sizes > limit).sum())
            if num_longer > 0:
                longest = int(sizes.max())
                faults.append(f"{index.stem}: {num_longer} of {len(sizes)} above {limit}, the longest {longest}")
    if faults:
        raise PretrainedModelError(
            "\n".join([f"has sequences longer than the positions of {text_model.name}", *faults]),
            place=data_bin.path,
            advice="make the data-bin with a smaller --repeat, more unit subwords, or without these examples",
        )
