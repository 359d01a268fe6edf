"""What an incremental build forgets, so that it ends with the site of a first build.

That is deleted sources and pictures, what one page shows of the others, and parts of the
search index.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from myst_nb.sphinx_ext import add_global_html_resources
from sphinx.search import js_index
from sphinx_exercise import copy_asset_files

from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


_SHARED: Kept[tuple[dict[str, str], set[str]]] = Kept("shared")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("builder-inited", _copy_styles)
    app.connect("env-get-outdated", _remove)
    app.connect("doctree-read", _adopt)
    watch(app, _SHARED, _shared, lambda env: env.all_docs, event="env-updated")
    # The last event before the search index is written.
    app.connect("html-collect-pages", _complete_search_index)
    app.connect("build-finished", _remove_pictures)


def _copy_styles(app: Sphinx) -> None:
    """Copy the style sheets that two extensions copy only after the pages are written.

    A page names a sheet with its checksum, or without one where there is no file yet, so a
    page of a first build would differ from the same page written later.
    """
    if app.builder.format == "html":
        (Path(app.outdir) / "_static").mkdir(parents=True, exist_ok=True)
        copy_asset_files(app, None)
        add_global_html_resources(app, None)


def _remove(
    app: Sphinx, _env: BuildEnvironment, _added: set[str], _changed: set[str], removed: set[str]
) -> list[str]:
    """Delete the pages whose sources are gone; Sphinx leaves them in the site."""
    for name in removed:
        for path in (f"{name}.html", f"_sources/{name}.md"):
            (Path(app.outdir) / path).unlink(missing_ok=True)
    return []


def _adopt(_app: Sphinx, doctree: nodes.document) -> None:
    """Let no part of a page belong to another document.

    What MyST-Parser reads as reStructuredText does, and that document keeps the environment,
    so two megabytes would go into the page's file, which every build reads.
    """
    for node in doctree.findall():
        node.document = doctree


def _shared(app: Sphinx) -> tuple[dict[str, str], set[str]]:
    """Return what pages show of each other.

    That is the titles, in the contents beside the text, and the works cited, in the
    bibliography and in labels that tell two works of a year apart.
    """
    env = app.env
    citations = env.get_domain("cite").citation_refs  # type: ignore[attr-defined]
    return (
        {name: title.astext() for name, title in env.titles.items()},
        {target.key for cited in citations for target in cited.targets},
    )


def _complete_search_index(app: Sphinx) -> Iterable[tuple[str, dict[str, Any], str]]:
    """Mend what Sphinx takes from the last build's search index for the pages not written.

    It loses their index entries, and keeps the words that no page has any more.
    """
    indexer = app.builder.indexer  # type: ignore[attr-defined]
    path = Path(app.outdir) / "searchindex.js"
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            last = js_index.load(file)
        kept: dict[str, list[tuple[str, str, str]]] = {}
        for entry, places in last["indexentries"].items():
            for number, target, main in places:
                name = last["docnames"][number]
                kept.setdefault(name, []).append((entry, target, "main" if main else ""))
        written = indexer._index_entries
        kept = {name: sorted(entries) for name, entries in kept.items() if name in indexer._titles}
        indexer._index_entries = dict(sorted((kept | written).items()))
    for words in (indexer._mapping, indexer._title_mapping):
        for word in [word for word, names in words.items() if not names]:
            del words[word]
    return []


def _remove_pictures(app: Sphinx, error: Exception | None) -> None:
    """Delete the pictures that no page shows any more."""
    folder = Path(app.outdir) / "_images"
    if error is None and folder.is_dir():
        shown = {name for _, name in app.env.images.values()}
        for path in folder.iterdir():
            if path.name not in shown:
                path.unlink()
