"""Every lesson as a notebook for Colab, Binder and download: executed, in plain Markdown.

It is made of two things that the build has at hand: the page's resolved document tree, for
the prose, and the executed notebook, for code and outputs. Its first code cell installs
this package at the commit of the build.
"""

from __future__ import annotations

import ast
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evergreen import checkout
from evergreen.notebooks.markdown import Cell, MarkdownError, Writer
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

_INSTALLING = """\
# Install the course's package, at the commit of these results, unless it is there.
# An installed TensorFlow stays as it is, if it is one that the course supports.
import importlib.metadata
import subprocess
import sys

commit = "{commit}"
try:
    package = importlib.metadata.distribution("{distribution}")
    origin = package.read_text("direct_url.json") or ""
    missing = "vcs_info" in origin and commit not in origin
except importlib.metadata.PackageNotFoundError:
    missing = True
if missing:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    address = f"git+{address}@{{commit}}"
    subprocess.run([*pip, "--no-deps", "--force-reinstall", address], check=True)
    subprocess.run([*pip, "{distribution}"], check=True)  # what it needs and is missing
    importlib.invalidate_caches()
"""

_EXPLAINING = """\
import importlib.util

if importlib.util.find_spec("{package}") is None:
    raise ModuleNotFoundError(
        "This lesson needs the course's package: call `pip install .` in a "
        "checkout of the course, and run this cell again."
    )
"""


_SHARED: Kept[tuple[str | None, ...]] = Kept("published")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _set_site)
    app.connect("env-get-outdated", _remove)
    watch(app, _SHARED, _shared, _published, event="env-get-updated")
    app.connect("html-page-context", _write)


def is_lesson(env: BuildEnvironment, name: str) -> bool:
    """Return whether a page is published as a notebook: it is executed, and not home."""
    return "kernelspec" in env.metadata.get(name, {}) and name != env.config.root_doc


def path_of(name: str) -> str:
    """Return where the notebook of a page lies, in the site and on the notebooks' branch."""
    return f"notebooks/{posixpath.basename(name)}.ipynb"


def address(app: Sphinx) -> str | None:
    """Return the web address of the repository that this build is published from."""
    configured = app.config.html_theme_options.get("repository_url", "")
    return checkout.repository(checkout.folder(app), configured)


def install_cell(distribution: str, address: str | None, commit: str | None) -> str:
    """Return the code that makes the package importable, or says what to do."""
    text = _EXPLAINING if address is None or commit is None else _INSTALLING
    return text.format(
        distribution=distribution,
        package=distribution.replace("-", "_"),
        address=address,
        commit=commit,
    ).rstrip()


def _set_site(_app: Sphinx, config: Config) -> None:
    config.html_baseurl = checkout.site(config.html_baseurl)


def _remove(
    app: Sphinx, _env: BuildEnvironment, _added: set[str], _changed: set[str], removed: set[str]
) -> list[str]:
    for name in removed:
        (Path(app.outdir) / path_of(name)).unlink(missing_ok=True)
    return []


def _shared(app: Sphinx) -> tuple[str | None, ...]:
    """Return what stands in every notebook: the commit, and the addresses."""
    return address(app), checkout.commit(checkout.folder(app)), app.config.html_baseurl


def _published(env: BuildEnvironment) -> list[str]:
    return [name for name in env.all_docs if is_lesson(env, name)]


def _write(
    app: Sphinx, name: str, _template: str, _context: dict[str, Any], tree: nodes.document | None
) -> None:
    if tree is None or not is_lesson(app.env, name):
        return
    executed = Path(app.outdir).parent / "jupyter_execute" / f"{name}.ipynb"
    try:
        notebook = _notebook(app, name, tree, nbformat.read(executed, as_version=4))
    except MarkdownError as error:
        raise MarkdownError(f"{name}: {error}") from None
    path = Path(app.outdir) / path_of(name)
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


def _notebook(
    app: Sphinx, name: str, tree: nodes.document, executed: nbformat.NotebookNode
) -> nbformat.NotebookNode:
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
    first = next(index for index, cell in enumerate(cells) if cell.cell_type == "code")
    commit = checkout.commit(checkout.folder(app))
    if distribution := app.config.evergreen_distribution:
        install = install_cell(distribution, address(app), commit)
        cells.insert(first, new_code_cell(install, execution_count=1))
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
    if parts.fragment.startswith("cite-"):
        works = app.env.get_domain("cite").bibdata.data.entries  # type: ignore[attr-defined]
        fields = works[parts.fragment.removeprefix("cite-")].fields
        if "doi" in fields:
            return f"https://doi.org/{fields['doi']}"
        if "url" in fields:
            return str(fields["url"])
    within = parts.fragment and not parts.path
    if within or not app.config.html_baseurl:
        return None
    return urljoin(f"{app.config.html_baseurl.rstrip('/')}/{name}.html", uri)
