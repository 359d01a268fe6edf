"""HTML that a browser shows otherwise than its author meant: tags that nothing closes.

`<your name>` in a text is such a tag, of which a browser shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from docutils import nodes

from evergreen.errors import EvergreenError
from evergreen.pages import formulas

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Their end need not be written, or they have none. See the HTML standard, 13.1.2.
_OPEN = frozenset(
    {
        *("area", "base", "body", "br", "caption", "col", "colgroup", "dd", "dt", "embed", "head"),
        *("hr", "html", "img", "input", "li", "link", "meta", "optgroup", "option", "p", "param"),
        *("rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr"),
    }
)


class TagError(EvergreenError):
    """A tag is never closed."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("doctree-read", _refuse, priority=240)  # before formulas part the HTML


def _refuse(app: Sphinx, doctree: nodes.document) -> None:
    found = [(raw, _Tags(raw.astext())) for raw in _written(doctree)]
    closed = {name for _, tags in found for name in tags.closed}
    wrong = [
        f"{formulas.place(app.env, app.env.docname, raw, text)}: {text} begins HTML that is never "
        f"closed. Close it with </{name}>, or write \\{text} for what is meant as text."
        for raw, tags in found
        for name, text in tags.opened
        if name not in closed | _OPEN
    ]
    if wrong:
        raise TagError("\n".join(wrong))


def _written(doctree: nodes.document) -> Iterator[nodes.raw]:
    """Yield the HTML that the author has written, without what cells show."""
    for raw in doctree.findall(nodes.raw):
        owner = raw.parent
        while owner is not None and not owner.get("nb_element"):
            owner = owner.parent
        if owner is None and "html" in raw.get("format", "").split():
            yield raw


class _Tags(HTMLParser):
    """Names and texts of the tags that a piece of HTML opens, and names of those that it closes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.opened: list[tuple[str, str]] = []
        self.closed: set[str] = set()
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append((tag, self.get_starttag_text() or f"<{tag}>"))

    def handle_startendtag(self, _tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        """Leave it: it closes itself."""

    def handle_endtag(self, tag: str) -> None:
        self.closed.add(tag)
