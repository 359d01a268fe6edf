"""The book's contents of one build, which may leave a lesson out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def leave_out(app: Sphinx, name: str) -> None:
    """Take a page out of the contents; pages below it move to its place.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        Before it looks for documents. sphinx-external-toc has read the contents.
    name : str
        Its document name.
    """
    pages: Any = app.config.external_site_map
    file = Path(app.env.doc2path(name, base=False)).as_posix()
    called = next((entry for entry in (name, file) if entry in pages), None)
    if called is not None:
        below = [item for part in pages[called].subtrees for item in part.items]
        del pages[called]
        for page in pages.values():
            for part in page.subtrees:
                part.items = list(_replaced(part.items, called, below))
            page.subtrees = [part for part in page.subtrees if part.items]
    # Sphinx finds what no pattern leaves out.
    app.config.exclude_patterns = [*app.config.exclude_patterns, file]


def _replaced(items: Iterable[Any], name: str, others: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        if item == name:
            yield from others
        else:
            yield item
