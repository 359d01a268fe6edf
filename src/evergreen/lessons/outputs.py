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
from evergreen.lessons.showing import GLUED, PICTURES, PLAIN, WIDGET, as_shown, is_known

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
        cell.outputs = [output for output in cell.outputs if not _is_bar(output)]
        displayed = [output for output in cell.outputs if "data" in output]
        for output in displayed:
            output.data = nbformat.from_dict(as_shown(output.data))
        shown = [output for output in displayed if is_shown(output)]
        for output in shown:
            _refuse_unknown(place, output.data)
        _describe(place, options.get("image") or {}, shown, displayed)
        if "figure" in options:
            _refuse_half_a_figure(place, options["figure"], shown)


def _is_bar(output: nbformat.NotebookNode) -> bool:
    """Tell whether an output is a progress bar, drawn as a widget: nothing to keep."""
    data = output.get("data", {})
    return WIDGET in data and bool(_BAR.fullmatch("".join(data.get(PLAIN, "")).strip()))


def is_shown(output: nbformat.NotebookNode) -> bool:
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
            "remove-output: who runs the notebook still gets the widget."
        )
    if not any(is_known(kind) for kind in rich):
        raise LessonError(
            f"{place} shows only {' and '.join(rich)}, which a page cannot show. Let it show text, "
            "HTML or a picture too, or give the cell the tag remove-output."
        )


def _describe(
    place: str,
    image: dict[str, Any],
    shown: list[nbformat.NotebookNode],
    displayed: list[nbformat.NotebookNode],
) -> None:
    """Give each picture of a cell its words; MyST-NB has one text for all of them.

    Where a cell shows none, its words are for the pictures that it glues.
    """
    words = image.get("alt")
    pictures = _pictures(shown)
    if not pictures and words is not None:
        pictures = _pictures(displayed)
    lacking = [one for one in pictures if own_words(*one) is None]
    if lacking and words is None:
        raise LessonError(
            f"{place} shows a picture without words for those who do not see it. Write "
            "them into the cell's options (mystnb: {image: {alt: A rising line.}})."
        )
    each = words if isinstance(words, list) else [words] * bool(lacking)
    if len(each) != len(lacking):
        raise LessonError(
            f"{place} has {len(lacking)} pictures and words for {len(each)} of them. Write a list "
            "with words for each, in their order, into the cell's options (mystnb: {image: {alt: "
            "[A rising line., A falling line.]}})."
        )
    for (output, kind), own in zip(lacking, each, strict=True):
        output.metadata.setdefault(kind, nbformat.NotebookNode())["alt"] = own
    if isinstance(words, list) or (lacking and len(lacking) < len(pictures)):
        del image["alt"]  # else it would be that of every one


def _pictures(outputs: list[nbformat.NotebookNode]) -> list[tuple[nbformat.NotebookNode, str]]:
    """Return the outputs that are pictures, shown or glued, and their types."""
    kinds = [
        picture({kind.removeprefix(GLUED): content for kind, content in output.data.items()})
        for output in outputs
    ]
    return [(output, kind) for output, kind in zip(outputs, kinds, strict=True) if kind]


def picture(data: Mapping[str, Any]) -> str | None:
    """Return the type of the picture that a page shows of an output, if it is one."""
    kinds = [kind for kind in get_mime_priority("html", []) if kind in data]
    return kinds[0] if kinds and kinds[0] in PICTURES else None


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
    results = [output for output in shown if output.data.keys() == {PLAIN}]
    if len(shown) > 1 and len(results) == len(shown) - 1:
        raise LessonError(
            f"{place} is a figure and shows text too: {_beginning(results[0])}. If that is what "
            "its last line gives, end the line with a semicolon; else print it in another cell."
        )
    if len(shown) > 1:
        raise LessonError(
            f"{place} is one figure and shows {len(shown)} outputs, each of which would get its "
            "caption. Show one, for example with plt.subplots, or give each a cell of its own."
        )


def _beginning(output: nbformat.NotebookNode) -> str:
    text = " ".join("".join(output.data[PLAIN]).split())
    return text if len(text) <= 60 else f"{text[:60]} ..."
