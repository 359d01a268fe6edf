"""Formulas as MathJax and KaTeX find them in a notebook's Markdown."""

from __future__ import annotations

import re

# Environments that number their lines, and those for the inside of a formula.
_INNER = {"align": "aligned", "alignat": "alignedat", "equation": "", "gather": "gathered"}
_NUMBERED = re.compile(rf"\\begin\{{({'|'.join(_INNER)})\*?\}}(.*)\\end\{{\1\*?\}}", re.DOTALL)
_LABEL = re.compile(r"\\label\{[^}]*\}")


def inline(tex: str) -> str:
    """Return a formula of a line."""
    return f"${' '.join(tex.split())}$"


def block(tex: str, number: str = "") -> str:
    """Return a formula of its own, with its number as on the page.

    Viewers would number it anew, or not at all.
    """
    tex = re.sub(r"\n\s*\n", "\n", _LABEL.sub("", tex).strip())
    if number and r"\tag" not in tex:
        if found := _NUMBERED.fullmatch(tex):
            name = _INNER[found[1]]
            tex = rf"\begin{{{name}}}{found[2]}\end{{{name}}}" if name else found[2].strip()
        tex = rf"{tex} \tag{{{number}}}"
    return f"$$\n{tex}\n$$"


def in_html(formula: str) -> str:
    """Return a formula for the text of HTML, without a sign that HTML or a viewer takes for its.

    JupyterLab escapes formulas once more, and others do not.
    """
    formula = formula.replace("<", r"\lt ").replace(">", r"\gt ")
    return re.sub(r"&(?=\w)", "& ", formula)
