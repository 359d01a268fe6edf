"""A lesson's notebook: its page's prose in plain Markdown, and its executed cells.

It is made of two things that the build has at hand: the page's resolved document tree, for
the prose, and the executed notebook, for code and outputs. Its first code provides what the
lesson needs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evergreen.lessons.outputs import is_shown
from evergreen.notebooks.markdown import Cell, Writer
from evergreen.notebooks.rendering import Page
from evergreen.pages.shared import bibliography

# What holds anywhere; other schemes run a script, or lead into the author's own machine.
_SCHEMES = frozenset({"data", "doi", "ftp", "http", "https", "mailto", "tel"})

# What JupyterLab notes of a heading whose section is folded.
_FOLDED = "jp-MarkdownHeadingCollapsed"

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def assemble(
    app: Sphinx,
    name: str,
    tree: nodes.document,
    executed: nbformat.NotebookNode,
    providing: Iterable[str],
    notebooks: Mapping[str, str],
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
    notebooks : mapping of str to str
        Where the notebooks of all pages lie, by the pages' names.
    """
    page = Page(app, name, tree, lambda uri: _absolute(app, name, uri, notebooks))
    cells: list[nbformat.NotebookNode] = []
    done = 0
    for piece in Writer(page).pieces(tree):
        if isinstance(piece, Cell):
            # The page leaves out cells that the notebook may need to run.
            cells += map(_code, _code_cells(executed.cells[done : piece + 1]))
            done = piece + 1
        else:
            folded = {_FOLDED: True} if piece.folded else {}
            cells.append(new_markdown_cell(str(piece), metadata=folded))
    cells += map(_code, _code_cells(executed.cells[done:]))
    kinds = [cell.cell_type for cell in cells]
    first = kinds.index("code") if "code" in kinds else len(kinds)
    cells[first:first] = [new_code_cell(code, execution_count=1) for code in providing]
    _number(cells)
    metadata: dict[str, Any] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    folded_cells = [cell for cell in cells if _FOLDED in cell.metadata]
    for cell in folded_cells:
        cell.metadata["id"] = cell.id  # by which Colab calls it
    if folded_cells:
        metadata["colab"] = {"collapsed_sections": [cell.id for cell in folded_cells]}
    return new_notebook(cells=cells, metadata=metadata)


def _code_cells(cells: Iterable[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    return (cell for cell in cells if cell.cell_type == "code")


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


def _code(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a code cell, in which is folded what the page folds or leaves out.

    Whatever a later cell may need runs: a seed or an option that the page leaves out too.
    """
    tags = {tag.replace("_", "-") for tag in cell.metadata.get("tags", [])}  # as MyST-NB does
    metadata: dict[str, Any] = {}
    if tags & {"hide-input", "remove-input", "hide-cell", "remove-cell"}:
        metadata["jupyter"] = {"source_hidden": True}
        metadata["cellView"] = "form"  # as Colab calls it
    if tags & {"hide-output", "remove-output", "hide-cell", "remove-cell"}:
        metadata.setdefault("jupyter", {})["outputs_hidden"] = True
        metadata["collapsed"] = True  # as the notebook format and Colab call it
    if executing := sorted(tags & {"skip-execution", "raises-exception"}):
        metadata["tags"] = executing
    return new_code_cell(
        cell.source,
        execution_count=cell.execution_count,
        outputs=[output for output in cell.outputs if is_shown(output)],
        metadata=metadata,
    )


def _absolute(app: Sphinx, name: str, uri: str, notebooks: Mapping[str, str]) -> str | None:
    """Return an address that holds outside the site, or None where there is none.

    A citation leads to the work itself, another page to where the site is published. If that
    is not known, another lesson leads to its notebook.
    """
    parts = urlsplit(uri)
    if parts.scheme or parts.netloc:
        return uri if parts.scheme in _SCHEMES else None
    works = bibliography(app.env)
    for work in works.citations if works else ():
        if work.citation_id == parts.fragment:
            fields = work.entry.fields
            if "doi" in fields:
                return f"https://doi.org/{fields['doi']}"
            if "url" in fields:
                return str(fields["url"])
    if not parts.path:
        return None
    at = app.builder.get_target_uri(name)
    if app.config.html_baseurl:
        return urljoin(f"{app.config.html_baseurl.rstrip('/')}/{at}", uri)
    page = posixpath.normpath(posixpath.join(posixpath.dirname(at), parts.path))
    lessons = {app.builder.get_target_uri(lesson): path for lesson, path in notebooks.items()}
    here = posixpath.dirname(notebooks[name])
    return quote(posixpath.relpath(lessons[page], here)) if page in lessons else None
