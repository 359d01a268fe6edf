"""Figures of what the probes find: over training, along the gradient, and as learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from bnlab.catalogue import find
from bnlab.figures.style import MUTED, SIZE, finished, style_of

Panels = Mapping[str, Mapping[str, np.ndarray]]
"""By title, and by network: an array of shape (seeds, places on the horizontal axis)."""


def over_training(panels: Panels, moments: Sequence[str]) -> Figure:
    """Draw the mean over seeds at some moments of training, with a band of one sd either side.

    Parameters
    ----------
    panels : mapping of str to mapping of str to numpy.ndarray
        By title and network: shape (seeds, moments).
    moments : sequence of str
        What to write below each moment. They are equally spaced, however many steps lie between.
    """
    figure, axes = _stacked(panels)
    for axis, values in zip(axes, panels.values(), strict=True):
        _bands(axis, np.arange(len(moments)), values)
        axis.set_ylim(bottom=0)
    _legend(figure, axes[0])
    axes[-1].set_xticks(range(len(moments)), moments)
    axes[-1].set_xlabel("Steps of training (not to scale)")
    return finished(figure)


def over_steps(panels: Panels, steps: Sequence[float], learning_rate: float) -> Figure:
    """Draw the mean over seeds along the gradient, with a band of one sd either side.

    Both axes are logarithmic.

    Parameters
    ----------
    panels : mapping of str to mapping of str to numpy.ndarray
        By title and network: shape (seeds, steps).
    steps : sequence of float
        The step sizes.
    learning_rate : float
        The step size of training, marked by an upright line.
    """
    figure, axes = _stacked(panels)
    for axis, values in zip(axes, panels.values(), strict=True):
        axis.axvline(learning_rate, color=MUTED, lw=1.2, zorder=1)
        _bands(axis, np.asarray(steps), values)
        axis.set(xscale="log", yscale="log")
        for scale, subs in ((axis.xaxis, (1.0,)), (axis.yaxis, (1.0, 2.0, 5.0))):
            scale.set_major_locator(LogLocator(subs=subs, numticks=20))
            # Not as a power of ten: a raised exponent is too small for a phone.
            scale.set_major_formatter(StrMethodFormatter("{x:g}"))
            scale.set_minor_formatter(NullFormatter())
    _legend(figure, axes[0])
    axes[-1].set_xlabel("Step size, times the gradient")
    return finished(figure)


def learned(
    gamma: Mapping[str, Sequence[np.ndarray]],
    beta: Mapping[str, Sequence[np.ndarray]],
    layers: Sequence[str],
) -> Figure:
    """Draw where gamma and beta lie in each layer: the median, nine units in ten, and all.

    Parameters
    ----------
    gamma, beta : mapping of str to sequence of numpy.ndarray
        By network: for each layer the values of its units, of any shape.
    layers : sequence of str
        What to call the layers.
    """
    figure, axes = plt.subplots(2, 1, figsize=(SIZE[0], 6.4))
    for axis, title, start, by_network in (
        (axes[0], "Gamma", 1, gamma),
        (axes[1], "Beta", 0, beta),
    ):
        axis.axvline(start, color=MUTED, lw=1.2, zorder=1)
        for place, (name, values) in enumerate(by_network.items()):
            network = find(name)
            rows = np.arange(len(layers)) + 0.3 * (place - (len(by_network) - 1) / 2)
            low, fifth, middle, ninety_fifth, high = np.array(
                [np.quantile(value, (0, 0.05, 0.5, 0.95, 1)) for value in values]
            ).T
            axis.hlines(rows, low, high, color=network.color, lw=1.5)
            axis.hlines(rows, fifth, ninety_fifth, color=network.color, lw=6, alpha=0.5)
            axis.plot(middle, rows, network.marker, color=network.color, ms=8, label=network.title)
        axis.set_yticks(range(len(layers)), layers)
        axis.set_ylim(len(layers) - 0.5, -0.5)
        axis.set_title(title)
    _legend(figure, axes[0])
    return finished(figure)


def _stacked(panels: Panels) -> tuple[Figure, np.ndarray]:
    figure, axes = plt.subplots(
        len(panels), 1, sharex=True, squeeze=False, figsize=(SIZE[0], 0.8 + 2.6 * len(panels))
    )
    for axis, title in zip(axes[:, 0], panels, strict=True):
        axis.set_title(title)
    return figure, axes[:, 0]


def _bands(axis: Axes, places: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
    for name, of_seeds in values.items():
        mean, sd = of_seeds.mean(axis=0), of_seeds.std(axis=0, ddof=1)
        style = style_of(name)
        axis.fill_between(places, mean - sd, mean + sd, color=style["color"], alpha=0.25, lw=0)
        axis.plot(places, mean, **style, label=find(name).title)


def _legend(figure: Figure, axis: Axes) -> None:
    """Name the networks once, above all panels, where they hide nothing."""
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=3)
