"""The pages that the contents name. A teacher adds some and takes others out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.util.matching import get_matching_files, patfilter
from sphinx_external_toc.api import FileItem, GlobItem, SiteMap
from sphinx_external_toc.parsing import parse_toc_yaml
from website import ROOT

BOOK = ROOT / "book"
SUFFIX = re.compile(r"\.(md|ipynb|rst)$")
FILES = {
    SUFFIX.sub("", name): BOOK / name
    for name in get_matching_files(BOOK, ("**.md", "**.ipynb", "**.rst"))
}
"""Each page that the contents could name, with its file."""


def _below(contents: SiteMap, name: str) -> Iterator[str]:
    """Yield the names of a page and of those below it, in the order of the contents."""
    yield SUFFIX.sub("", name)
    for item in (item for tree in contents[name].subtrees for item in tree.items):
        if isinstance(item, FileItem):
            yield from _below(contents, item)
        elif isinstance(item, GlobItem):
            yield from sorted(patfilter(FILES, item))


def _pages(contents: SiteMap) -> list[str]:
    return list(dict.fromkeys(_below(contents, contents.root.docname)))


def _has_code(path: Path) -> bool:
    cell = '"cell_type": "code"' if path.suffix == ".ipynb" else r"^\s*[`:]{3,}\{code-cell\}"
    return re.search(cell, path.read_text("utf-8"), re.MULTILINE) is not None


PAGES = _pages(parse_toc_yaml(ROOT / "_toc.yml"))
"""The names of all pages, the first one first."""

LESSONS = [name for name in PAGES if name.startswith("lessons/")]

EXECUTED = [name for name in PAGES if _has_code(FILES[name])]
"""The pages with code."""

NOTEBOOKS = [name for name in EXECUTED if name != PAGES[0]]
"""The pages that are published as notebooks too."""

_PLACE = re.compile(r"^[`:]{3,}\{live\} (\w+)", re.MULTILINE)
PLACES = {place: name for name in PAGES for place in _PLACE.findall(FILES[name].read_text("utf-8"))}
"""Where scripts of the course run: a page for each, by the script's name."""
