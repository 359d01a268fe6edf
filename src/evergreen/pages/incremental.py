"""What an incremental build forgets, so that it ends with the site of a first build."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from myst_nb.sphinx_ext import add_global_html_resources
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.search import IndexBuilder, js_index
from sphinx_exercise import copy_asset_files

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("builder-inited", _copy_styles)
    app.connect("doctree-read", _detach_from_other_documents)
    # Before Sphinx numbers the sections (priority 500).
    app.connect("env-get-updated", _forget_numbers, priority=400)
    # The last event before the search index is written.
    app.connect("html-collect-pages", _complete_search_index)


def _copy_styles(app: Sphinx) -> None:
    """Copy the style sheets that two extensions copy only after the pages are written.

    A page names a sheet with its checksum, or without one where there is no file yet, so a
    page of a first build would differ from the same page written later.
    """
    if app.builder.format == "html":
        (Path(app.outdir) / "_static").mkdir(parents=True, exist_ok=True)
        if "sphinx_exercise" in app.extensions:
            copy_asset_files(app, None)
        add_global_html_resources(app, None)


def _detach_from_other_documents(_app: Sphinx, doctree: nodes.document) -> None:
    """Let no part of a page belong to another document.

    What MyST-Parser reads as reStructuredText does, and that document keeps the environment,
    so two megabytes would go into the page's file, which every build reads.
    """
    for node in doctree.findall():
        node.document = doctree


def _forget_numbers(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Take the sections' numbers from all titles, since Sphinx numbers numbered pages only.

    A page that is in such a part no more would keep its numbers (Sphinx's issue 591), and
    sphinx-external-toc 1.1 fails on it with a KeyError (unreported).
    """
    for title in env.titles.values():
        title.attributes.pop("secnumber", None)
    for contents in env.tocs.values():
        for reference in contents.findall(nodes.reference):
            reference.attributes.pop("secnumber", None)
    return []


def _complete_search_index(app: Sphinx) -> Iterable[tuple[str, dict[str, Any], str]]:
    """Complete what Sphinx takes from the last build's search index for the pages not written.

    It loses their index entries, and keeps the words that no page has any more.
    """
    indexer = cast(StandaloneHTMLBuilder, app.builder).indexer
    if indexer is not None:
        _restore_entries(indexer, Path(app.outdir) / "searchindex.js")
        for words in (indexer._mapping, indexer._title_mapping):
            for word in [word for word, names in words.items() if not names]:
                del words[word]
    return []


def _restore_entries(indexer: IndexBuilder, last_index: Path) -> None:
    """Take the index entries of the pages not written from the last build's index."""
    if not last_index.is_file():
        return
    with last_index.open(encoding="utf-8") as file:
        last = js_index.load(file)
    kept: dict[str, list[tuple[str, str, str]]] = {}
    for entry, places in last["indexentries"].items():
        for number, target, main in places:
            name = last["docnames"][number]
            kept.setdefault(name, []).append((entry, target, "main" if main else ""))
    kept = {name: sorted(entries) for name, entries in kept.items() if name in indexer._titles}
    indexer._index_entries = dict(sorted((kept | indexer._index_entries).items()))
