"""The choice of the search: --decoding and the heads of the models -> a generator."""

from collections.abc import Callable, Sequence
from typing import Protocol, cast

from fairseq.data import Dictionary
from fairseq.sequence_generator import SequenceGenerator

from preprocess.errors import OptionError

from .ctc_generator import CTCGenerator
from .decodings import DEFAULT_CTC_DECODE_WEIGHT
from .joint_ensemble import JointEnsemble, JointScorable
from .label_generator import LabelGenerator
from .language_ensemble import AttentionScorable, ForcedSymbols, LanguageEnsemble, align_finite
from .transducer_generator import TransducerGenerator
from .transducer_scorer import LabelLimit


class DecodableModel(Protocol):
    """A model that names the values of --decoding that it has heads for."""

    @property
    def decodings(self) -> tuple[str, ...]:
        """The values, the default first."""
        ...


class DecodingOptions(Protocol):
    """Options of the task that choose the search."""

    decoding: object
    ctc_decode_weight: float | None


# From models, or an ensemble in place of fairseq's, to fairseq's own search.
BeamSearch = Callable[[Sequence[DecodableModel] | LanguageEnsemble], SequenceGenerator]


def build_generator(
    task_config: DecodingOptions,
    models: Sequence[DecodableModel],
    options: object,
    dictionary: Dictionary,
    language_symbols: ForcedSymbols,
    fairseq_beam_search: BeamSearch,
) -> SequenceGenerator | LabelGenerator:
    """A generator with fairseq's interface.

    Args:
        task_config: has `decoding` and `ctc_decode_weight`.
        models: an ensemble of models of this package.
        options: fairseq's generation options (beam, lenpen, unnormalized, max_len_a and so on).
        dictionary: the output dictionary.
        language_symbols: of the data-bin.
        fairseq_beam_search: from models or an EnsembleModel to fairseq's own generator with `options`.

    Raises:
        OptionError: a model has no head for the decoding, and the message lists those it has; or a weight of CTC has no
            effect.
        ValueError: an option of fairseq is given that the search cannot follow.
    """
    decoding = choose_decoding(str(task_config.decoding), models)
    beam_size = min(getattr(options, "beam", 5), len(dictionary) - 1)  # fairseq never selects padding
    ctc_weight = task_config.ctc_decode_weight
    if ctc_weight is not None and decoding != "joint":
        raise OptionError("ctc_decode_weight", f"{ctc_weight} has no effect with decoding {decoding}, only with joint")
    if decoding == "joint":
        ctc_weight = DEFAULT_CTC_DECODE_WEIGHT if ctc_weight is None else ctc_weight
        ensemble = JointEnsemble(
            cast(Sequence[JointScorable], models), language_symbols, ctc_weight, beam_size, dictionary.eos()
        )
        return _beam_search(ensemble, options, fairseq_beam_search)
    if decoding == "attention":
        scorable = cast(Sequence[AttentionScorable], models)
        if getattr(options, "print_alignment", None) and language_symbols.target_form is None:
            return align_finite(fairseq_beam_search(models), scorable)
        return _beam_search(LanguageEnsemble(scorable, language_symbols), options, fairseq_beam_search)
    if getattr(options, "lm_path", None) is not None:
        raise ValueError(
            f"--lm-path has no effect with --decoding {decoding}: only attention and joint decoding use it"
        )
    length_penalty = 0.0 if getattr(options, "unnormalized", False) else getattr(options, "lenpen", 1.0)
    symbol_ids = language_symbols.output_ids
    if decoding == "ctc":
        return CTCGenerator(dictionary, beam_size, length_penalty, symbol_ids)
    limit = LabelLimit(getattr(options, "max_len_a", 0.0), getattr(options, "max_len_b", 200))
    return TransducerGenerator(dictionary, beam_size, length_penalty, limit, symbol_ids)


def _beam_search(ensemble: LanguageEnsemble, options: object, fairseq_beam_search: BeamSearch) -> SequenceGenerator:
    if getattr(options, "print_alignment", None):
        raise ValueError(
            "--print-alignment goes with --decoding attention and a data-bin without language symbols: "
            "fairseq's aligning search has an ensemble of its own"
        )
    generator = fairseq_beam_search(ensemble)
    if ensemble.language_symbols.target_form == "first_output" and isinstance(generator, SequenceGenerator):
        # the symbol is no part of the translation whose length --min-len and --max-len-b bound
        generator.min_len += 1
        generator.max_len_b += 1
    return generator


def choose_decoding(decoding: str, models: Sequence[DecodableModel]) -> str:
    """Resolve `auto` to the models' first decoding, and check any other against their heads."""
    available = [name for name in models[0].decodings if all(name in model.decodings for model in models)]
    if decoding == "auto" and available:
        return available[0]
    if decoding not in available:
        raise OptionError(
            "decoding",
            f"{decoding}: the model has no head for it; it can decode by: {', '.join(available) or 'nothing'}",
        )
    return decoding
