"""Places on a page that a script of the book fills, and the networks that it computes with.

A place has a name, and the script is the module of that name in ``_static/live``. What the
page's author wrote for it stands there where no script runs: without JavaScript, in print,
and in the lesson's notebook.
"""

from __future__ import annotations

import posixpath
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bnlab import arithmetic, data, portable, runs, store
from bnlab.site import markup

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.writers.html5 import HTML5Translator

PLACES: dict[str, Callable[[str], dict[str, str]]] = {
    "calculator": lambda _root: {"data-widths": " ".join(map(str, arithmetic.WIDTHS))},
    "networks": lambda root: {
        "data-contents": f"{root}{markup.LIVE}/{portable.CONTENTS}",
        "data-size": f"{portable.size(portable.exported()) / 2**20:.1f}",
    },
}
"""What a script finds in its place, by the place's name, for a page at some depth."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_node(Place, html=(_open, _close))
    app.add_directive("live", Live)
    app.connect("env-updated", _changed)
    # Before the files get their names (priority 900).
    app.connect("build-finished", _bring, priority=800)


class Place(nodes.container):
    """A place for a script; its content stands there where no script runs."""


class Live(SphinxDirective):
    """``{live} NAME``: the place of a script, with what stands there without it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the place as a node."""
        name = self.arguments[0]
        if name not in PLACES:
            raise self.error(f"Choose one of {', '.join(PLACES)}, not {name}.")
        self.assert_has_content()
        self.env.metadata[self.env.docname].setdefault("live", set()).add(name)
        place = Place(name=name)
        self.state.nested_parse(self.content, self.content_offset, place)
        return [place]


def _open(writer: HTML5Translator, node: Place) -> None:
    name, root = node["name"], _root(writer)
    writer.body.append(f'<link rel="stylesheet" href="{root}{markup.LIVE_STYLE}">\n')
    data = {"data-live": name, **PLACES[name](root)}
    writer.body.append(writer.starttag(node, "div", CLASS="live", **data))


def _close(writer: HTML5Translator, node: Place) -> None:
    script = f"{_root(writer)}{markup.LIVE}/{node['name']}.js"
    writer.body.append(f'</div>\n<script type="module" src="{script}"></script>\n')


def _root(writer: HTML5Translator) -> str:
    """Return the way from a page to the site's first folder."""
    folder = posixpath.dirname(writer.builder.current_docname)
    return "" if not folder else f"{posixpath.relpath('.', folder)}/"


def _with_networks(env: BuildEnvironment) -> list[str]:
    return [name for name, about in env.metadata.items() if "networks" in about.get("live", ())]


def _changed(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write the pages again that load the networks, if these have changed."""
    if not (pages := _with_networks(env)):
        return []
    try:
        exported = portable.exported().name
    except (data.DataError, runs.TrainingError, store.StoreError) as error:
        sys.exit(f"\n{type(error).__name__}: {error}")
    before, env.bnlab_portable = getattr(env, "bnlab_portable", None), exported  # type: ignore[attr-defined]
    return [] if exported == before else pages


def _bring(app: Sphinx, error: Exception | None) -> None:
    """Copy the networks into the site if they have changed."""
    if error is not None or app.builder.format != "html" or not _with_networks(app.env):
        return
    for source in portable.files(portable.exported()):
        copy = Path(app.outdir, markup.LIVE, source.name)
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
