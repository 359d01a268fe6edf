"""Diagrams, for which nothing is trained: networks side by side, and descent in a bowl."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnlab.catalogue import ACTIVATIONS, NOTEBOOK, Network, find
from bnlab.figures.style import ACCENT, CARD, GRID, INK, MUTED, SIZE, finished


def side_by_side(names: Iterable[str] = NOTEBOOK) -> Figure:
    """Draw the layers of networks in columns, the same kind of layer in one row.

    Normalizations are filled with the network's colour; where a network has no layer, its
    line goes on to the next.

    Parameters
    ----------
    names : iterable of str
        Names in :data:`bnlab.catalogue.NETWORKS`.
    """
    networks = [find(name) for name in names]
    depth = max(len(network.hidden) for network in networks)
    columns = [_slots(network, depth) for network in networks]
    # A row that no network fills is left out.
    rows = [row for row in zip(*columns, strict=True) if any(row)]
    figure, axis = plt.subplots(figsize=(SIZE[0], 0.6 + 0.46 * len(rows)))
    for place, network in enumerate(networks):
        axis.plot([place, place], [0, len(rows) - 1], color=MUTED, lw=1.5, zorder=1)
        axis.text(place, -0.85, network.title, ha="center", va="center", fontweight="bold")
        for height, text in enumerate(row[place] for row in rows):
            if text:
                normalizes = text.startswith("BN")
                axis.text(
                    place,
                    height,
                    text,
                    ha="center",
                    va="center",
                    fontsize=11.5,
                    color=CARD if normalizes else INK,
                    bbox={
                        "boxstyle": "round,pad=0.35",
                        "fc": network.color if normalizes else CARD,
                        "ec": network.color if normalizes else MUTED,
                    },
                )
    axis.set(xlim=(-0.55, len(networks) - 0.45), ylim=(len(rows) - 0.4, -1.3))
    axis.set_axis_off()
    return finished(figure)


def _slots(network: Network, depth: int) -> list[str]:
    """Return what a network has in each row, an empty text where it has nothing."""
    before, after = (
        "BN {}" if network.normalization == f"{when} activation" else ""
        for when in ("before", "after")
    )
    slots = [f"{network.widths[0]} pixels"]
    slots.append(f"BN {network.widths[0]}" if network.normalizes_inputs else "")
    for width in network.hidden:
        dense = f"Dense {width}" + ("" if network.bias else ", no bias")
        dropout = f"Dropout {network.dropout:g}" if network.dropout else ""
        activation = ACTIVATIONS.get(network.activation, network.activation)
        slots += [dense, before.format(width), activation, after.format(width), dropout]
    slots += [""] * 5 * (depth - len(network.hidden))
    return [*slots, f"Dense {network.widths[-1]}", "softmax"]


def descend(
    curvatures: Sequence[float], start: Sequence[float], rate: float, steps: int
) -> np.ndarray:
    """Return the path of gradient descent in a bowl, the sum of curvature times square over two.

    Parameters
    ----------
    curvatures, start : sequence of float
        Along each axis; the minimum is at 0.
    rate : float
        The learning rate.
    steps : int

    Returns
    -------
    numpy.ndarray
        Shape (steps + 1, axes). Each step multiplies a coordinate by 1 - rate * curvature.
    """
    kept = 1 - rate * np.asarray(curvatures)
    return np.asarray(start) * kept ** np.arange(steps + 1)[:, None]


def best_rate(curvatures: Sequence[float]) -> float:
    """Return the learning rate with which the slowest axis of a bowl is fastest.

    Then the flattest and the steepest axis keep the same share of their distance in a step.
    """
    return 2 / (min(curvatures) + max(curvatures))


def bowls(scales: Sequence[tuple[float, float]], steps: int = 20) -> Figure:
    """Draw gradient descent on the squared error of a sum of two weighted inputs.

    The inputs are uncorrelated and centred, so the curvature along a weight is the variance of
    its input. Each bowl has the learning rate that suits it best.

    Parameters
    ----------
    scales : sequence of tuple of float
        Standard deviations of the two inputs, for each panel.
    steps : int
    """
    figure, axes = plt.subplots(1, len(scales), sharey=True, figsize=(SIZE[0], 3.7))
    for axis, both in zip(axes, scales, strict=True):
        curvatures = [scale**2 for scale in both]
        path = descend(curvatures, (-1.7, 1.4), best_rate(curvatures), steps)
        _contours(axis, curvatures)
        axis.plot(*path.T, "o-", color=ACCENT, lw=1.5, ms=4)
        axis.plot(0, 0, "x", color=INK, ms=9, mew=2.5)
        axis.set_title("Scales {:g} and {:g}".format(*both))
        axis.set_xlabel("First weight")
    axes[0].set_ylabel("Second weight")
    return finished(figure)


def _contours(axis: Axes, curvatures: Sequence[float]) -> None:
    across = np.linspace(-2, 2, 201)
    first, second = np.meshgrid(across, across)
    loss = (curvatures[0] * first**2 + curvatures[1] * second**2) / 2
    levels = float(np.max(loss)) * np.linspace(0.05, 0.95, 7) ** 2
    axis.contour(first, second, loss, levels=levels, colors=GRID, linewidths=1.5)
    axis.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
    axis.grid(visible=False)
