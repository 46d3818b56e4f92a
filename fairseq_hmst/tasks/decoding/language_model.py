"""The check of a language model (--lm-path) before fairseq-generate reads it."""

from pathlib import Path

import torch
from fairseq.data import Dictionary

from preprocess.errors import OptionError

from ...data.data_bin import DataBin

DICTIONARY_NAME = "dict.txt"  # that fairseq reads for a language model, in the data-bin
ADVICE = "train it on text of the data-bin's output pieces with dict.tgt.txt, and put a copy of that there as dict.txt"


def check_language_model_file(path: Path, data_bin: DataBin) -> None:
    """Refuse a language model over other tokens than the translation's.

    Raises:
        OptionError: the data-bin has no dictionary for it, or another than that of its output; or the model is one of
            another size.
    """
    dictionary_path = data_bin.path / DICTIONARY_NAME
    if not dictionary_path.is_file():
        raise OptionError("lm_path", f"{path}: its dictionary, {dictionary_path}, is not there; {ADVICE}")
    words, target = Dictionary.load(str(dictionary_path)), data_bin.target_dictionary
    if words.symbols != target.symbols:
        found = f"{len(words)} types against {len(target)}, or others of the same number"
        raise OptionError(
            "lm_path", f"{path}: its dictionary, {dictionary_path}, is not dict.tgt.txt: {found}; {ADVICE}"
        )
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["model"]
        sizes = {len(tensor) for name, tensor in weights.items() if name.endswith("decoder.embed_tokens.weight")}
    except OSError:
        raise
    except Exception as error:  # torch raises whatever a file that is no checkpoint leads it to
        raise OptionError("lm_path", f"{path}: cannot be read as a checkpoint of fairseq-train") from error
    if not sizes <= {len(target)}:
        raise OptionError("lm_path", f"{path}: it knows {sizes.pop()} types, dict.tgt.txt has {len(target)}; {ADVICE}")
