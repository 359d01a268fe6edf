"""What the cells of a lesson show, as a page can show it, or the sentence that says it cannot.

MyST-NB leaves out an output of a kind that it does not know, and a place stays empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import nbformat
from myst_nb.core.render import get_mime_priority

from evergreen.lessons.reading import Document, LessonError, tags

PLOTLY = "https://cdn.plot.ly/plotly.min.js"
"""Where Plotly's own outputs look for its script."""

MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/3.2.2/es5/tex-svg.min.js"
"""Where they look for what draws formulas in their labels."""

GLUED = "application/papermill.record/"
"""What a type begins with of an output that MyST-NB's ``glue`` keeps for elsewhere."""

_PICTURES = ("image/svg+xml", "image/png", "image/gif", "image/jpeg")
_WIDGET = "application/vnd.jupyter.widget-view+json"
_HIDDEN = {"remove-cell", "remove-output", "remove_cell", "remove_output"}
_FORMULA = re.compile(r'"\$[^"]+\$"')
# Shown only where there is nothing better, so it may say as little as `<Chart object at 0x1>`.
_PLAIN = "text/plain"


def prepare(document: Document, notebook: nbformat.NotebookNode) -> None:
    """Leave in a notebook's outputs what its page shows.

    Parameters
    ----------
    document : Document
    notebook : NotebookNode
        The document as a notebook with its outputs. These are changed in place.

    Raises
    ------
    LessonError
        If an output cannot be shown, or shows a picture that nothing describes.
    """
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or _HIDDEN.intersection(tags(cell)):
            continue
        place = document.place(notebook, index)
        options = cell.metadata.get("mystnb") or {}
        image = options.get("image") or {}
        displayed = [output for output in cell.outputs if "data" in output]
        for output in displayed:
            output.data = nbformat.from_dict(as_shown(output.data))
        shown = [output for output in displayed if _is_shown(output)]
        for output in shown:
            _refuse_unknown(place, output.data)
        for output in shown:
            kind = _picture(output.data)
            if kind and own_words(output, kind) is None and "alt" not in image:
                raise LessonError(
                    f"{place} shows a picture without words for those who do not see it. Write "
                    "them into the cell's options (mystnb: {image: {alt: A rising line.}})."
                )
        if "figure" in options:
            _refuse_half_a_figure(place, options["figure"], shown)


def as_shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output's data by those types that a page can show, if there is one at all."""
    if _PLOTLY_FIGURE in data and "text/html" not in data:
        data = {**data, "text/html": _plotly(data[_PLOTLY_FIGURE])}
    known = {kind: content for kind, content in data.items() if _is_known(kind)}
    if known.keys() - {_PLAIN, _WIDGET}:
        known.pop(_WIDGET, None)  # its script would come from another host
    else:
        return dict(data)
    return known


def _is_known(kind: str) -> bool:
    return kind.removeprefix(GLUED) in get_mime_priority("html", [])


def _is_shown(output: nbformat.NotebookNode) -> bool:
    """Tell whether an output stands where its cell does."""
    glued = output.get("metadata", {}).get("scrapbook")
    return not (glued and glued.get("mime_prefix"))


def _refuse_unknown(place: str, data: Mapping[str, Any]) -> None:
    if data.keys() == {_PLAIN}:
        return
    if not data:
        return
    rich = [kind for kind in data if kind != _PLAIN]
    if rich == [_WIDGET]:
        raise LessonError(
            f"{place} shows a widget, which needs a running kernel or a script of another host. "
            "Show what it would show as text, a table or a picture, or give the cell the tag "
            "remove-output."
        )
    if not any(_is_known(kind) for kind in rich):
        raise LessonError(
            f"{place} shows only {' and '.join(rich)}, which a page cannot show. Let it show text, "
            "HTML or a picture too, or give the cell the tag remove-output."
        )


def _picture(data: Mapping[str, Any]) -> str | None:
    """Return the type of the picture that a page shows of an output, if it is one."""
    kinds = [kind for kind in get_mime_priority("html", []) if kind in data]
    return kinds[0] if kinds and kinds[0] in _PICTURES else None


def own_words(output: nbformat.NotebookNode, kind: str | None) -> str | None:
    """Return what an output says of its picture, as ``IPython.display.Image(alt=...)`` does."""
    about = (output.get("metadata") or {}).get(kind)
    return about.get("alt") if isinstance(about, Mapping) else None


def _refuse_half_a_figure(
    place: str, figure: Mapping[str, Any] | None, shown: list[nbformat.NotebookNode]
) -> None:
    if not str((figure or {}).get("caption") or "").strip():
        raise LessonError(
            f"{place} is a figure without a caption. Write one into the cell's options (mystnb: "
            "{figure: {caption: What it shows.}}), or take `figure` out of them."
        )
    if not shown:
        raise LessonError(
            f"{place} is to be a figure and shows nothing. Let its last line show the picture, or "
            "take `figure` out of the cell's options."
        )


_PLOTLY_FIGURE = "application/vnd.plotly.v1+json"


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
    formulas = f'<script src="{MATHJAX}"></script>' if _FORMULA.search(arguments) else ""
    return (
        f'{formulas}<script src="{PLOTLY}"></script>\n'
        f'<div class="plotly-graph-div" style="height:{height}px; width:100%;"></div>\n'
        "<script>Plotly.newPlot(document.currentScript.previousElementSibling, "
        f"{arguments});</script>"
    )
