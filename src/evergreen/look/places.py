"""Places on a page that a script of the book fills.

A place has a name, and the script is the module of that name in ``_static/live``. What the
page's author wrote for it stands there where no script runs: without JavaScript, in print,
and in the lesson's notebook.
"""

from __future__ import annotations

import functools
import importlib
import posixpath
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from evergreen.errors import EvergreenError
from evergreen.look import markup
from evergreen.state import Kept, watch_each

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import OptionSpec
    from sphinx.writers.html5 import HTML5Translator

Attributes = Callable[[str], Mapping[str, str]]
"""Given the way from a page to the site's first folder, returns what the script finds in its
place: names of ``data-`` attributes and their values. ``evergreen_places`` names such functions.
"""


_TOLD: Kept[dict[str, dict[str, dict[str, str]]]] = Kept("places")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_node(Place, html=(_open, _close))
    app.add_directive("live", Live)
    app.connect("builder-inited", lambda _app: _answer.cache_clear())
    watch_each(app, _TOLD, _told, event="env-get-updated")


def showing(env: BuildEnvironment, name: str) -> list[str]:
    """Return the pages that have a place of a name."""
    return [page for page, about in env.metadata.items() if name in about.get("live", ())]


def _told(app: Sphinx) -> dict[str, dict[str, dict[str, str]]]:
    """Return what each page tells its scripts."""
    return {
        page: {name: _attributes(app.config, name, "") for name in sorted(about["live"])}
        for page, about in app.env.metadata.items()
        if "live" in about
    }


def _attributes(config: Config, name: str, root: str) -> dict[str, str]:
    hook = config.evergreen_places.get(name)
    return _answer(hook, root) if hook else {}


@functools.cache
def _answer(hook: str, root: str) -> dict[str, str]:
    """Ask a function, once in a build for all pages of a folder: some look through results."""
    return dict(_hook(hook)(root))


class PlaceError(EvergreenError):
    """A setting names a function that is not there."""


class Place(nodes.container):
    """A place for a script; its content stands there where no script runs."""


class Live(SphinxDirective):
    """``{live} NAME``: the place of a script, with what stands there without it.

    The option ``:with:`` tells this place's script something, which it finds in ``data-with``.
    """

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {"with": directives.unchanged_required}
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the place as a node."""
        name, places = self.arguments[0], self.config.evergreen_places
        if name not in places:
            raise self.error(
                f"Choose one of {', '.join(places)}, not {name}."
                if places
                else f"There is no place {name}: name it in the setting evergreen_places."
            )
        self.assert_has_content()
        self.env.metadata[self.env.docname].setdefault("live", set()).add(name)
        told = {"data-with": self.options["with"]} if "with" in self.options else {}
        written = self.options.get("with", "")
        place = Place(written, *self.parse_content_to_nodes(), name=name, told=told)
        self.set_source_info(place)
        return [place]


def _open(writer: HTML5Translator, node: Place) -> None:
    name, root = node["name"], _root(writer)
    writer.body.append(f'<link rel="stylesheet" href="{root}{markup.LIVE_STYLE}">\n')
    data = {"data-live": name, **_attributes(writer.config, name, root), **node["told"]}
    writer.body.append(writer.starttag(node, "div", CLASS="live", **data))


def _close(writer: HTML5Translator, node: Place) -> None:
    script = f"{_root(writer)}{markup.LIVE}/{node['name']}.js"
    writer.body.append(f'</div>\n<script type="module" src="{script}"></script>\n')


def _hook(name: str) -> Attributes:
    """Return the function of a dotted name."""
    module, _, function = name.rpartition(".")
    try:
        return cast(Attributes, getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise PlaceError(
            f"The setting evergreen_places names the function {name}, which is not there: {error}."
        ) from error


def _root(writer: HTML5Translator) -> str:
    """Return the way from a page to the site's first folder."""
    folder = posixpath.dirname(writer.builder.current_docname)
    return "" if not folder else f"{posixpath.relpath('.', folder)}/"
