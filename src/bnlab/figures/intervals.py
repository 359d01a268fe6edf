"""A figure of differences with their intervals, one row for each comparison."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bnlab.differences import CONFIDENCE, Difference
from bnlab.figures.style import ACCENT, CARD, INK, MUTED, SIZE, finished

_LOOKS = (("o", MUTED, CARD), ("D", INK, INK), ("s", ACCENT, ACCENT))


def intervals(rows: Mapping[str, Mapping[str, Difference]]) -> Figure:
    """Draw each difference as a marker on its interval, and a line at no difference.

    Parameters
    ----------
    rows : mapping of str to mapping of str to Difference
        By what is compared, and by the kind of interval: the same one to three kinds, in the same
        order, in each row.
    """
    figure, axis = plt.subplots(figsize=(SIZE[0], 1.6 + 0.8 * len(rows)))
    axis.axvline(0, color=MUTED, lw=1.2, zorder=1)
    for row, kinds in enumerate(rows.values()):
        for place, ((kind, found), (marker, color, fill)) in enumerate(
            zip(kinds.items(), _LOOKS, strict=False)
        ):
            at = row + 0.22 * (place - (len(kinds) - 1) / 2)
            axis.errorbar(
                found.mean,
                at,
                xerr=[[found.mean - found.low], [found.high - found.mean]],
                fmt=marker,
                color=color,
                markerfacecolor=fill,
                markeredgewidth=2,
                capsize=4,
                label="_" if row else kind,
                zorder=3,
            )
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_title(f"Difference in points, {CONFIDENCE:.0%} intervals")
    figure.legend(loc="outside lower center", ncols=3)
    return finished(figure)
