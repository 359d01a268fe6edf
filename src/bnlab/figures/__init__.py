"""Figures in one style and one palette, right on light and on dark pages."""

from bnlab.figures.drawings import (
    compared_curves,
    confusion,
    confusion_difference,
    curves,
    garments,
    notebook_comparison,
    seed_points,
)
from bnlab.figures.style import (
    ACCENT,
    CARD,
    COLORS,
    GRID,
    INK,
    MUTED,
    SIZE,
    finished,
    style_of,
    to_svg,
    use_style,
)

__all__ = [
    "ACCENT",
    "CARD",
    "COLORS",
    "GRID",
    "INK",
    "MUTED",
    "SIZE",
    "compared_curves",
    "confusion",
    "confusion_difference",
    "curves",
    "finished",
    "garments",
    "notebook_comparison",
    "seed_points",
    "style_of",
    "to_svg",
    "use_style",
]
