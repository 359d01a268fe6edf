"""What plain Markdown has no form for, as the HTML that Sphinx's own writer gives for it."""

from __future__ import annotations

import mimetypes
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from docutils import nodes
from sphinx.domains.std import StandardDomain
from sphinx.locale import admonitionlabels

from evergreen.notebooks import formulas, fragments
from evergreen.pages.equations import NUMBER

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LARGE = 10_000_000
"""Bytes of a picture or a film that a notebook does not hold; Colab opens up to 20 MB."""

# A formula's place in HTML, until that is cleaned.
_PLACE = re.compile("\ue000(\\d+)\ue001")


class Page:
    """A written page, for what its notebook shows as the page does.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    name : str
        The page's document name.
    tree : docutils.nodes.document
        Its resolved document tree.
    link : callable
        See :data:`evergreen.notebooks.fragments.Address`.
    """

    def __init__(
        self, app: Sphinx, name: str, tree: nodes.document, link: fragments.Address
    ) -> None:
        self.link = link
        self._app, self._name, self._tree = app, name, tree
        builder: Any = app.builder
        self._copies = {f"_images/{copy}": source for source, copy in builder.images.items()}
        offered = app.env.dlfiles.items()
        self._copies |= {f"_downloads/{copy}": source for source, (_, copy) in offered}

    def label(self, node: nodes.Element) -> str:
        """Return how a figure, a table, a listing or an exercise is called, such as Fig. 3."""
        domain = cast(StandardDomain, self._app.env.get_domain("std"))
        kind = domain.get_enumerable_node_type(node)
        numbers = self._app.env.toc_fignumbers.get(self._name, {}).get(kind or "", {})
        number = next((numbers[name] for name in node.get("ids", ()) if name in numbers), None)
        form = self._app.config.numfig_format.get(kind)
        return form % ".".join(map(str, number)) if form and number else ""

    def equation(self, node: nodes.math_block) -> str:
        """Return the number of an equation, if it has one."""
        return str(node.get(NUMBER) or "")

    def html(self, node: nodes.Node, *, inline: bool) -> str:
        """Return a node as HTML that a notebook's Markdown may hold."""
        writer, found = self._writer(), list[str]()

        def note(formula: str) -> None:
            writer.body.append(f"\ue000{len(found)}\ue001")
            found.append(formula)
            raise nodes.SkipNode

        def write_code(block: nodes.literal_block) -> None:
            writer.body.append(f"<pre><code>{writer.encode(block.astext())}</code></pre>\n")
            raise nodes.SkipNode

        # Sphinx's writer gives a box its name each time that it writes it.
        for box in node.findall(nodes.Admonition):
            if box.tagname in admonitionlabels and isinstance(box.next_node(), nodes.title):
                del box[0]
        writer.visit_math = lambda part: note(formulas.inline(part.astext()))
        writer.visit_math_block = lambda part: note(
            formulas.block(part.astext(), self.equation(part))
        )
        writer.visit_literal_block = write_code
        node.walkabout(writer)
        clean = fragments.inline if inline else fragments.block
        markup = clean("".join(writer.body), self.link, self.picture)
        return _PLACE.sub(lambda place: formulas.in_html(found[int(place[1])]), markup)

    def raw(self, markup: str, *, inline: bool) -> str:
        """Return an author's own HTML as a notebook's Markdown may hold it."""
        clean = fragments.inline if inline else fragments.block
        return clean(markup, self.link, self.picture)

    def picture(self, address: str) -> str | None:
        """Return an address of a picture, a sound or a film that holds anywhere, or None."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return address
        path = self._source(unquote(parts.path))
        if path is None or path.stat().st_size > _LARGE:
            return self.link(address)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return fragments.embedded(path.read_bytes(), kind)

    def _source(self, path: str) -> Path | None:
        """Return the file that the page shows as one of the site, by its path from the page."""
        app = self._app
        at = app.builder.get_target_uri(self._name)
        place = posixpath.normpath(posixpath.join(posixpath.dirname(at), path))
        if place in self._copies:
            found = [Path(app.srcdir, self._copies[place])]
        else:
            first, _, rest = place.partition("/")
            static = app.config.html_static_path if first == "_static" else ()
            found = [Path(app.confdir, folder, rest) for folder in static]
            found += [Path(app.confdir, folder, place) for folder in app.config.html_extra_path]
            found.append(Path(app.env.doc2path(self._name)).parent / path)
        return next((file for file in found if file.is_file()), None)

    def _writer(self) -> Any:
        return self._app.builder.create_translator(self._tree, self._app.builder)
