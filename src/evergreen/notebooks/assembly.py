"""A lesson's notebook: its page's prose in plain Markdown, and its executed cells.

It is made of two things that the build has at hand: the page's resolved document tree, for
the prose, and the executed notebook, for code and outputs. Its first code provides what the
lesson needs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evergreen.notebooks.markdown import Cell, Writer
from evergreen.pages.shared import bibliography

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def assemble(
    app: Sphinx,
    name: str,
    tree: nodes.document,
    executed: nbformat.NotebookNode,
    providing: Iterable[str],
) -> nbformat.NotebookNode:
    """Return the notebook of a page.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    name : str
        The page's document name.
    tree : docutils.nodes.document
        Its resolved document tree.
    executed : NotebookNode
        Its cells with their outputs.
    providing : iterable of str
        Code to run first, a cell each.

    Raises
    ------
    MarkdownError
        If the page holds something that cannot be put into a notebook.
    """
    numbers = app.env.toc_fignumbers.get(name, {})

    def number(kind: str, identifier: str) -> str:
        return ".".join(map(str, numbers.get(kind, {}).get(identifier, ())))

    cells: list[nbformat.NotebookNode] = []
    done = 0
    for piece in Writer(lambda uri: _absolute(app, name, uri), number).pieces(tree):
        if isinstance(piece, Cell):
            # The page leaves out cells that the notebook may need to run.
            for index in range(done, piece + 1):
                if executed.cells[index].cell_type == "code":
                    cells += _code(executed.cells[index])
            done = piece + 1
        else:
            folded = {"jp-MarkdownHeadingCollapsed": True} if piece.folded else {}
            cells.append(new_markdown_cell(str(piece), metadata=folded))
    kinds = [cell.cell_type for cell in cells]
    first = kinds.index("code") if "code" in kinds else len(kinds)
    cells[first:first] = [new_code_cell(code, execution_count=1) for code in providing]
    _number(cells)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    language = {"name": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": language})


def _number(cells: list[nbformat.NotebookNode]) -> None:
    """Count the executed cells anew, and give each cell a name that is the same in every build."""
    count = 0
    for index, cell in enumerate(cells):
        cell.id = f"cell-{index}"
        if cell.get("execution_count"):
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = count


def _code(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return a code cell with the outputs that a reader sees."""
    tags = cell.metadata.get("tags", [])
    if "remove-cell" in tags and not _binds(cell.source):
        return []  # it only glued numbers, which are part of the prose by now
    metadata: dict[str, Any] = {}
    if any(tag.startswith(("remove-", "hide-")) for tag in tags):
        metadata["jupyter"] = {"source_hidden": True}
    if executing := [tag for tag in tags if tag in ("skip-execution", "raises-exception")]:
        metadata["tags"] = executing
    return [
        new_code_cell(
            cell.source,
            execution_count=cell.execution_count,
            outputs=[o for o in cell.outputs if "scrapbook" not in o.get("metadata", {})],
            metadata=metadata,
        )
    ]


def _binds(source: str) -> bool:
    """Return whether code does more than evaluate expressions."""
    return not all(isinstance(statement, ast.Expr) for statement in ast.parse(source).body)


def _absolute(app: Sphinx, name: str, uri: str) -> str | None:
    """Return an address that holds outside the site, or None where there is none.

    A citation leads to the work itself, another page to where the site is published.
    """
    parts = urlsplit(uri)
    if parts.scheme:
        return uri
    works = bibliography(app.env)
    for work in works.citations if works else ():
        if work.citation_id == parts.fragment:
            fields = work.entry.fields
            if "doi" in fields:
                return f"https://doi.org/{fields['doi']}"
            if "url" in fields:
                return str(fields["url"])
    within = parts.fragment and not parts.path
    if within or not app.config.html_baseurl:
        return None
    return urljoin(f"{app.config.html_baseurl.rstrip('/')}/{name}.html", uri)
