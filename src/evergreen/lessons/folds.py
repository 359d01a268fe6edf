"""The code of a cell that its page folds without a tag: what only checks, or only lays out.

A reader came for the sentence or the table; how it came about unfolds below it.
"""

from __future__ import annotations

import nbformat

from evergreen.lessons.reading import code_cells, tags

CHECK = "How this was checked"
"""What unfolds the code of a cell that shows a claim."""

TABLE = "How this table was made"
"""What unfolds the code of a cell that shows a table and nothing else."""

FOLDED = "folded-below"
"""The tag that such a cell is given; MyST-NB makes the class ``tag_folded-below`` of it."""

SHOWN = "show-input"
"""The tag by which an author keeps the code of a cell open."""

# With one of these, the author has decided.
_DECIDED = frozenset(
    {SHOWN}
    | {f"{what}-{part}" for what in ("hide", "remove") for part in ("input", "output", "cell")}
    | {f"remove_{part}" for part in ("input", "output", "cell")}
)


def fold(notebook: nbformat.NotebookNode, table_lines: int) -> None:
    """Fold the code of cells that show a claim, and long code of those that show a table alone.

    Parameters
    ----------
    notebook : NotebookNode
        With its outputs. Its cells' metadata are changed in place.
    table_lines : int
        Lines of code, blank ones not counted, that a table's cell may have and stay open.
    """
    for cell in code_cells(notebook):
        words = _words(cell, table_lines)
        if words is None or _DECIDED.intersection(tags(cell)):
            continue
        cell.metadata["tags"] = [*tags(cell), "hide-input", FOLDED]
        prompts = {"code_prompt_show": words, "code_prompt_hide": words}
        cell.metadata["mystnb"] = prompts | dict(cell.metadata.get("mystnb") or {})


def _words(cell: nbformat.NotebookNode, table_lines: int) -> str | None:
    """Return what unfolds a cell's code, or None where it stays open."""
    shown = [output for output in cell.outputs if "scrapbook" not in output.get("metadata", {})]
    if any("claim" in output.get("metadata", {}).get("evergreen", {}) for output in shown):
        return CHECK
    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
    return TABLE if lines > table_lines and len(shown) == 1 and _is_table(shown[0]) else None


def _is_table(output: nbformat.NotebookNode) -> bool:
    return output.get("data", {}).get("text/html", "").count("<table") == 1
