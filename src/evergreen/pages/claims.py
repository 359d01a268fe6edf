"""The page of claims: every checked sentence of the site, with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from evergreen.lessons import preparation
from evergreen.pages.titles import title_of
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


class OfPage(NamedTuple):
    """What a page claims.

    Attributes
    ----------
    title : str
        The page's, as its source has it.
    claims : list of dict
        The sentence of each claim, and what it rests on.
    """

    title: str
    claims: list[dict[str, Any]]


CLAIMS: Kept[dict[str, OfPage]] = Kept("claims")
"""The claims of each page that has any, in the order of the contents."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_directive("claims", Claims)
    watch(app, CLAIMS, _collect, _showing)


class Claims(SphinxDirective):
    """``{claims}``: every claim of this build, in a section for each page."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.metadata[self.env.docname]["claims"] = True
        return [self._section(name, *page) for name, page in CLAIMS.of(self.env).items()]

    def _section(self, name: str, title: str, claims: list[dict[str, Any]]) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(f"claims-{name}")], names=[f"claims {name}"])
        section += nodes.title(title, "", *self._parsed(title))
        section += nodes.paragraph("", "", *self._parsed(f"From {{doc}}`/{name}`:"))
        # The sentence as the page shows it, straight quotes and all.
        items = nodes.bullet_list(support_smartquotes=False)
        for claim in claims:
            item = nodes.list_item("", nodes.paragraph("", claim["claim"]))
            if claim["evidence"]:
                item += _evidence(claim["evidence"])
            items += item
        section += items
        return section

    def _parsed(self, text: str) -> list[nodes.Node]:
        """Return Markdown within a line as nodes."""
        parsed, messages = self.state.inline_text(text, self.lineno)
        return [*parsed, *messages]


def _collect(app: Sphinx) -> dict[str, OfPage]:
    claims = {
        name: [
            output["metadata"]["evergreen"]
            for cell in preparation.outputs(execution.key)
            for output in cell["outputs"]
            if "evergreen" in output.get("metadata", {})
        ]
        for name, execution in preparation.EXECUTIONS.of(app.env).items()
    }
    paths = {name: Path(app.env.doc2path(name)) for name in claims}
    return {name: OfPage(title_of(paths[name]), found) for name, found in claims.items() if found}


def _showing(env: BuildEnvironment) -> list[str]:
    return [name for name, metadata in env.metadata.items() if metadata.get("claims")]


def _evidence(groups: Mapping[str, Sequence[str]]) -> nodes.paragraph:
    """Name what a claim rests on, as plain text: of thousands of keys markup would be most."""
    named = (
        f"{group} {', '.join(items)}" if all(items) else f"{len(items)} {group}"
        for group, items in groups.items()
    )
    return nodes.paragraph("", "; ".join(named), classes=["evidence"])
