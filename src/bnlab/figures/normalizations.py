"""A figure of what each kind of normalization averages over."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bnlab.figures.style import ACCENT, CARD, INK, MUTED, SIZE, finished

IMAGES, CHANNELS, GROUP = 4, 6, 3
"""What is drawn: rows, columns, and the channels of a group."""

KINDS: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "Batch norm": lambda _, channel: (0, channel),
    "Layer norm": lambda image, _: (image, 0),
    "Group norm": lambda image, channel: (image, channel // GROUP),
    "Instance norm": lambda image, channel: (image, channel),
}
"""Which cells share a mean: those for which this gives the same pair."""


def averaged_over() -> Figure:
    """Draw which values share a mean and a variance, kind by kind.

    A cell is one channel of one image, with all its places. The filled cells share one mean;
    heavy lines part those that do not.
    """
    figure, axes = plt.subplots(2, 2, figsize=(SIZE[0], 5.4))
    for axis, (title, shared) in zip(axes.flat, KINDS.items(), strict=True):
        _panel(axis, title, shared)
    return finished(figure)


def _panel(axis: Axes, title: str, shared: Callable[[int, int], tuple[int, int]]) -> None:
    for image in range(IMAGES):
        for channel in range(CHANNELS):
            filled = shared(image, channel) == shared(0, 0)
            axis.add_patch(
                Rectangle(
                    (channel, image), 1, 1, facecolor=ACCENT if filled else CARD, edgecolor=MUTED
                )
            )
    for at in range(1, CHANNELS):
        for image in range(IMAGES):
            if shared(image, at) != shared(image, at - 1):
                axis.plot([at, at], [image, image + 1], color=INK, lw=3)
    for at in range(1, IMAGES):
        for channel in range(CHANNELS):
            if shared(at, channel) != shared(at - 1, channel):
                axis.plot([channel, channel + 1], [at, at], color=INK, lw=3)
    axis.add_patch(Rectangle((0, 0), CHANNELS, IMAGES, fill=False, edgecolor=INK, lw=3))
    axis.set(xlim=(-0.1, CHANNELS + 0.1), ylim=(IMAGES + 0.1, -0.1), aspect="equal")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.set(xlabel="Channels", ylabel="Images")
    axis.set_title(title)
