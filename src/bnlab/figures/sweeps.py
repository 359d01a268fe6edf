"""Figures of studies, in the style of :mod:`bnlab.figures`: many recipes instead of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bnlab.catalogue import ACTIVATIONS, INITIALIZERS, Network, find
from bnlab.figures.style import ACCENT, CARD, INK, MUTED, SIZE, finished, style_of
from bnlab.studies.ladder import again, best_rate

if TYPE_CHECKING:
    from bnlab.studies.results import Stored, Study


def against(results: Sequence[Stored], field: str, metric: str = "val_accuracy") -> Figure:
    """Draw a final metric against a number of the recipe, on a logarithmic scale.

    A line is the mean over the seeds whose runs have not diverged, in a band of one standard
    deviation either side. Below it is how many have diverged, if any have. A marker is hollow
    where fewer than all seeds are left, or where rounding decides how a run ends; a dagger
    marks the latter.

    Parameters
    ----------
    results : sequence of Stored
    field : str
        A field of :class:`bnlab.recipes.Recipe`, for example ``"learning_rate"``.
    metric : str
        As for :meth:`bnlab.runs.Result.final`.
    """
    values = sorted({getattr(result.recipe, field) for result in results})
    networks = list(dict.fromkeys(result.network for result in results))
    of = {
        network: [
            [r for r in results if (r.network, getattr(r.recipe, field)) == (network, value)]
            for value in values
        ]
        for network in networks
    }
    if any(result.diverged for result in results):
        figure, (axis, below) = plt.subplots(
            2, 1, sharex=True, figsize=(SIZE[0], 5.8), height_ratios=(4, 1)
        )
        _count_diverged(below, values, of)
    else:
        figure, below = plt.subplots(figsize=(SIZE[0], 4.6))
        axis = below
    for network, settings in of.items():
        finals = [[r.final(metric) for r in setting if not r.diverged] for setting in settings]
        mean = np.array([np.mean(row) if row else np.nan for row in finals])
        sd = np.array([np.std(row, ddof=1) if len(row) > 1 else 0 for row in finals])
        axis.fill_between(values, mean - sd, mean + sd, color=network.color, alpha=0.25, lw=0)
        axis.plot(values, mean, label=network.title, **style_of(network))
        marked = np.array([_is_hollow(setting) for setting in settings])
        if marked.any():
            places = np.array(values)[marked]
            axis.plot(places, mean[marked], network.marker, **_hollow(network.color))
    if hollow := [
        setting for settings in of.values() for setting in settings if _is_hollow(setting)
    ]:
        decided = all(any(result.sensitive for result in setting) for setting in hollow)
        label = "Rounding decides" if decided else "Fewer seeds, or rounding decides"
        axis.plot([], [], "o", label=label, **_hollow(INK))
    axis.set_title(f"Final {metric.replace('val_', 'validation ').replace('_', ' ')}")
    axis.legend()
    below.set_xscale("log")
    below.minorticks_off()
    # Of many values the powers of ten are named: all would overlap on a phone.
    named = [len(values) <= 6 or f"{value:e}".startswith("1.0") for value in values]
    below.set_xticks(
        values, [f"{value:g}" if name else "" for value, name in zip(values, named, strict=True)]
    )
    below.set_xlabel(field.replace("_", " ").capitalize())
    return finished(figure)


def _is_hollow(setting: Sequence[Stored]) -> bool:
    """Tell whether the mean of a setting's seeds is shown, and is not to be relied on."""
    left = [result for result in setting if not result.diverged]
    return bool(left) and (len(left) < len(setting) or any(result.sensitive for result in setting))


def _hollow(color: str) -> dict[str, Any]:
    return {"color": color, "markerfacecolor": CARD, "markersize": 9, "markeredgewidth": 2}


def _count_diverged(
    axis: Axes, values: Sequence[float], of: dict[Network, list[list[Stored]]]
) -> None:
    for row, settings in enumerate(of.values()):
        for value, setting in zip(values, settings, strict=True):
            if count := sum(result.diverged for result in setting):
                mark = "†" if any(result.sensitive for result in setting) else ""
                axis.text(value, row, f"{count}{mark}", ha="center", va="center", color=INK)
    axis.set_yticks(range(len(of)), [network.title for network in of])
    axis.set_ylim(len(of) - 0.5, -0.5)
    daggers = any(text.get_text().endswith("†") for text in axis.texts)
    axis.set_title("Diverged runs" + " († rounding decides)" * daggers)


def combinations(results: Sequence[Stored], metric: str = "val_accuracy") -> Figure:
    """Draw each run's final metric by activation and initializer, a row for each pair.

    The networks lie one above the other in a row: a point for each seed, and a bar of one
    standard deviation either side of the mean.
    """
    pairs = list(dict.fromkeys(result.recipe.hidden for result in results))
    networks = list(dict.fromkeys(result.recipe.network for result in results))
    figure, axis = plt.subplots(figsize=(SIZE[0], 1.3 + 1.1 * len(pairs)))
    for place, name in enumerate(networks):
        network = find(name)
        label = network.title
        for row, pair in enumerate(pairs):
            height = row + 0.25 * (place - (len(networks) - 1) / 2)
            setting = [
                result
                for result in results
                if result.recipe.network == name and result.recipe.hidden == pair
            ]
            values = np.array([result.final(metric) for result in setting])
            marked = any(result.sensitive for result in setting)
            axis.errorbar(
                values.mean(), height, xerr=values.std(ddof=1), fmt="none", ecolor=INK, capsize=5
            )
            axis.plot(
                values,
                [height] * len(values),
                network.marker,
                color=network.color,
                alpha=0.75,
                markerfacecolor=CARD if marked else network.color,
                label=label,
            )
            label = "_"  # in the legend once
    axis.set_yticks(
        range(len(pairs)),
        [f"{ACTIVATIONS[activation]},\n{INITIALIZERS[initial]}" for activation, initial in pairs],
    )
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    axis.xaxis.set_major_locator(plt.MaxNLocator(5, steps=(1, 2, 5, 10)))
    axis.set_title(f"Final {metric.replace('val_', 'validation ').replace('_', ' ')}")
    # Below the axes: among the points a legend's marks would pass for some.
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.4, -0.06), ncols=3, columnspacing=1, handletextpad=0.1
    )
    return finished(figure)


def ladder(
    rungs: Mapping[str, Mapping[float, Sequence[Stored]]], rate: float, best: Study
) -> Figure:
    """Draw test accuracy rung by rung: at one learning rate, and at each rung's best.

    A marker is the mean over the seeds, with a bar of one standard deviation either side.

    Parameters
    ----------
    rungs : mapping of str to mapping of float to sequence of Stored
        As of :func:`bnlab.studies.rungs`.
    rate : float
        The learning rate.
    best : Study
        Has the runs at the best rates, with seeds that did not choose these.
    """
    figure, axis = plt.subplots(figsize=(SIZE[0], 1.4 + 0.5 * len(rungs)))
    labels = f"Learning rate {rate:g}", "Its best learning rate"
    for row, by_rate in enumerate(rungs.values()):
        shown = by_rate[rate], again(best, by_rate[best_rate(by_rate)])
        means = []
        for results, label, marker, fill in zip(shown, labels, "os", (CARD, ACCENT), strict=True):
            values = np.array([result.final("test_accuracy") for result in results])
            means.append(values.mean())
            axis.errorbar(
                values.mean(),
                row,
                xerr=values.std(ddof=1),
                fmt=marker,
                color=ACCENT,
                markerfacecolor=fill,
                markeredgewidth=2,
                markersize=9,
                capsize=4,
                label=label if row == 0 else "_",
                zorder=3,
            )
        axis.plot(means, [row, row], color=MUTED, lw=1, zorder=1)
    axis.set_yticks(range(len(rungs)), [_on_two_lines(title) for title in rungs])
    axis.set_ylim(len(rungs) - 0.5, -0.5)
    axis.xaxis.set_major_locator(plt.MaxNLocator(5, steps=(1, 2, 5, 10)))
    axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axis.set_title("Test accuracy after ten epochs")
    axis.legend(loc="upper center", bbox_to_anchor=(0.3, -0.07), ncols=2)
    return finished(figure)


def _on_two_lines(title: str) -> str:
    return ",\n".join(title.split(", ", 1)) if len(title) > 20 else title
