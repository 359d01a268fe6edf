"""Pictures of what normalizations average over, and of differences with their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from support.figures import SMALLEST_TEXT, style, texts, unnamed_colours

from bnlab import figures
from bnlab.differences import Difference
from bnlab.figures import intervals, normalizations


def test_each_panel_fills_what_is_averaged_together() -> None:
    with style():
        figure = normalizations.averaged_over()
        filled = {
            axis.get_title(loc="left"): {
                (int(cell.get_y()), int(cell.get_x()))
                for cell in axis.patches
                if isinstance(cell, Rectangle) and cell.get_facecolor()[:3] == _rgb(figures.ACCENT)
            }
            for axis in figure.axes
        }
        assert min(text.get_fontsize() for text in texts(figure)) >= SMALLEST_TEXT
        assert unnamed_colours(figures.to_svg(figure)) == []
    images, channels = range(normalizations.IMAGES), range(normalizations.CHANNELS)
    assert filled == {
        "Batch norm": {(image, 0) for image in images},
        "Layer norm": {(0, channel) for channel in channels},
        "Group norm": {(0, channel) for channel in range(normalizations.GROUP)},
        "Instance norm": {(0, 0)},
    }


def test_intervals_reach_from_end_to_end_and_no_difference_is_marked() -> None:
    rows = {
        "Far": {"Paired": Difference(2.0, 1.0, 3.0, 0.01, 5, " points")},
        "Near": {"Paired": Difference(0.1, -0.4, 0.6, 0.6, 5, " points")},
    }
    with style():
        (axis,) = intervals.intervals(rows).axes
        drawn = [
            tuple(np.sort(np.concatenate(bars.get_segments())[:, 0])[[0, -1]])
            for container in axis.containers
            for bars in container.lines[2]
        ]
    assert drawn == [pytest.approx((1.0, 3.0)), pytest.approx((-0.4, 0.6))]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == list(rows)
    assert any(list(line.get_xdata()) == [0, 0] for line in axis.lines)


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
