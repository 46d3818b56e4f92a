"""The page of a report: its sections, from the figures and the pictures."""

from collections.abc import Iterator
from html import escape

from msgspec import UNSET

from ..figures.data_bin_figures import DataBinFigures
from ..figures.dictionary_use import PieceUse
from ..figures.shown_examples import ShownExample
from . import markup
from .sections import Charts, factors_section, hours, streams_section, units_section
from .speech_section import speech_section
from .warnings_section import warnings_section


def make_page(figures: DataBinFigures, charts: Charts) -> str:
    """The whole of index.html."""
    parts = [
        _head(figures),
        warnings_section(figures.checks),
        streams_section(figures, charts),
        speech_section(figures, charts),
        units_section(figures, charts),
        factors_section(figures, charts),
        _vocabulary(figures),
        _external_text(figures),
        _examples(figures),
    ]
    return markup.page(f"{figures.data_bin}: {figures.signature}", "\n".join(parts))


def _head(figures: DataBinFigures) -> str:
    languages = " → ".join(", ".join(side) for side in (figures.languages.source, figures.languages.target))
    split, first = next(iter(figures.streams.items()))
    values = [(languages, "languages")]
    seconds = [streams["st"].seconds for streams in figures.streams.values() if "st" in streams]
    known = [number for number in seconds if number]
    if known and len(known) == len(seconds):
        values.append((hours(sum(known)), "of speech in all splits"))
    values += [(f"{stream.examples:,}", f"{_NAMES[name]} examples in {split}") for name, stream in first.items()]
    for units in list(figures.units.values())[:1]:
        values.append((f"{units.used:,} of {figures.num_units:,}", "units used"))
        values.append((f"{units.perplexity:,.0f}", "perplexity of the units"))
    values.append((f"×{figures.repeat}", "repetition of source text"))
    title = f'<h1>{escape(figures.data_bin)}</h1>\n<p class="muted"><code>{escape(figures.signature)}</code></p>'
    return title + markup.tiles(values)


_NAMES = {"st": "speech", "mt": "text"}


def _vocabulary(figures: DataBinFigures) -> str:
    rows = [
        (f"{name} subwords", f"{found.pieces:,}", f"{found.used:,}", _share(found), f"{found.tokens:,}")
        for name, found in figures.vocabulary.items()
    ]
    split = next(iter(figures.streams))
    model = figures.text_model
    text = f"Texts are cut by the text model {model.name} ({model.convention})." if model else ""
    return markup.section(
        "Dictionaries",
        markup.table(("", "in the dictionary", f"used in {split}", "share", "tokens"), rows),
        markup.paragraph(text, "muted") if text else "",
    )


def _share(found: PieceUse) -> str:
    return f"{found.used / found.pieces:.1%}" if found.pieces else ""


def _external_text(figures: DataBinFigures) -> str:
    rows = []
    for entry in figures.external_text:
        dropped, written = (
            ", ".join(f"{number:,} {name}" for name, number in numbers.items()) or "0"
            for numbers in (entry.dropped, entry.written)
        )
        names = " ".join(file.name for file in entry.files)
        rows.append((names, f"{entry.pairs:,}", dropped, f"{entry.ratio:g}", written))
    return markup.section("External text", markup.table(("corpus", "pairs", "left out", "ratio", "written"), rows))


def _examples(figures: DataBinFigures) -> str:
    note = (
        "From short to long. Each box is one token as the model sees it; ␣ is the space that begins a word, and the "
        "numbers in a box are the units of one unit subword."
    )
    blocks = [markup.details(_example_entries(example, figures.repeat)) for example in figures.examples]
    return markup.section("Examples", markup.paragraph(note, "muted"), *blocks) if blocks else ""


def _example_entries(example: ShownExample, repeat: int) -> Iterator[tuple[str, str]]:
    yield "id", f"<code>{escape(example.id)}</code>"
    yield "where", f"{escape(example.split)}.{example.stream}, number {example.index} (from 0)"
    if example.source_text is not UNSET:
        yield "source text", escape(example.source_text)
    yield "target text", escape(example.target_text)
    kind = "speech" if example.stream == "st" else f"text ×{repeat}"
    yield f"source: {kind}, {len(example.source)} tokens", markup.pieces(example.source)
    if example.transcript is not UNSET:
        number = len(example.transcript)
        name = f"transcript: {number} tokens, ×{repeat} = {number * repeat}"
        yield name, markup.pieces(example.transcript)
    yield f"target: {len(example.target)} tokens", markup.pieces(example.target)
