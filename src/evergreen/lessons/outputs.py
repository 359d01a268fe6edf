"""What the cells of a lesson show, as a page can show it, or the sentence that says it cannot.

MyST-NB leaves out an output of a kind that it does not know, and a place stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nbformat
from myst_nb.core.render import get_mime_priority

from evergreen.lessons.reading import Document, LessonError, tags
from evergreen.lessons.showing import PLAIN, WIDGET, as_shown, is_known

_PICTURES = ("image/svg+xml", "image/png", "image/gif", "image/jpeg")
_HIDDEN = {"remove-cell", "remove-output", "remove_cell", "remove_output"}
# The last state of tqdm's bar.
_BAR = re.compile(r"(.*:)?\s*\d+(%\||it \[).*\]", re.DOTALL)


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
        cell.outputs = [output for output in cell.outputs if not _is_bar(output)]
        displayed = [output for output in cell.outputs if "data" in output]
        for output in displayed:
            output.data = nbformat.from_dict(as_shown(output.data))
        shown = [output for output in displayed if _is_shown(output)]
        for output in shown:
            _refuse_unknown(place, output.data)
        for output in shown:
            kind = picture(output.data)
            if kind and own_words(output, kind) is None and "alt" not in image:
                raise LessonError(
                    f"{place} shows a picture without words for those who do not see it. Write "
                    "them into the cell's options (mystnb: {image: {alt: A rising line.}})."
                )
        if "figure" in options:
            _refuse_half_a_figure(place, options["figure"], shown)


def _is_bar(output: nbformat.NotebookNode) -> bool:
    """Tell whether an output is a progress bar, drawn as a widget: nothing to keep."""
    data = output.get("data", {})
    return WIDGET in data and bool(_BAR.fullmatch("".join(data.get(PLAIN, "")).strip()))


def _is_shown(output: nbformat.NotebookNode) -> bool:
    """Tell whether an output stands where its cell does."""
    glued = output.get("metadata", {}).get("scrapbook")
    return not (glued and glued.get("mime_prefix"))


def _refuse_unknown(place: str, data: Mapping[str, Any]) -> None:
    if data.keys() == {PLAIN}:
        return
    if not data:
        return
    rich = [kind for kind in data if kind != PLAIN]
    if rich == [WIDGET]:
        raise LessonError(
            f"{place} shows a widget, which needs a running kernel or a script of another host. "
            "Show what it would show as text, a table or a picture, or give the cell the tag "
            "remove-output."
        )
    if not any(is_known(kind) for kind in rich):
        raise LessonError(
            f"{place} shows only {' and '.join(rich)}, which a page cannot show. Let it show text, "
            "HTML or a picture too, or give the cell the tag remove-output."
        )


def picture(data: Mapping[str, Any]) -> str | None:
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
    if len(shown) > 1:
        raise LessonError(
            f"{place} is one figure and shows {len(shown)} outputs, each of which would get its "
            "caption. Show one, for example with plt.subplots, or give each a cell of its own."
        )
