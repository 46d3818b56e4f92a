"""The choice of the search: --decoding and the heads of the models -> a generator."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, cast

from fairseq.data import Dictionary
from fairseq.sequence_generator import SequenceGenerator
from torch import Tensor

from preprocess.errors import OptionError

from .ctc.ctc_generator import CTCGenerator
from .decodings import DEFAULT_CTC_DECODE_WEIGHT
from .followed.check import check_options
from .followed.ngrams import NgramBlocker
from .followed.table import ATTENTION, CTC, JOINT, LANGUAGES, TRANSDUCER
from .joint_ensemble import JointEnsemble, JointScorable
from .label_generator import LabelGenerator
from .language_ensemble import AttentionScorable, ForcedSymbols, LanguageEnsemble
from .references.attention_scorer import AttentionScorer
from .transducer.transducer_generator import TransducerGenerator
from .transducer.transducer_scorer import LabelLimit


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


Generator: TypeAlias = SequenceGenerator | LabelGenerator | AttentionScorer

# From models, or an ensemble in place of fairseq's, to fairseq's own search.
BeamSearch = Callable[[Sequence[DecodableModel] | LanguageEnsemble], SequenceGenerator]


def build_generator(
    task_config: DecodingOptions,
    models: Sequence[DecodableModel],
    options: object,
    dictionary: Dictionary,
    language_symbols: ForcedSymbols,
    fairseq_beam_search: BeamSearch,
) -> Generator:
    """A generator with fairseq's interface.

    Args:
        task_config: has `decoding` and `ctc_decode_weight`.
        models: an ensemble of models of this package.
        options: fairseq's generation options (beam, lenpen, unnormalized, max_len_a and so on).
        dictionary: the output dictionary.
        language_symbols: of the data-bin.
        fairseq_beam_search: from models or an EnsembleModel to fairseq's own generator with `options`.

    Raises:
        OptionError: a model has no head for the decoding, and the message lists those it has; an option of fairseq is
            given that the search does not follow, and the message lists those that do; or a weight of CTC has no
            effect.
    """
    decoding = choose_decoding(str(task_config.decoding), models)
    has_symbols = language_symbols.target_form is not None
    check_options(options, LANGUAGES if decoding == ATTENTION and has_symbols else decoding)
    ctc_weight = task_config.ctc_decode_weight
    if ctc_weight is not None and decoding != JOINT:
        raise OptionError("ctc_decode_weight", f"{ctc_weight} has no effect with decoding {decoding}, only with joint")
    length_penalty = 0.0 if getattr(options, "unnormalized", False) else getattr(options, "lenpen", 1.0)
    if decoding == ATTENTION and getattr(options, "score_reference", False):
        return AttentionScorer(dictionary, language_symbols, length_penalty)
    if decoding in (CTC, TRANSDUCER):
        return _label_generator(decoding, options, dictionary, length_penalty, language_symbols.output_ids)
    beam_size = _beam_size(options, dictionary)
    if getattr(options, "print_alignment", None):
        return _with_ngrams_blocked(fairseq_beam_search(models), options)
    # of each source by itself: fairseq's is that of the longest of the batch, or of the longest given beginning
    limit = _label_limit(options, getattr(options, "min_len", 1))
    ensemble = LanguageEnsemble(cast(Sequence[AttentionScorable], models), language_symbols, limit)
    if decoding == JOINT:
        ctc_weight = DEFAULT_CTC_DECODE_WEIGHT if ctc_weight is None else ctc_weight
        ensemble = JointEnsemble(
            cast(Sequence[JointScorable], models),
            language_symbols,
            ctc_weight,
            beam_size,
            dictionary.eos(),
            getattr(options, "temperature", 1.0),
            dictionary.unk() if getattr(options, "unkpen", 0.0) else None,
            limit,
        )
    return _beam_search(ensemble, options, fairseq_beam_search)


def length_limits(generator: object, source_lengths: Tensor) -> list[int] | None:
    """Most tokens, end of sentence not counted, that each output of a generator may have; None where nothing bounds it.

    Args:
        generator: of `build_generator`.
        source_lengths: (B,) tokens of each source.
    """
    if isinstance(generator, SequenceGenerator):
        limit, num_symbols = LabelLimit(generator.max_len_a, generator.max_len_b), 0
        if isinstance(generator.model, LanguageEnsemble) and generator.model.label_limit is not None:
            limit, num_symbols = generator.model.label_limit, generator.model.num_forced_outputs
        return (limit.total(source_lengths) + num_symbols).clamp(max=generator.max_len - 1).tolist()
    if isinstance(generator, TransducerGenerator):
        return generator.label_limit.total(source_lengths).tolist()
    return None


def _beam_size(options: object, dictionary: Dictionary) -> int:
    return min(getattr(options, "beam", 5), len(dictionary) - 1)  # fairseq never selects padding


def _label_limit(options: object, min_len: int = 0) -> LabelLimit:
    return LabelLimit(getattr(options, "max_len_a", 0.0), getattr(options, "max_len_b", 200), min_len)


def _label_generator(
    decoding: str, options: object, dictionary: Dictionary, length_penalty: float, symbol_ids: frozenset[int]
) -> LabelGenerator:
    beam_size = _beam_size(options, dictionary)
    temperature = getattr(options, "temperature", 1.0)
    scores_references = getattr(options, "score_reference", False)
    if decoding == CTC:
        return CTCGenerator(
            dictionary,
            beam_size,
            length_penalty,
            symbol_ids,
            temperature=temperature,
            scores_references=scores_references,
        )
    return TransducerGenerator(
        dictionary,
        beam_size,
        length_penalty,
        _label_limit(options),
        symbol_ids,
        unk_penalty=getattr(options, "unkpen", 0.0),
        temperature=temperature,
        scores_references=scores_references,
    )


def _beam_search(ensemble: LanguageEnsemble, options: object, fairseq_beam_search: BeamSearch) -> SequenceGenerator:
    generator = _with_ngrams_blocked(fairseq_beam_search(ensemble), options)
    # the symbol is no part of the translation whose length --min-len and --max-len-b bound
    generator.min_len += ensemble.num_forced_outputs
    generator.max_len_b += ensemble.num_forced_outputs
    generator.max_len_b = max(generator.max_len_b, generator.min_len)  # as the ensemble's limit is
    return generator


def _with_ngrams_blocked(generator: SequenceGenerator, options: object) -> SequenceGenerator:
    """The generator with --no-repeat-ngram-size as it says."""
    if ngram_size := getattr(options, "no_repeat_ngram_size", 0):
        generator.repeat_ngram_blocker = NgramBlocker(ngram_size)
    return generator


def choose_decoding(decoding: str, models: Sequence[DecodableModel]) -> str:
    """Resolve `auto` to the models' first decoding, and check any other against their heads."""
    available = [name for name in models[0].decodings if all(name in model.decodings for model in models)]
    if decoding == "auto" and available:
        return available[0]
    if not available:
        each = "; ".join(f"model {number}: {', '.join(model.decodings)}" for number, model in enumerate(models, 1))
        raise OptionError("decoding", f"{decoding}: the models of the ensemble have no head in common ({each})")
    if decoding not in available:
        raise OptionError(
            "decoding",
            f"{decoding}: the model has no head for it; it can decode by: {', '.join(available)}",
        )
    return decoding
