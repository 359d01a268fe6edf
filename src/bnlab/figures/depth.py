"""Figures of deep networks: layer by layer, by their depth, and the size of their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from bnlab.figures.style import CARD, INK, SIZE, finished, style_of

if TYPE_CHECKING:
    from bnlab.studies.results import Stored

_PLAIN, _NORMALIZED = style_of("baseline")["color"], style_of("bn_approach_two")["color"]
_MARKS = (("o", "-"), ("s", ":"), ("D", "--"), ("^", "-."))

Lines = Mapping[str, Sequence[float] | np.ndarray]
"""Values by the title of their line; a title that ends in BN has the colour of that."""


def layer_by_layer(panels: Mapping[str, Lines]) -> Figure:
    """Draw one or more quantities of the hidden layers, from the first to the last.

    Parameters
    ----------
    panels : mapping of str to Lines
        By title, a value for each layer. The vertical axes are logarithmic.
    """
    figure, axes = plt.subplots(
        len(panels), 1, sharex=True, squeeze=False, figsize=(SIZE[0], 0.9 + 2.9 * len(panels))
    )
    for axis, (title, lines) in zip(axes.flat, panels.items(), strict=True):
        for name, values in lines.items():
            axis.plot(range(1, len(values) + 1), values, label=name, **_style(name, lines))
        axis.set_yscale("log")
        axis.set_title(title)
        _powers_of_ten(axis)
    axis.set_xlabel("Hidden layer")
    axis.set_xticks([1, *range(5, len(values) + 1, 5)])
    _legend(figure, axes.flat[0], min(len(lines), 2))
    return finished(figure)


def by_depth(
    lines: Mapping[str, Sequence[Stored]], rates: Sequence[float], metric: str = "test_accuracy"
) -> Figure:
    """Draw a final metric against the number of hidden layers, a panel for each learning rate.

    A marker is the mean over the seeds, with a bar of one standard deviation either side. It is
    hollow where a run has diverged, which counts as the guess that it is, or where rounding
    decides how a run ends.

    Parameters
    ----------
    lines : mapping of str to sequence of Stored
        Results by title, as in :data:`Lines`.
    rates : sequence of float
        The learning rates.
    metric : str
        As for :meth:`bnlab.runs.Result.final`.
    """
    figure, axes = plt.subplots(
        len(rates), 1, sharex=True, sharey=True, figsize=(SIZE[0], 1.1 + 1.8 * len(rates))
    )
    depths = sorted({len(r.recipe.structure.hidden) for rs in lines.values() for r in rs})
    for axis, rate in zip(axes, rates, strict=True):
        for place, (name, results) in enumerate(lines.items()):
            settings = [
                [
                    r
                    for r in results
                    if r.recipe.learning_rate == rate and len(r.recipe.structure.hidden) == depth
                ]
                for depth in depths
            ]
            values = [[r.final(metric) for r in setting] for setting in settings]
            where = np.arange(len(depths)) + 0.08 * (place - (len(lines) - 1) / 2)
            means = [np.mean(row) for row in values]
            style = _style(name, lines)
            axis.errorbar(
                where,
                means,
                yerr=[np.std(row, ddof=1) for row in values],
                capsize=4,
                label=name,
                **style,
            )
            for x, mean, setting in zip(where, means, settings, strict=True):
                if any(r.diverged or r.sensitive for r in setting):
                    axis.plot(x, mean, **style | {"markerfacecolor": CARD, "markersize": 9})
        axis.set_title(f"Learning rate {rate:g}")
    if any(r.diverged or r.sensitive for results in lines.values() for r in results):
        axis.plot([], [], "o", color=INK, markerfacecolor=CARD, label="Diverged, or rounding")
    axis.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axis.set_xlabel("Hidden layers")
    _legend(figure, axis, 3)
    return finished(figure)


def over_steps(lines: Lines, title: str) -> Figure:
    """Draw a quantity over the steps of training, on a logarithmic scale."""
    figure, axis = plt.subplots(figsize=SIZE)
    for name, values in lines.items():
        axis.plot(values, label=name, **_style(name, lines) | {"markevery": len(values) // 8})
    axis.set_yscale("log")
    axis.set_title(title)
    axis.set_xlabel("Steps of training")
    _legend(figure, axis, 1)
    return finished(figure)


def _style(name: str, lines: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line's colour, by whether it is normalized, and its marks among its like."""
    normalized = name.endswith("BN")
    alike = [other for other in lines if other.endswith("BN") == normalized]
    marker, dash = _MARKS[alike.index(name)]
    color = _NORMALIZED if normalized else _PLAIN
    return {"color": color, "marker": marker, "linestyle": dash, "markersize": 6}


def _powers_of_ten(axis: Axes) -> None:
    axis.yaxis.set_major_locator(LogLocator(numticks=6))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _legend(figure: Figure, axis: Axes, columns: int) -> None:
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=columns)
