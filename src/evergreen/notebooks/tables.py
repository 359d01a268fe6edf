"""A table as the pipe table of Markdown, if that can hold it."""

from __future__ import annotations

from typing import Protocol

from docutils import nodes


class Lines(Protocol):
    """Writes what stands in a line."""

    def line(self, parent: nodes.Element) -> str:
        """Return its Markdown."""


def write(table: nodes.table, writer: Lines) -> str | None:
    """Return a table as Markdown, or None where that has no form for it.

    It has none for cells that span others or hold more than a line, and a head of one row.
    """
    head = list(table.findall(nodes.thead))
    rows = list(table.findall(nodes.row))
    entries = [entry for row in rows for entry in row.children]
    is_plain = (
        len(head) == 1
        and len(head[0].children) == 1
        and not any(column.get("stub") for column in table.findall(nodes.colspec))
        and all(map(_is_line, entries))
    )
    if not is_plain:
        return None
    cells = [
        [writer.line(entry[0]) if entry.children else "" for entry in row.children] for row in rows
    ]
    ruled = [_rule(entry) for entry in rows[0].children]
    lines = [[cell.replace("\n", " ").replace("|", "&#124;") for cell in row] for row in cells]
    return "\n".join(f"| {' | '.join(row)} |" for row in (lines[0], ruled, *lines[1:]))


def _is_line(entry: nodes.entry) -> bool:
    """Tell whether a cell holds a line whose pipes can be written otherwise."""
    if entry.get("morecols") or entry.get("morerows") or len(entry.children) > 1:
        return False
    if any(entry.findall(nodes.raw)):
        return False
    fixed = (*entry.findall(nodes.math), *entry.findall(nodes.literal))
    return all(isinstance(part, nodes.paragraph) for part in entry.children) and not any(
        "|" in part.astext() for part in fixed
    )


def _rule(entry: nodes.entry) -> str:
    classes = entry["classes"]
    left, right = "text-left" in classes, "text-right" in classes
    center = "text-center" in classes
    return f"{':' if left or center else '-'}-{':' if right or center else '-'}"
