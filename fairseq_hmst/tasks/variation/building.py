"""Variations of the streams of a training, made from its options."""

from collections.abc import Iterable, Sequence

import numpy as np

from preprocess.errors import MismatchError, OptionError
from preprocess.files.origin import read_origins

from ...data.data_bin import DataBin, DataBinError
from ...data.example_inputs import ExampleInputs
from ...data.stream_rows import StreamRows
from ...data.twins import RepeatedText
from ...data.variation.draws import Draws
from ...data.variation.flat_rows import FlatRows, inner_tokens
from ...data.variation.joins import ALONE, Joins
from ...data.variation.masks import Masks, mask_symbol
from ...data.variation.repetition import (
    MOST_DEVIATION,
    Durations,
    FixedRule,
    NormalRule,
    RepetitionRule,
    Repetitions,
    character_rule,
)
from ...data.variation.segmentation import Segmentation
from ...data.variation.unigram_sampler import UnigramSampler
from ...data.views import PieceLengths
from .options import DEFAULT_ALPHA, VariationConfig, mask_span, sides_of


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
    by_name = {stream.name: stream for stream in streams}
    speech, text = by_name.get("st"), by_name.get("mt")
    sides, jitter = sides_of(config), config.repeat_jitter
    if sides or jitter:
        for stream in streams:
            _keep_in_memory(stream)
    if text is not None and text.transcripts is not None and ("source" in sides or jitter or config.text_mask_share):
        text.sources = RepeatedText(text.sources, text.transcripts, data_bin.card.repeat, data_bin.language_symbols)
    if speech is not None and config.join_share > 0:
        joins = Joins(config.join_share, _speakers(data_bin, split), data_bin.language_symbols)
        speech.variations = (joins, *speech.variations)  # before prefixes, after which no other sentence may follow
    if sides:
        alpha = DEFAULT_ALPHA if config.sampling_alpha is None else config.sampling_alpha
        segmentation = _segmentation(data_bin, sides, alpha)
        for stream in streams:
            _vary(stream, segmentation)
    if jitter is not None:
        rule = _rule(jitter, streams, data_bin)
        for stream in streams:
            _vary(stream, Repetitions(rule, data_bin.language_symbols.num_target_symbols))
    masks = {}
    for name, kind, share in (("st", "speech", config.speech_mask_share), ("mt", "text", config.text_mask_share)):
        if share > 0:
            symbol = mask_symbol(data_bin.source_dictionary)
            masks[name] = Masks(share, mask_span(config, kind), str(config.mask_form), symbol)
    varies_inputs = bool(masks or jitter or {"units", "source"} & set(sides))
    lengths = _piece_lengths(data_bin) if has_views and varies_inputs else None
    return ExampleInputs(masks, lengths)


def check_varied_data(
    config: VariationConfig, data_bins: Sequence[DataBin], split: str, stream_names: Sequence[str]
) -> None:
    """Refuse data that lack what an option needs; all data-bins at once, as the last one's turn may be days away.

    Args:
        config: options that `check_variation_options` has checked.
        data_bins: of the training.
        split: of the streams.
        stream_names: of what is trained on.

    Raises:
        DataBinError: a table of speakers is not in its form.
        OptionError: a data-bin lacks what an option needs.
    """
    jitter = config.repeat_jitter
    for data_bin in data_bins:
        counts = data_bin.card.counts.get(split, {})
        has_transcripts = "st" in stream_names and "st" in counts and counts["st"].transcripts > 0
        if config.join_share > 0:
            _speakers(data_bin, split)
        if "source" in sides_of(config) and not has_transcripts and "mt" not in stream_names:
            raise OptionError("sample_pieces", f"source has no effect: {data_bin.path} has speech without transcripts")
        if jitter is not None and data_bin.card.repeat < 2:
            raise OptionError(
                "repeat_jitter",
                f"{jitter} needs text that is repeated: --repeat of {data_bin.path} is {data_bin.card.repeat}",
            )
        if jitter is not None and jitter != "fixed" and not has_transcripts:
            raise OptionError(
                "repeat_jitter",
                f"{jitter} needs speech with transcripts, to measure it, and {data_bin.path} has none; give fixed",
            )


def describe_variations(config: VariationConfig, streams: Iterable[StreamRows]) -> str:
    """A description of the variations for the log; empty where there are none."""
    parts = []
    variations = [variation for stream in streams for variation in stream.variations]
    parts += [
        f"{variation.share:g} of st are drawn to be joined, {variation.num_with_partners} have another row of their "
        "speaker"
        for variation in variations
        if isinstance(variation, Joins)
    ]
    if sides := sides_of(config):
        parts.append(f"pieces of {', '.join(sides)} are sampled")
    rules = [variation.rule for variation in variations if isinstance(variation, Repetitions)]
    parts += [f"repetitions vary ({config.repeat_jitter}: {rule.describe()})" for rule in rules[:1]]
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


def _speakers(data_bin: DataBin, split: str) -> np.ndarray:
    """Number of speaker and languages of each row of speech; ALONE where the speaker is not known.

    Raises:
        OptionError: no row has another one of its speaker.
    """
    path = data_bin.path / f"{split}.st.origin.tsv"
    data_bin.compare([path.name])
    numbers: dict[tuple[str, str, str], int] = {}
    try:
        groups = [
            numbers.setdefault((origin.speaker, origin.source_language, origin.target_language), len(numbers))
            if origin.speaker
            else ALONE
            for origin in read_origins(path)
        ]
    except MismatchError as error:
        raise DataBinError.of(error) from error
    if len(groups) - groups.count(ALONE) == len(numbers):
        raise OptionError(
            "join_share",
            f"joins rows of one speaker, but {path} names {'one row of each' if numbers else 'none'}; fill `speaker` "
            "in manifests",
        )
    return np.array(groups)


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


def _rule(name: str, streams: Sequence[StreamRows], data_bin: DataBin) -> RepetitionRule:
    """A rule of repetition; the lengths that speech has are those of the training's examples with transcripts.

    Args:
        name: of the rule.
        streams: of data that `check_varied_data` has checked, with the variations that come before repetition.
        data_bin: of the streams.
    """
    repeat = data_bin.card.repeat
    if name == "fixed":
        return FixedRule(repeat)
    characters = _characters(data_bin)
    (speech,) = (stream for stream in streams if stream.name == "st")
    assert speech.transcripts is not None  # as the card says
    transcripts = inner_tokens(speech.transcripts, 0, 1)
    is_known = transcripts.sizes > 0
    edges = sum(data_bin.language_symbols.source_edges)
    counts = type(transcripts)(characters[transcripts.tokens], transcripts.sizes).sums
    speech_lengths = np.asarray(speech.sources.sizes, dtype=np.int64) - edges
    durations = Durations(speech_lengths[is_known], transcripts.sizes[is_known].astype(np.int64), counts[is_known])
    if name == "normal":
        return NormalRule(repeat, repeat * min(durations.deviation, MOST_DEVIATION))
    text = next((stream for stream in streams if stream.name == "mt"), speech)
    repeated = text.of_epoch(Draws(seed=0, epoch=0)).transcripts  # with pieces such as an epoch has
    assert repeated is not None
    frequencies = np.bincount(inner_tokens(repeated, 0, 1).tokens, minlength=len(characters))
    return character_rule(durations, characters, frequencies, repeat)


def _characters(data_bin: DataBin) -> np.ndarray:
    """Characters of each piece of the input dictionary, (V,) int64, 1 of special symbols."""
    dictionary = data_bin.source_dictionary
    lengths = [1 if number < dictionary.nspecial else len(piece) for number, piece in enumerate(dictionary.symbols)]
    return np.array(lengths, dtype=np.int64)


def _piece_lengths(data_bin: DataBin) -> PieceLengths:
    return PieceLengths(_characters(data_bin), data_bin.card.repeat)
