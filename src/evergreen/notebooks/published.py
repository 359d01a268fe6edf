"""Every lesson as a notebook of its own, for Colab, Binder and download."""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import nbformat

from evergreen import checkout
from evergreen.lessons import preparation
from evergreen.notebooks import files, providing
from evergreen.notebooks.assembly import assemble
from evergreen.pages.leftovers import keep_only
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

FOLDER = "notebooks"
"""Where the notebooks lie, in the site and on their branch."""

MARK = f"{FOLDER}/built.json"
"""Where the site says what its notebooks were built from."""

_GLUES = re.compile(r"^ *(?:from|import) +myst_nb\b", re.MULTILINE)
_SHARED: Kept[tuple[object, ...]] = Kept("published")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _set_site)
    app.connect("env-get-outdated", _not_executed)
    watch(app, _SHARED, _shared, paths, event="env-get-updated")
    app.connect("html-page-context", _write)
    app.connect("build-finished", _finish)


def is_lesson(env: BuildEnvironment, name: str) -> bool:
    """Return whether a page is published as a notebook: it is executed, and not home."""
    return name in preparation.EXECUTIONS.read(env, {}) and name != env.config.root_doc


def paths(env: BuildEnvironment) -> dict[str, str]:
    """Return where the notebooks lie, in the site and on their branch, by the pages' names.

    The path is the last part of a page's name, or all of it where two pages share the last.
    """
    lessons = [name for name in sorted(env.all_docs) if is_lesson(env, name)]
    # Some disks do not tell capital letters from small ones.
    count = Counter(posixpath.basename(name).casefold() for name in lessons)
    return {
        name: f"{FOLDER}/{last if count[last.casefold()] == 1 else name}.ipynb"
        for name, last in ((name, posixpath.basename(name)) for name in lessons)
    }


def address(app: Sphinx) -> str | None:
    """Return the web address of the repository that this build is published from."""
    configured = app.config.html_theme_options.get("repository_url", "")
    return checkout.repository(checkout.folder(app), configured)


def _set_site(_app: Sphinx, config: Config) -> None:
    config.html_baseurl = checkout.site(config.html_baseurl)


def _executed(app: Sphinx, name: str) -> Path:
    """Return the file of an executed notebook, which MyST-NB writes as it reads the lesson."""
    return Path(cast(Any, app.env).mystnb_config.output_folder, f"{name}.ipynb")


def _not_executed(app: Sphinx, env: BuildEnvironment, *_changes: object) -> list[str]:
    """Name the lessons whose executed notebooks are gone."""
    return [name for name in paths(env) if not _executed(app, name).is_file()]


def _shared(app: Sphinx) -> tuple[object, ...]:
    """Return what stands in the notebooks besides their pages: addresses, and names of files."""
    commit = checkout.commit(checkout.folder(app))
    lessons = paths(app.env)
    read = {name: files.read_by(app, name) for name in lessons}
    return address(app), commit, app.config.html_baseurl, lessons, read


def _write(
    app: Sphinx, name: str, _template: str, _context: dict[str, Any], tree: nodes.document | None
) -> None:
    if tree is None or not is_lesson(app.env, name):
        return
    executed = nbformat.read(_executed(app, name), as_version=4)
    notebooks = paths(app.env)
    notebook = assemble(app, name, tree, executed, _providing(app, name, executed), notebooks)
    path = Path(app.outdir, notebooks[name])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def _providing(app: Sphinx, name: str, executed: nbformat.NotebookNode) -> Iterator[str]:
    """Return the code that provides what a lesson needs where its project is not."""
    repository = address(app)
    if distribution := app.config.evergreen_distribution:
        commit = checkout.commit(checkout.folder(app))
        yield providing.install(distribution, repository, commit)
    if read := files.read_by(app, name):
        for file in read:
            files.publish(app, name, file)
        found = {file: files.address(app, name, file, repository) for file in read}
        yield providing.fetch(found, files.folder_of(app, name))
    if any(_GLUES.search(cell.source) for cell in executed.cells if cell.cell_type == "code"):
        yield providing.glue()


def _finish(app: Sphinx, error: Exception | None) -> None:
    """Say what the notebooks were built from, and delete those that no page has any more."""
    if error is not None or app.builder.name != "html":
        return
    site, notebooks = Path(app.outdir), paths(app.env)
    files.keep(app, {name: files.read_by(app, name) for name in notebooks})
    named = (posixpath.relpath(path, FOLDER) for path in notebooks.values())
    keep_only(site / FOLDER, named, "*.ipynb")
    built = json.dumps(_built_from(app), indent=1) if notebooks else None
    mark = site / MARK
    if built is None:
        mark.unlink(missing_ok=True)
    elif not mark.is_file() or mark.read_text("utf-8") != built:
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(built, "utf-8")


def _built_from(app: Sphinx) -> dict[str, Any]:
    project = checkout.folder(app)
    changed = checkout.git(project, "status", "--porcelain", "--untracked-files=no")
    return {
        "repository": address(app),
        "commit": checkout.commit(project),
        "changed": bool(changed),
    }
