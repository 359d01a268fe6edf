"""Figures of runs: their curves, their ends, what they got right; and of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bnlab import data, notebook
from bnlab.catalogue import find
from bnlab.figures.style import ACCENT, INK, SIZE, finished, metric_title, style_of

if TYPE_CHECKING:
    from bnlab.runs.values import Result, Run


def curves(runs: Sequence[Result] | Result) -> Figure:
    """Draw training and validation curves of one run: the loss above, the accuracy below.

    Parameters
    ----------
    runs : Result or sequence of Result
        One run, or several of different networks to be drawn together.
    """
    runs = runs if isinstance(runs, Sequence) else [runs]
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


def notebook_comparison(run: Result, metric: str = "val_accuracy") -> Figure:
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
    axis.set_title(metric_title(metric))
    return finished(figure)


def compared_curves(runs: Mapping[str, Sequence[Result]], metric: str = "val_accuracy") -> Figure:
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
    axis.set_title(metric_title(metric))
    axis.legend()
    return finished(figure)


def seed_points(runs: Mapping[str, Sequence[Result]], metrics: Iterable[str]) -> Figure:
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
        axis.set_title(metric_title(metric))
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
    """Draw the confusion matrix of one run on the test images, as counts of images.

    The colours are for the mistakes alone: the diagonal, which is far larger, has that of 0.
    """
    counts = _counts(run)
    return _map_of_classes(counts, run.network.title, "d", cmap="crest")


def confusion_difference(run: Run, other: Run) -> Figure:
    """Draw how many more test images one run has in each cell than another, with a sign.

    The colours are for the mistakes alone: blue where the first run makes fewer.
    """
    title = f"{run.network.title} minus {other.network.title.lower()}"
    counts = _counts(run) - _counts(other)
    largest = np.abs(_mistakes(counts)).to_numpy().max()
    return _map_of_classes(counts, title, "+d", cmap="vlag", vmin=-largest, vmax=largest)


def _counts(run: Run) -> pd.DataFrame:
    """Count the test images by true class (rows) and predicted class (columns)."""
    counts = pd.crosstab(data.load().test.labels, run.test_predictions)
    return counts.reindex(index=range(10), columns=range(10), fill_value=0)


def _mistakes(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts with zeros on the diagonal."""
    return counts.where(~np.eye(len(counts), dtype=bool), 0)


def _map_of_classes(counts: pd.DataFrame, title: str, form: str, **colours: Any) -> Figure:
    figure, axis = plt.subplots(figsize=(SIZE[0], 5.9))
    sns.heatmap(
        _mistakes(counts),
        annot=counts.map(lambda count: f"{count:{form}}" if count else "0"),
        fmt="",
        cbar=False,
        square=True,
        annot_kws={"size": 10.5},
        xticklabels=data.CLASSES,
        yticklabels=data.CLASSES,
        ax=axis,
        **colours,
    )
    axis.set(xlabel="Predicted", ylabel="True")
    axis.set_title(title)
    axis.tick_params(axis="x", rotation=90)
    return finished(figure)
