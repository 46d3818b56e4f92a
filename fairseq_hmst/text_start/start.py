"""A text model of others, in any of its forms."""

from pathlib import Path

from ..data.data_bin import DataBin
from ..models.pretrained import PretrainedModelError
from .fairseq_release import CHECKPOINT_FILE, read_fairseq_release
from .huggingface import read_huggingface
from .text_model import TextModel


def read_text_model(source: str, data_bin: DataBin, trust_pickle: bool) -> TextModel:
    """Read a text model in any of its forms; one that the data-bin was not made for is refused.

    Args:
        source: folder or hub name of Hugging Face's, or folder or checkpoint of fairseq's mBART.
        data_bin: made with --text-model.
        trust_pickle: see pickles.read_checkpoint.

    Raises:
        NotFiniteError: a weight is NaN or infinite.
        PretrainedModelError: the source is no whole text model, or does not belong to the data-bin.
    """
    made_with = data_bin.card.text_model
    if made_with is None:
        raise PretrainedModelError(
            "was made without a text model",
            place=data_bin.path,
            advice=f"make it with `hmst preprocess subwords --text-model {source}`",
        )
    path = Path(source)
    if (path / CHECKPOINT_FILE).is_file():
        path = path / CHECKPOINT_FILE
    if path.is_file():
        return read_fairseq_release(path, made_with.hash, made_with.convention, trust_pickle)
    return read_huggingface(source, made_with.hash, made_with.convention)
