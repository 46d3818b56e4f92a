"""One picture as an SVG element with the colours of the page's style sheet."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import PreprocessError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

SIZE = (5.2, 3.2)  # inches; a column of the page
# Drawn with these, replaced by the style sheet's variables. No picture uses colours of its own.
COLOURS = {"ink": "#000001", "muted": "#000002", "grid": "#000003", "speech": "#000004", "text": "#000005"}
INK, MUTED, GRID, SPEECH, TEXT = COLOURS.values()
STYLE: "dict[RcKeyType, str | float | bool]" = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "text.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
}


def render(name: str, draw: Callable[["Figure"], None]) -> str:
    """Draw one picture, as an <svg> element.

    Args:
        name: beginning of all ids in it.
        draw: draws on a figure.

    Raises:
        PreprocessError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PreprocessError("pictures need matplotlib", advice="pip install matplotlib") from error

    with matplotlib.rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=SIZE, layout="constrained")
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _adapt(file.getvalue(), name)


def _adapt(svg: str, name: str) -> str:
    """A file's SVG as an element of a page: no size, ids of its own, colours of the style sheet."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'<svg[^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img">', svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\1{name}-", svg)
    for variable, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{variable})")
    return svg
