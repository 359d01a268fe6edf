"""Figures in one style and one palette, right on light and on dark pages.

A figure is drawn once. Its SVG names its colours, and a style sheet inside it gives each
name a light and a dark value, so that it follows the page (or, in a notebook, the system).
The card behind it changes along, so that it is legible where only one of them is known.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure

from bnlab import data, notebook
from bnlab.catalogue import LAYER_NORM, NETWORKS, Network, find
from bnlab.runs.values import Run

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


def curves(runs: Sequence[Run] | Run) -> Figure:
    """Draw training and validation curves of one run: the loss above, the accuracy below.

    Parameters
    ----------
    runs : Run or sequence of Run
        One run, or several of different networks to be drawn together.
    """
    runs = [runs] if isinstance(runs, Run) else runs
    figure, axes = plt.subplots(2, 1, sharex=True, figsize=(SIZE[0], 6.2))
    for axis, metric in zip(axes, ("loss", "accuracy"), strict=True):
        for run in runs:
            network = run.network
            epochs = np.arange(1, run.recipe.epochs + 1)
            for prefix, part, style in (("", "training", ":"), ("val_", "validation", "-")):
                axis.plot(
                    epochs,
                    run.history[prefix + metric],
                    color=network.color,
                    linestyle=style,
                    marker=network.marker if prefix else None,
                    label=f"{network.title}, {part}" if len(runs) > 1 else part.capitalize(),
                )
        axis.set_title(metric.capitalize())
        axis.set_xticks(epochs)
    axes[0].legend()
    axes[1].set_xlabel("Epoch")
    return finished(figure)


def notebook_comparison(run: Run, metric: str = "val_accuracy") -> Figure:
    """Draw a run's metric beside the one that the source notebook prints.

    Raises
    ------
    ValueError
        If the notebook prints no log of this network.
    """
    network = run.network
    if network.name not in notebook.LOGS:
        raise ValueError(
            f"The notebook prints no log of {network.title}, only of {', '.join(notebook.LOGS)}."
        )
    printed = notebook.LOGS[network.name][metric]
    figure, axis = plt.subplots()
    axis.plot(range(1, run.recipe.epochs + 1), run.history[metric], **style_of(network.name))
    axis.plot(range(1, len(printed) + 1), printed, ":", marker="D", color=ACCENT)
    axis.legend(axis.lines, ["This build", "The notebook"])
    axis.set_xticks(range(1, run.recipe.epochs + 1))
    axis.set_xlabel("Epoch")
    axis.set_title(_title(metric))
    return finished(figure)


def compared_curves(runs: Mapping[str, Sequence[Run]], metric: str = "val_accuracy") -> Figure:
    """Draw a metric's mean over seeds for each network, with a band of one sd either side."""
    figure, axis = plt.subplots(figsize=(SIZE[0], 4.6))
    for name, of_network in runs.items():
        network = find(name)
        values = np.array([run.history[metric] for run in of_network])
        mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
        epochs = np.arange(1, values.shape[1] + 1)
        axis.fill_between(epochs, mean - sd, mean + sd, color=network.color, alpha=0.25, lw=0)
        axis.plot(
            epochs,
            mean,
            color=network.color,
            linestyle=network.dash,
            marker=network.marker,
            label=network.title,
        )
    axis.set_xticks(epochs)
    axis.set_xlabel("Epoch")
    axis.set_title(_title(metric))
    axis.legend()
    return finished(figure)


def seed_points(runs: Mapping[str, Sequence[Run]], metrics: Iterable[str]) -> Figure:
    """Draw each seed's final value as a point, with mean and sd, in one panel a metric."""
    metrics = list(metrics)
    figure, axes = plt.subplots(
        len(metrics), 1, squeeze=False, figsize=(SIZE[0], 0.6 + 2.2 * len(metrics))
    )
    for axis, metric in zip(axes[:, 0], metrics, strict=True):
        for row, (name, of_network) in enumerate(runs.items()):
            network = find(name)
            values = np.array([run.final(metric) for run in of_network])
            axis.errorbar(
                values.mean(), row, xerr=values.std(ddof=1), fmt="none", ecolor=INK, capsize=7
            )
            axis.plot(values, [row] * len(values), network.marker, color=network.color, alpha=0.75)
        axis.set_yticks(range(len(runs)), [find(name).title for name in runs])
        axis.set_ylim(len(runs) - 0.5, -0.5)
        axis.xaxis.set_major_locator(plt.MaxNLocator(6, steps=(1, 2, 5, 10)))
        axis.set_title(_title(metric))
    return finished(figure)


def garments(
    pixels: np.ndarray, captions: Sequence[str], columns: int = 5, width: float = SIZE[0]
) -> Figure:
    """Draw garments in a grid, each with a caption below it.

    Parameters
    ----------
    pixels : numpy.ndarray
        Shape (n, 28, 28), in [0, 1].
    captions : sequence of str
        One for each image; may have several lines.
    columns : int
        Images in a row.
    """
    rows = -(-len(pixels) // columns)
    lines = 1 + max(caption.count("\n") for caption in captions)
    side = width / columns
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, figsize=(width, rows * (side + 0.19 * lines))
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, caption in zip(axes.flat, pixels, captions, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.text(
            0.5, -0.04, caption, transform=axis.transAxes, ha="center", va="top", fontsize=11.5
        )
    return finished(figure)


def confusion(run: Run) -> Figure:
    """Draw the confusion matrix of one run on the test images, as counts of images."""
    labels = data.load().test.labels
    counts = pd.crosstab(labels, run.test_predictions).reindex(
        index=range(10), columns=range(10), fill_value=0
    )
    figure, axis = plt.subplots(figsize=(SIZE[0], 5.9))
    sns.heatmap(
        counts,
        annot=True,
        fmt="d",
        cmap="crest",
        cbar=False,
        square=True,
        annot_kws={"size": 10.5},
        xticklabels=data.CLASSES,
        yticklabels=data.CLASSES,
        ax=axis,
    )
    axis.set(xlabel="Predicted", ylabel="True")
    axis.set_title(run.network.title)
    axis.tick_params(axis="x", rotation=90)
    return finished(figure)


def finished(figure: Figure) -> Figure:
    """Return a figure that is shown once: where it is a cell's last value."""
    plt.close(figure)
    return figure


def style_of(network: str | Network) -> dict[str, Any]:
    """Return a network's colour, marker and dash, as keywords for ``Axes.plot``."""
    found = find(network) if isinstance(network, str) else network
    return {"color": found.color, "marker": found.marker, "linestyle": found.dash}


def _title(metric: str) -> str:
    return metric.replace("val_", "validation ").replace("test_", "test ").capitalize()
