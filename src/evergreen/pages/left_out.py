"""Links to what the contents leave out become plain text, so a lesson can be taken out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.math import MathDomain
from sphinx.domains.std import StandardDomain
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import docname_join, logging

from evergreen.pages.titles import title_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_log = logging.getLogger(__name__)

# What MyST and reStructuredText name so that links can lead there: sections, figures and
# exercises, outputs, formulas, words.
_LABEL = re.compile(
    r"^\(([^)\n]+)\)="
    r"|^[ :]*(?:label|name): *(\S+)"
    r"|\$\$ *\(([^)\n]+)\)"
    r"|\{[^}\n]*#([\w-]+)"
    r"|^\.\. _([^:\n]+):",
    re.MULTILINE,
)
# The link that a whole card is; the card has a text of its own.
_CARD = "sd-stretched-link"


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_post_transform(_PlainText)


class _PlainText(SphinxPostTransform):
    """Replaces the links of one page that lead to pages beside the contents."""

    # Before MyST-Parser (9) and Sphinx (10) look for their targets, and warn.
    default_priority = 8

    def run(self, **_kwargs: Any) -> None:
        """Replace them."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            if page := self._left_out(link):
                _log.info(
                    "%s: A link to %s (%s) is plain text, since the contents leave that page out.",
                    self.env.docname,
                    page.stem,
                    link["reftarget"],
                )
                link.parent.replace(link, self._text(link, page))

    def _text(self, link: addnodes.pending_xref, page: Path) -> list[nodes.Node]:
        if _CARD in link["classes"]:
            return []
        if link.get("refexplicit") and link.astext():
            return list(link.children)
        return [nodes.inline("", title_of(page))]

    def _left_out(self, link: addnodes.pending_xref) -> Path | None:
        """Return the source file that a link leads to, if the contents leave it out."""
        kind, target = (link.get("refdomain"), link["reftype"]), link["reftarget"]
        if kind == ("doc", "myst"):
            return self._source(target)
        if link["reftype"] in ("doc", "any", "myst"):
            page = self._source(docname_join(link.get("refdoc", self.env.docname), target))
            if page is not None:
                return page
        if link["reftype"] in ("ref", "numref", "eq", "any", "myst"):
            return self._with_label(target)
        return None

    def _source(self, name: str) -> Path | None:
        """Return the source file of a document that is none of the book's."""
        if name in self.env.found_docs:
            return None
        paths = (Path(self.env.srcdir, f"{name}{suffix}") for suffix in self.config.source_suffix)
        return next((path for path in paths if path.is_file()), None)

    def _with_label(self, label: str) -> Path | None:
        std = cast(StandardDomain, self.env.get_domain("std"))
        math = cast(MathDomain, self.env.get_domain("math"))
        if label.lower() in std.anonlabels or label in math.equations:
            return None
        return next((page for page in self._sources() if label.lower() in _labels(page)), None)

    def _sources(self) -> Iterator[Path]:
        """Return the source files in the book's folder that are none of its documents'."""
        used = {self.env.doc2path(name) for name in self.env.found_docs}
        built = Path(self.app.doctreedir).parent
        for folder, below, files in os.walk(self.env.srcdir, followlinks=True):
            below[:] = sorted(
                name
                for name in below
                if not name.startswith(".") and not Path(folder, name).samefile(built)
            )
            for name in sorted(files):
                path = Path(folder, name)
                if path.suffix in self.config.source_suffix and str(path) not in used:
                    yield path


def _labels(page: Path) -> set[str]:
    """Return the labels of all that a source file defines, in lower case."""
    found = _LABEL.findall(page.read_text("utf-8", "replace"))
    return {label.lower() for groups in found for label in groups if label}
