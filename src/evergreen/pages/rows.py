r"""Rows of a table that are not what their author wrote.

Of a row with more cells than the head has Markdown leaves the rest out in silence. It comes of a
pipe that was meant as a sign, as in the formula ``$|x|$``. And Docutils takes the line break at the
end of ``:header: >``, as MyST's documentation writes it, for one more row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_RULE = re.compile(r"[\s>]*\|?(\s*:?-+:?\s*\|)+(\s*:?-+:?\s*)?\s*")
_PIPE = re.compile(r"(?<!\\)\|")


class RowError(EvergreenError):
    """A row of a table cannot be shown whole."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("doctree-read", _remove_empty)
    app.connect("doctree-read", _refuse)


def _remove_empty(_app: Sphinx, tree: nodes.document) -> None:
    for head in list(tree.findall(nodes.thead)):
        empty = [row for row in head.children if not any(cell.children for cell in row.children)]
        for row in empty if len(empty) < len(head.children) else ():
            head.remove(row)


def _refuse(app: Sphinx, tree: nodes.document) -> None:
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".md" or next(tree.findall(nodes.table), None) is None:
        return
    for line, head, found in _long_rows(path.read_text("utf-8-sig", "replace").splitlines()):
        raise RowError(
            f"{app.env.doc2path(app.env.docname, base=False)}, line {line}: This row of a table "
            f"has {found} cells and its head {head}, so the rest would be left out. Write a | "
            r"that is meant as a sign as \|, and in a formula as \vert."
        )


def _long_rows(lines: list[str]) -> Iterator[tuple[int, int, int]]:
    """Return the lines of such rows, with the number of cells of the head and of the row."""
    fence, head = "", 0
    for number, line in enumerate(lines):
        mark = re.match(r"\s*(`{3,}|~{3,})(\s*\w*\s*$)?", line)
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
        elif mark and mark[2] is not None:  # code, not a directive
            fence = mark[1]
        elif number and _RULE.fullmatch(line) and _cells(lines[number - 1]) == _cells(line):
            head = _cells(line)
        elif head and "|" not in line:
            head = 0
        elif head and _cells(line) > head:
            yield number + 1, head, _cells(line)


def _cells(line: str) -> int:
    return len(_PIPE.split(line.strip(" \t>").removeprefix("|").removesuffix("|")))
