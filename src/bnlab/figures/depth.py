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
_MARKS = {False: (("o", "-"), ("s", ":"), ("D", "--")), True: (("^", "-"), ("v", ":"), ("P", "--"))}
"""Markers and dashes of lines without batch normalization and with it, in their order."""

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
        _plain_numbers(axis, (1.0,))
    axis.set_xlabel("Hidden layer")
    axis.set_xticks([1, *range(5, len(values) + 1, 5)])
    _legend(figure, axes.flat[0], min(len(lines), 2))
    return finished(figure)


def by_depth(lines: Mapping[str, Sequence[Stored]], rates: Sequence[float]) -> Figure:
    """Draw test accuracy against the number of hidden layers, a panel for each learning rate.

    A point is a run, and a line goes through the medians of the seeds: a mean would say little
    where one run breaks down. The point is hollow if the run has diverged, which leaves it a
    guess, or if rounding decides how it ends. The vertical axes are logarithmic in the share of
    wrong answers.

    Parameters
    ----------
    lines : mapping of str to sequence of Stored
        Results by title, as in :data:`Lines`.
    rates : sequence of float
        The learning rates.
    """
    figure, axes = plt.subplots(
        len(rates), 1, sharex=True, sharey=True, figsize=(SIZE[0], 1.1 + 2.0 * len(rates))
    )
    depths = sorted({len(r.recipe.structure.hidden) for runs in lines.values() for r in runs})
    for axis, rate in zip(axes, rates, strict=True):
        for place, (name, results) in enumerate(lines.items()):
            style = _style(name, lines)
            where = np.arange(len(depths)) + 0.1 * (place - (len(lines) - 1) / 2)
            settings = [
                [
                    r
                    for r in results
                    if (r.recipe.learning_rate, len(r.recipe.structure.hidden)) == (rate, depth)
                ]
                for depth in depths
            ]
            medians = [
                np.median([run.test_accuracy for run in runs]) if runs else np.nan
                for runs in settings
            ]
            axis.plot(where, medians, label=name, **style)
            for x, runs in zip(where, settings, strict=True):
                for run in runs:
                    fill = CARD if run.diverged or run.sensitive else style["color"]
                    point = style | {"markerfacecolor": fill, "zorder": 3}
                    axis.plot(x, run.test_accuracy, **point)
        axis.set_title(f"Learning rate {rate:g}")
        axis.set_yscale("function", functions=(_of_accuracy, _to_accuracy))
        axis.set_yticks(_ACCURACIES, [f"{accuracy:.0%}" for accuracy in _ACCURACIES])
        axis.yaxis.set_minor_locator(NullLocator())
    if any(r.diverged or r.sensitive for runs in lines.values() for r in runs):
        style = {"color": INK, "markerfacecolor": CARD, "linestyle": ""}
        axis.plot([], [], marker="o", label="Diverged, or rounding", **style)
    axis.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axis.set_xlabel("Hidden layers")
    _legend(figure, axis, 3)
    return finished(figure)


_ACCURACIES = (0.1, 0.5, 0.7, 0.8, 0.9)


def _of_accuracy(accuracy: np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(1 - accuracy, 1e-3))


def _to_accuracy(place: np.ndarray) -> np.ndarray:
    return 1 - np.exp(-place)


def over_steps(lines: Lines, title: str) -> Figure:
    """Draw a quantity over the steps of training, on a logarithmic scale."""
    figure, axis = plt.subplots(figsize=SIZE)
    for name, values in lines.items():
        axis.plot(values, label=name, **_style(name, lines) | {"markevery": len(values) // 8})
    axis.set_yscale("log")
    axis.set_title(title)
    _plain_numbers(axis, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
    axis.set_xlabel("Steps of training")
    _legend(figure, axis, 1)
    return finished(figure)


def _style(name: str, lines: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line's colour, by whether it is normalized, and its marks among its like."""
    normalized = name.endswith("BN")
    alike = [other for other in lines if other.endswith("BN") == normalized]
    marker, dash = _MARKS[normalized][alike.index(name)]
    color = _NORMALIZED if normalized else _PLAIN
    return {"color": color, "marker": marker, "linestyle": dash, "markersize": 6}


def _plain_numbers(axis: Axes, subs: tuple[float, ...]) -> None:
    """Name these multiples of the powers of ten; a raised exponent is too small for a phone."""
    axis.yaxis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _legend(figure: Figure, axis: Axes, columns: int) -> None:
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=columns)
