"""An output's data by types that a page can show: what Jupyter's viewers do with other types."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from myst_nb.core.render import get_mime_priority

PLOTLY = "https://cdn.plot.ly/plotly.min.js"
"""Where Plotly's own outputs look for its script."""

MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/3.2.2/es5/tex-svg.min.js"
"""Where they look for what draws formulas in their labels."""

GLUED = "application/papermill.record/"
"""What a type begins with of an output that MyST-NB's ``glue`` keeps for elsewhere."""

PLAIN = "text/plain"
"""Shown only where there is nothing better: it may say as little as ``<Chart at 0x1>``."""

WIDGET = "application/vnd.jupyter.widget-view+json"
"""What needs a kernel to be drawn."""

PICTURES = ("image/svg+xml", "image/png", "image/gif", "image/jpeg")
"""The types of pictures that a page can show."""

_PLOTLY_FIGURE = "application/vnd.plotly.v1+json"
_SCRIPT, _JSON, _LATEX = "application/javascript", "application/json", "text/latex"
_FORMULA_IN_LABEL = re.compile(r'"\$[^"]+\$"')
_ENVIRONMENT = re.compile(
    r"\\begin\{(equation|align|gather|multline|eqnarray|alignat|flalign)(\*?)\}(.*?)\\end\{\1\2\}",
    re.DOTALL,
)
_SOLE_FORMULA = re.compile(
    r"\s*(\$\$[^$]*\$\$|\$[^$]*\$|\\\[((?!\\\[).)*\\\]|\\\(((?!\\\().)*\\\))\s*", re.DOTALL
)
_MARK = re.compile(r"\\[(\[]|(?<!\\)\$")
_ANY_TAG = re.compile(r"<[^>]*>")
_ESCAPE = re.compile(r"\x1b\[[\d;]*m")
# Of 16 million, which MyST-NB does not know.
_TRUE_COLOUR = re.compile(r"\x1b\[[\d;]*[34]8;2;")
# NumPy 2 calls a number by its type, and a page should not.
_NUMPY = re.compile(r"np\.(?:float|int|uint|str|bool)\w*\((.*)\)")


def as_shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output's data by those types that a page can show, if there is one at all."""
    shown = dict(data)
    if _is_same_text(_text(shown.get("text/html", "")), _text(shown.get(PLAIN, ""))):
        return {PLAIN: shown[PLAIN]}
    if "text/html" not in shown:
        if _PLOTLY_FIGURE in shown:
            shown["text/html"] = _plotly(shown[_PLOTLY_FIGURE])
        elif _SCRIPT in shown:
            shown["text/html"] = _script(_text(shown.pop(_SCRIPT)))
        elif _LATEX in shown and _is_prose(latex := _text(shown[_LATEX])):
            shown["text/markdown"] = _markdown(latex)
            del shown[_LATEX]
    if _LATEX in shown:
        # As Jupyter does: of a formula of SymPy's, the formula and not the picture of it.
        shown = {kind: content for kind, content in shown.items() if kind not in PICTURES}
    glued = GLUED + PLAIN
    if glued in shown and (number := _NUMPY.fullmatch(_text(shown[glued]))):
        shown[glued] = number[1]
    known = {kind: content for kind, content in shown.items() if is_known(kind)}
    if known.keys() - {PLAIN, WIDGET}:
        known.pop(WIDGET, None)  # its script would come from another host
        return known
    if _JSON in shown:
        return {PLAIN: json.dumps(shown[_JSON], indent=2, ensure_ascii=False)}
    return dict(data)


def is_known(kind: str) -> bool:
    """Tell whether MyST-NB shows a type of output."""
    return kind.removeprefix(GLUED) in get_mime_priority("html", [])


def _text(content: str | list[str]) -> str:
    return content if isinstance(content, str) else "".join(content)


def _is_same_text(html: str, plain: str) -> bool:
    """Tell whether HTML is a terminal's text in colours that suit one ground, as Rich writes it.

    The text itself has colours by name, which a page can suit to its ground.
    """
    if not html.startswith("<pre") or "<a " in html or _TRUE_COLOUR.search(plain):
        return False
    return unescape(_ANY_TAG.sub("", html)).strip() == _ESCAPE.sub("", plain).strip()


def _script(code: str) -> str:
    """Return the HTML that runs a script as Jupyter does: with an ``element`` to draw in."""
    draw = f"(element => {{\n{code}\n}})(document.currentScript.previousElementSibling);"
    return f"<div></div><script>{draw}</script>"


def _is_prose(latex: str) -> bool:
    """Tell whether LaTeX is text with formulas, where MyST-NB takes all of it for one."""
    return bool(_MARK.search(latex)) and not _SOLE_FORMULA.fullmatch(latex)


def _markdown(latex: str) -> str:
    """Return text with formulas as Markdown."""
    parts = re.split(r"(\$\$.*?\$\$|\\\[.*?\\\]|(?<!\\)\$.*?(?<!\\)\$)", latex, flags=re.DOTALL)
    for index, part in enumerate(parts):
        if part.startswith(r"\["):
            parts[index] = f"\n\n$$\n{part[2:-2]}\n$$\n\n"
        elif not part.startswith("$"):
            part = re.sub(r"\\\((.*?)\\\)", r"$\1$", part, flags=re.DOTALL)
            # Without numbers, which a notebook gives to no output.
            parts[index] = _ENVIRONMENT.sub("\n\n$$\n\\\\begin{\\1*}\\3\\\\end{\\1*}\n$$\n\n", part)
    return "".join(parts)


def _plotly(figure: str | Mapping[str, Any]) -> str:
    """Return the HTML of a figure of Plotly's: what a notebook draws from its data."""
    parts = json.loads(figure) if isinstance(figure, str) else figure
    layout = parts.get("layout") or {}
    settings = {"responsive": True, **(parts.get("config") or {})}
    arguments = ", ".join(
        # An end tag within would end the script.
        json.dumps(part).replace("</", "<\\/")
        for part in (parts.get("data") or [], layout, settings)
    )
    height = layout.get("height") or 450
    formulas = f'<script src="{MATHJAX}"></script>' if _FORMULA_IN_LABEL.search(arguments) else ""
    return (
        f'{formulas}<script src="{PLOTLY}"></script>\n'
        f'<div class="plotly-graph-div" style="height:{height}px; width:100%;"></div>\n'
        "<script>Plotly.newPlot(document.currentScript.previousElementSibling, "
        f"{arguments});</script>"
    )
