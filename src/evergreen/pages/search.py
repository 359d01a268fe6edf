"""The search index of an incremental build: that of a first build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.search import js_index

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    index = _Index()
    app.connect("doctree-resolved", index.note)
    # The last event before Sphinx writes the index.
    app.connect("html-collect-pages", index.remember)
    app.connect("build-finished", index.complete)


class _Index:
    """Completes the index in its file.

    For pages that are not written, Sphinx takes what the last build's index says, but loses its
    index entries (issue 12599), and keeps the words that no page has any more (unreported).
    """

    def __init__(self) -> None:
        self._written: set[str] = set()
        self._last: dict[str, Any] = {}

    def note(self, _app: Sphinx, _tree: nodes.document, name: str) -> None:
        """Note that a page is written."""
        self._written.add(name)

    def remember(self, app: Sphinx) -> list[Any]:
        """Remember the last build's index."""
        self._last = _read(app)
        return []

    def complete(self, app: Sphinx, error: Exception | None) -> None:
        """Put in and take out what is missing and left in the new one."""
        if error is not None or not self._written or not self._last or app.builder.name != "html":
            return
        index = _read(app)
        number = {name: place for place, name in enumerate(index["docnames"])}
        entries = index["indexentries"]
        for entry, places in self._last["indexentries"].items():
            for place, target, main in places:
                name = self._last["docnames"][place]
                if name in number and name not in self._written:
                    entries.setdefault(entry, []).append([number[name], target, main])
        for places in entries.values():
            places.sort(key=lambda place: place[0])
        for words in ("terms", "titleterms"):
            index[words] = _in_use(index[words])
        # Its keys are sorted, as Sphinx's own.
        _file(app).write_text(js_index.dumps(index), "utf-8")


def _in_use(words: Mapping[str, object]) -> dict[str, object]:
    return {word: pages for word, pages in words.items() if pages != []}


def _file(app: Sphinx) -> Path:
    return Path(app.outdir, "searchindex.js")


def _read(app: Sphinx) -> dict[str, Any]:
    path = _file(app)
    found: dict[str, Any] = js_index.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found
