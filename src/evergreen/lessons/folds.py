"""The code of a cell that its page folds without a tag: what only checks, or only lays out.

A reader came for the sentence, the table or the picture; how it came about unfolds below it.
"""

from __future__ import annotations

import nbformat

from evergreen.lessons.outputs import picture
from evergreen.lessons.reading import code_cells, tags

CHECK = "How this was checked"
"""What unfolds the code of a cell that shows a claim."""

TABLE, FIGURE = "How this table was made", "How this figure was drawn"
"""What unfolds the code of a cell that shows a table, or a picture, and nothing else."""

FOLDED = "folded-below"
"""The tag that such a cell is given; MyST-NB makes the class ``tag_folded-below`` of it."""

SHOWN = "show-input"
"""The tag by which an author keeps the code of a cell open."""

_HIDE = "hide-input"
# With one of these, the author has decided.
_DECIDED = frozenset(
    {SHOWN, "hide-output", "hide-cell"}
    | {f"remove{mark}{part}" for mark in "-_" for part in ("input", "output", "cell")}
)


def fold(notebook: nbformat.NotebookNode, display_lines: int) -> None:
    """Fold the code of cells that show a claim, and long code of those that only display.

    Parameters
    ----------
    notebook : NotebookNode
        With its outputs. Its cells' metadata are changed in place.
    display_lines : int
        Lines of code, blank ones not counted, that the cell of a table or a picture may have
        and stay open.
    """
    for cell in code_cells(notebook):
        words, hidden = _words(cell), _HIDE in tags(cell)
        if words is None or _DECIDED.intersection(tags(cell)):
            continue
        lines = sum(bool(line.strip()) for line in cell.source.splitlines())
        if words == CHECK or hidden or lines > display_lines:
            cell.metadata["tags"] = [*tags(cell), *([] if hidden else [_HIDE]), FOLDED]
            prompts = {"code_prompt_show": words, "code_prompt_hide": words}
            cell.metadata["mystnb"] = prompts | dict(cell.metadata.get("mystnb") or {})


def _words(cell: nbformat.NotebookNode) -> str | None:
    """Return what would unfold a cell's code, or None where it is never folded."""
    shown = [output for output in cell.outputs if "scrapbook" not in output.get("metadata", {})]
    if any("claim" in output.get("metadata", {}).get("evergreen", {}) for output in shown):
        return CHECK
    if len(shown) != 1 or "data" not in shown[0]:
        return None
    if picture(shown[0].data):
        return FIGURE
    return TABLE if shown[0].data.get("text/html", "").count("<table") == 1 else None
