"""The exchange of parts of an encoder for faster ones, which are tried first.

The parts that are exchanged are inside transformers, whose versions differ. So the whole encoder is run on noise before
and after: where the frames are not the same to rounding, or anything fails, the model is left as it was.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from ...precision import Precision, float32_products
from .convolutions import Convolutions
from .gated_attention import GatedAttention, PositionBias
from .positions import Positions
from .products import FeedForward, Linear

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .modules import Exchangeable, WaveformModel

logger = logging.getLogger(__name__)

SAME = 1e-4  # relative difference of frames; rounding gives 1e-6 to 1e-5, a wrong formula above 0.1
CLOSE = 5e-3  # relative difference that products of TF32 may make; 1e-3 in a random WavLM of 21 layers, bf16 1.4e-2


def speed_up(model: WaveformModel, run: Callable[[], Tensor]) -> bool:
    """Exchange what `model` has of the parts that are known here.

    Args:
        model: an encoder that reads waveforms, on its device, in evaluation.
        run: runs the model on an example, in inference mode, and gives its frames.

    Returns:
        Whether the faster parts are in place; if not, a warning was logged and the model is as it was.
    """
    exchanged: list[Exchangeable | nn.Module] = []
    with float32_products("ieee"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' attention mixes kinds of masks
        expected = run()
        try:
            _fold_weight_norms(model)
            for module, forward in _faster_parts(model):
                exchanged.append(module)
                module.forward = forward
            difference = relative_difference(run(), expected)
            reason = "" if difference <= SAME else f"the frames differ by {difference:.1e}"
        except Exception as error:  # whatever another version of transformers may make of it
            reason = f"{type(error).__name__}: {error}"
    for module in exchanged:
        if reason:
            del module.forward
        elif isinstance(module.forward, (Linear, FeedForward)):
            _give_up_weights(module)
    if reason:
        logger.warning("this version of transformers cannot be sped up, frames take longer (%s)", reason)
    return not reason


def choose_products(device: str, run: Callable[[], Tensor]) -> Precision:
    """Precision of float32 products: TF32 on a GPU where it gives nearly the same frames, else full."""
    if device != "cuda":
        return "ieee"
    with float32_products("ieee"):
        expected = run()
    with float32_products("tf32"):
        difference = relative_difference(run(), expected)
    if difference <= CLOSE:
        return "tf32"
    logger.warning("TF32 changes frames by %.1e here; computing in full float32", difference)
    return "ieee"


def relative_difference(found: Tensor, expected: Tensor) -> float:
    """Norm of the difference, relative to that of `expected`; infinite where a number is NaN."""
    difference = float((found - expected).norm() / expected.norm())
    return difference if difference == difference else float("inf")


def _fold_weight_norms(model: WaveformModel) -> None:
    """Compute weights that are given as direction and length once, not at every call."""
    from torch.nn.utils import parametrize

    for module in list(model.modules()):
        if parametrize.is_parametrized(module):
            for name in list(cast("nn.ModuleDict", module.parametrizations)):
                parametrize.remove_parametrizations(module, name)


def _give_up_weights(module: Exchangeable | nn.Module) -> None:
    """Free the weights of linear layers whose products hold them in another order."""
    import torch

    for linear in module.modules():
        if isinstance(linear, torch.nn.Linear):
            linear.register_parameter("weight", None)


def _faster_parts(model: WaveformModel) -> Iterator[tuple[Exchangeable | nn.Module, Callable[..., object]]]:
    """Modules and their new `forward`."""
    if getattr(model.config, "feat_extract_norm", "layer") == "layer":  # data2vec-audio knows no other
        yield model.feature_extractor, Convolutions(model.feature_extractor)
    yield model.feature_projection.projection, Linear(model.feature_projection.projection)
    positions = model.encoder.pos_conv_embed
    if hasattr(positions, "conv") and getattr(positions, "batch_norm", None) is None:
        yield positions, Positions(positions)
    for layer in model.encoder.layers:
        attention = layer.attention
        for linear in (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj):
            yield linear, Linear(linear)
        if model.config.hidden_act == "gelu":
            yield layer.feed_forward, FeedForward(layer.feed_forward)
    if model.config.model_type == "wavlm":
        attentions = [layer.attention for layer in model.encoder.layers]
        position_bias = PositionBias(attentions[0])
        for attention in attentions:
            yield attention, GatedAttention(attention, position_bias)
