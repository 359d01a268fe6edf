"""Formulas as MathJax and KaTeX find them in a notebook's Markdown."""

from __future__ import annotations

import re


def inline(tex: str) -> str:
    """Return a formula of a line."""
    return f"${' '.join(tex.split())}$"


def block(tex: str, number: str = "") -> str:
    """Return a formula of its own, with its number as on the page.

    Viewers would number it anew, or not at all.
    """
    tag = rf" \tag{{{number}}}" if number else ""
    return f"$$\n{tex}{tag}\n$$"


def in_html(formula: str) -> str:
    """Return a formula for the text of HTML, without a sign that HTML or a viewer takes for its.

    JupyterLab escapes formulas once more, and others do not.
    """
    formula = formula.replace("<", r"\lt ").replace(">", r"\gt ")
    return re.sub(r"&(?=\w)", "& ", formula)
