"""Places on a page that a script of the book fills.

A place has a name, and the script is the module of that name in ``_static/live``. What the
page's author wrote for it stands there where no script runs: without JavaScript, in print,
and in the lesson's notebook.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from evergreen.look import markup

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.writers.html5 import HTML5Translator

_places: dict[str, Callable[[str], dict[str, str]]] = {}


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_node(Place, html=(_open, _close))
    app.add_directive("live", Live)


def add(name: str, attributes: Callable[[str], dict[str, str]]) -> None:
    """Let pages have a place for the script ``_static/live/NAME.js``.

    Parameters
    ----------
    name : str
    attributes : callable
        Given the way from a page to the site's first folder, returns what the script finds in
        its place: names of ``data-`` attributes and their values.
    """
    _places[name] = attributes


def showing(env: BuildEnvironment, name: str) -> list[str]:
    """Return the pages that have a place of a name."""
    return [page for page, about in env.metadata.items() if name in about.get("live", ())]


class Place(nodes.container):
    """A place for a script; its content stands there where no script runs."""


class Live(SphinxDirective):
    """``{live} NAME``: the place of a script, with what stands there without it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the place as a node."""
        name = self.arguments[0]
        if name not in _places:
            raise self.error(f"Choose one of {', '.join(_places)}, not {name}.")
        self.assert_has_content()
        self.env.metadata[self.env.docname].setdefault("live", set()).add(name)
        place = Place(name=name)
        self.state.nested_parse(self.content, self.content_offset, place)
        return [place]


def _open(writer: HTML5Translator, node: Place) -> None:
    name, root = node["name"], _root(writer)
    writer.body.append(f'<link rel="stylesheet" href="{root}{markup.LIVE_STYLE}">\n')
    data = {"data-live": name, **_places[name](root)}
    writer.body.append(writer.starttag(node, "div", CLASS="live", **data))


def _close(writer: HTML5Translator, node: Place) -> None:
    script = f"{_root(writer)}{markup.LIVE}/{node['name']}.js"
    writer.body.append(f'</div>\n<script type="module" src="{script}"></script>\n')


def _root(writer: HTML5Translator) -> str:
    """Return the way from a page to the site's first folder."""
    folder = posixpath.dirname(writer.builder.current_docname)
    return "" if not folder else f"{posixpath.relpath('.', folder)}/"
