"""The picture of the normalizations fills what shares a mean, and follows the page's theme."""

from __future__ import annotations

from matplotlib.patches import Rectangle
from support.figures import SMALLEST_TEXT, style, texts, unnamed_colours

from bnlab import figures
from bnlab.figures import normalizations


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


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
