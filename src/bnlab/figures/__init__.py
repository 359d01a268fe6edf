"""Figures in one style and one palette, right on light and on dark pages."""

from bnlab.figures.drawings import *  # noqa: F403
