"""Variations of the streams of a training, made from its options."""

from collections.abc import Iterable, Sequence

from preprocess.errors import OptionError

from ...data.data_bin import DataBin
from ...data.example_inputs import ExampleInputs
from ...data.flat_rows import FlatRows
from ...data.stream_rows import StreamRows, stream_named
from ...data.twins import RepeatedText
from ...data.variation.joins import Joins
from ...data.variation.masks import Masks, mask_symbol
from ...data.variation.repetition import Repetitions
from ...data.variation.segmentation import Segmentation
from ...data.variation.unigram_sampler import UnigramSampler
from ...data.views import PieceLengths
from .needs import speaker_groups
from .options import DEFAULT_ALPHA, VariationConfig, mask_span, sides_of
from .repetition_rule import characters_of_pieces, make_rule


def vary_streams(
    config: VariationConfig, streams: Sequence[StreamRows], data_bin: DataBin, split: str, has_views: bool
) -> ExampleInputs:
    """Give the streams of a training the variations that its options ask for.

    Args:
        config: options that `check_variation_options` has checked.
        streams: of `data_bin`, with their text twins.
        data_bin: of the streams.
        split: of the streams.
        has_views: whether each example is compared with a second view of itself.

    Returns:
        what makes inputs of the rows.

    Raises:
        DataBinError: the table of speakers is not in its form.
        OptionError: the data-bin lacks what an option needs.
    """
    speech, text = stream_named("st", streams), stream_named("mt", streams)
    sides, jitter = sides_of(config), config.repeat_jitter
    if sides or jitter:
        for stream in streams:
            _keep_in_memory(stream)
    if text is not None and text.transcripts is not None and ("source" in sides or jitter or config.text_mask_share):
        text.sources = RepeatedText(text.sources, text.transcripts, data_bin.card.repeat, data_bin.language_symbols)
    if speech is not None and config.join_share > 0:
        joins = Joins(config.join_share, speaker_groups(data_bin, split), data_bin.language_symbols)
        speech.variations = (joins, *speech.variations)  # before prefixes, after which no other sentence may follow
    if sides:
        alpha = DEFAULT_ALPHA if config.sampling_alpha is None else config.sampling_alpha
        segmentation = _segmentation(data_bin, sides, alpha)
        for stream in streams:
            _vary(stream, segmentation)
    if jitter is not None:
        rule = make_rule(jitter, streams, data_bin)
        for stream in streams:
            _vary(stream, Repetitions(rule, data_bin.language_symbols))
    masks = {}
    for name, kind, share in (("st", "speech", config.speech_mask_share), ("mt", "text", config.text_mask_share)):
        if share > 0:
            symbol = mask_symbol(data_bin.source_dictionary)
            masks[name] = Masks(share, mask_span(config, kind), str(config.mask_form), symbol)
    varies_inputs = bool(masks or jitter or {"units", "source"} & set(sides))
    lengths = _piece_lengths(data_bin) if has_views and varies_inputs else None
    return ExampleInputs(masks, lengths)


def describe_variations(config: VariationConfig, streams: Iterable[StreamRows]) -> str:
    """A description of the variations for the log; empty where there are none."""
    parts = []
    variations = [variation for stream in streams for variation in stream.variations]
    parts += [
        f"{variation.share:g} of st are drawn to be joined, {variation.num_joinable} have another sentence of their "
        "speaker"
        for variation in variations
        if isinstance(variation, Joins)
    ]
    if sides := sides_of(config):
        parts.append(f"pieces of {', '.join(sides)} are sampled")
    if config.repeat_jitter is not None:
        parts.append(f"repetitions vary ({config.repeat_jitter})")
    parts += [
        f"{share:g} of {kind} is masked in stretches of {mask_span(config, kind):g}"
        for kind, share in (("speech", config.speech_mask_share), ("text", config.text_mask_share))
        if share > 0
    ]
    return "".join(f"; {part}" for part in parts)


def _vary(stream: StreamRows, variation: Joins | Segmentation | Repetitions) -> None:
    stream.variations = (*stream.variations, variation)


def _keep_in_memory(stream: StreamRows) -> None:
    """Read the rows that variations read in each epoch; of text, its sources are not among them."""
    stream.targets = None if stream.targets is None else FlatRows.of_rows(stream.targets)
    if stream.name == "st":
        stream.sources = FlatRows.of_rows(stream.sources)
    if stream.transcripts is not None:
        stream.transcripts = FlatRows.of_rows(stream.transcripts)
        stream.twins = None if stream.twins is None else stream.twins.of_texts(stream.transcripts)


def _segmentation(data_bin: DataBin, sides: Sequence[str], alpha: float) -> Segmentation:
    models = {"units": "unit", "source": "source", "target": "target"}
    samplers = {}
    for side in sides:
        dictionary = data_bin.target_dictionary if side == "target" else data_bin.source_dictionary
        try:
            samplers[side] = UnigramSampler(data_bin.subword_model(models[side]), dictionary.symbols, alpha)
        except ValueError as error:
            name = f"{data_bin.path}/subwords/{models[side]}.model"
            raise OptionError("sample_pieces", f"{side} cannot be followed, leave it out: {name} {error}") from error
    return Segmentation(samplers, data_bin.language_symbols)


def _piece_lengths(data_bin: DataBin) -> PieceLengths:
    return PieceLengths(characters_of_pieces(data_bin), data_bin.card.repeat)
