"""One style and one palette for every figure, right on light and on dark pages.

A figure is drawn once. Its SVG names its colours, and a style sheet inside it gives each
name a light and a dark value, so that it follows the page (or, in a notebook, the system).
Its background changes too, so that it is legible where only one of them is known.
"""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure

from bnlab.catalogue import LAYER_NORM, NETWORKS, STANDARDIZED, Network, find

# Each colour of the theme on a light and on a dark page. A light value stands for its
# name in the SVG, so no two may be equal.
COLORS: dict[str, tuple[str, str]] = {
    "ink": ("#1c2128", "#e9edf2"),
    "muted": ("#565f6b", "#aab4c0"),
    "grid": ("#d5dae1", "#3b444f"),
    "card": ("#f5f6f8", "#1c222a"),
    "accent": ("#7a3fa8", "#c99bf0"),
    **{name: (network.color, network.dark_color) for name, network in NETWORKS.items()},
    "layer_norm": (LAYER_NORM.color, LAYER_NORM.dark_color),
    "standardized": (STANDARDIZED.color, STANDARDIZED.dark_color),
}
INK, MUTED, GRID, CARD, ACCENT = (
    COLORS[name][0] for name in ("ink", "muted", "grid", "card", "accent")
)

SIZE = (6.4, 4.0)
"""Width and height of a figure in inches; at this width its text is legible on a phone."""

_STYLE = {
    "figure.figsize": SIZE,
    "figure.facecolor": CARD,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": CARD,
    "axes.facecolor": CARD,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.titlesize": 14,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 13,
    "axes.linewidth": 1,
    "axes.prop_cycle": f"cycler(color={[ACCENT, *(COLORS[name][0] for name in NETWORKS)]})",
    "font.size": 13,
    "font.family": "DejaVu Sans",  # ships with Matplotlib: the same on every machine
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "grid.color": GRID,
    "grid.linewidth": 1,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "lines.linewidth": 2.2,
    "lines.markersize": 6,
    "patch.edgecolor": CARD,
    "svg.hashsalt": "bnlab",
    "svg.fonttype": "path",
}


def use_style() -> None:
    """Set the course's style, and show figures as SVG in this notebook.

    Matplotlib's ``fivethirtyeight``, as in the source notebook, with colours that follow
    the page and sizes that suit a phone. Call it once, before anything is drawn.
    """
    plt.style.use("fivethirtyeight")
    mpl.rcParams.update(_STYLE)
    shell = get_ipython()
    if shell is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg")
        shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, to_svg)


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG document whose colours follow the page.

    The same figure gives the same text, whenever and wherever it is drawn.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    names = {light: name for name, (light, _) in COLORS.items()}
    svg = re.sub("|".join(names), lambda match: f"var(--bn-{names[match[0]]}, {match[0]})", svg)
    light, dark = (
        "".join(f"--bn-{name}:{values[shade]};" for name, values in COLORS.items())
        for shade in (0, 1)
    )
    style = f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", rf"\1{style}", svg, count=1)


def finished(figure: Figure) -> Figure:
    """Return a figure that is shown once: where it is a cell's last value."""
    plt.close(figure)
    return figure


def style_of(network: str | Network) -> dict[str, Any]:
    """Return a network's colour, marker and dash, as keywords for ``Axes.plot``."""
    found = find(network) if isinstance(network, str) else network
    return {"color": found.color, "marker": found.marker, "linestyle": found.dash}


def metric_title(metric: str) -> str:
    """Return what a figure calls a metric, such as ``"Validation accuracy"``."""
    return metric.replace("val_", "validation ").replace("test_", "test ").capitalize()
