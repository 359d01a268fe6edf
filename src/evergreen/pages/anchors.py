"""Links to a place by any name that it has: a label, its heading, or an anchor in HTML.

MyST knows headings only where ``myst_heading_anchors`` is set, and then by slugs, not by the names
that JupyterLab gives them; it knows no label of another page's file, as in ``[](far.md#label)``,
and no anchor that is written in HTML. Sphinx takes the number of an equation from ``{eq}`` alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import docname_join
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ANCHOR = re.compile(r"<[^>]*\s(?:id|name)=[\"']?([^\"'\s>]+)")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_post_transform(_Found)


class _Found(SphinxPostTransform):
    """Finds the places of links that MyST and Sphinx would not find."""

    default_priority = 8  # before MyST resolves its links (9)

    def run(self, **_kwargs: object) -> None:
        """Say to MyST and Sphinx what is meant, or resolve the link."""
        equations = self.env.domains["math"].equations
        for link in list(self.document.findall(addnodes.pending_xref)):
            if link["reftype"] == "myst":
                self._take_page(link)
                self._find(link)
            elif link["reftype"] == "numref" and link["refexplicit"]:
                _take_number(link[0])
            elif (
                link["reftype"] in ("ref", "numref")
                and not link["refexplicit"]
                and link["reftarget"] in equations
            ):
                link["refdomain"], link["reftype"] = "math", "eq"

    def _take_page(self, link: addnodes.pending_xref) -> None:
        """Let the address that a page has in the site lead to it."""
        page, dot, place = link["reftarget"].partition(".html")
        name = docname_join(self.env.docname, unquote(page))
        if dot and place[:1] in ("", "#") and not link["refdomain"] and name in self.env.found_docs:
            link["refdomain"], link["reftarget"] = "doc", name
            link["reftargetid"] = place[1:] or None

    def _find(self, link: addnodes.pending_xref) -> None:
        of_page = link.get("refdomain") == "doc"
        page, target = self.env.docname, link["reftarget"]
        if of_page:
            page, target = link["reftarget"], link["reftargetid"]
        if not target or target in self.env.metadata[page].get("myst_slugs", {}):
            return
        labelled = (
            self.env.domains["std"].anonlabels.get(target.lower()),
            self.env.domains["math"].equations.get(target),
        )
        if any(labelled):
            if of_page and page in {found[0] for found in labelled if found}:
                link["refdomain"], link["reftarget"] = None, target
        elif page in self.env.found_docs:
            here = page == self.env.docname
            found = find(self.document if here else self.env.get_doctree(page), target)
            if found is None:
                return
            place, text = found
            content = link[0].children if link["refexplicit"] else [nodes.Text(text)]
            inner = nodes.inline("", "", *content, classes=["std", "std-ref"])
            args = (self.app.builder, self.env.docname, page, place, inner)
            link.replace_self(make_refnode(*args))


def find(page: nodes.document, name: str) -> tuple[str, str] | None:
    """Return the id of a place on a page, and what to call it, or None where it has none.

    Parameters
    ----------
    page : docutils.nodes.document
    name : str
        The place's, as a link writes it behind the #.
    """
    named = ((place, text) for known, place, text in _places(page) if known == unquote(name))
    return next(named, None)


def _take_number(words: nodes.Element) -> None:
    """Write the number in a link's own words in Sphinx's newer way.

    With both %s and the word "number" in them, Sphinx would look for {number} alone.
    """
    for text in list(words.findall(nodes.Text)):
        if "%s" in text:
            text.parent.replace(text, nodes.Text(text.replace("%s", "{number}")))


def _places(page: nodes.document) -> Iterator[tuple[str, str, str]]:
    """Return the names of a page's places, their ids, and what to call them."""
    seen: Counter[str] = Counter()
    for title in page.findall(nodes.title):
        if isinstance(title.parent, nodes.section):
            text, place = title.astext(), title.parent["ids"][0]
            yield text.replace(" ", "-"), place, text  # as JupyterLab names it
            slug = re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")  # as GitHub
            yield f"{slug}-{seen[slug]}" if seen[slug] else slug, place, text
            seen[slug] += 1
    for raw in page.findall(nodes.raw):
        if "html" in raw.get("format", ""):
            for name in _ANCHOR.findall(raw.astext()):
                yield name, name, name
