"""The page of claims: every checked sentence of the site, with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from evergreen.lessons import preparation
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


CLAIMS: Kept[dict[str, list[dict[str, Any]]]] = Kept("claims")
"""The claims of each page that has any, in the order of the contents: the sentence of each, and
what it rests on."""

# The attribute of a place for another page's title.
_TITLE_OF = "evergreen-title-of"


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_directive("claims", Claims)
    watch(app, CLAIMS, _collect, _showing)
    app.connect("env-get-updated", _put_titles_into_contents)
    app.connect("doctree-resolved", _put_titles)


class Claims(SphinxDirective):
    """``{claims}``: every claim of this build, in a section for each page."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.metadata[self.env.docname]["claims"] = True
        return [self._section(name, claims) for name, claims in CLAIMS.of(self.env).items()]

    def _section(self, name: str, claims: list[dict[str, Any]]) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(f"claims-{name}")], names=[f"claims {name}"])
        # Titles are known once all pages have been read.
        section += nodes.title("", "", nodes.inline(**{_TITLE_OF: name}))
        # The sentence as the page shows it, straight quotes and all.
        items = nodes.bullet_list(support_smartquotes=False)
        for claim in claims:
            item = nodes.list_item("", nodes.paragraph("", claim["claim"]))
            if claim["evidence"]:
                item += _evidence(claim["evidence"])
            items += item
        section += items
        return section


def _put_titles_into_contents(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Put the pages' titles into the list of contents of each page that lists claims."""
    for name in _showing(env):
        for place in _places(env.tocs[name]):
            place[:] = _title(env, place[_TITLE_OF])
    return []


def _put_titles(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Put the pages' titles, each a link to its page, where a page lists their claims."""
    for place in _places(doctree):
        address = app.builder.get_relative_uri(name, place[_TITLE_OF])
        title = _title(app.env, place[_TITLE_OF])
        place[:] = [nodes.reference("", "", *title, internal=True, refuri=address)]


def _places(tree: nodes.Element) -> list[nodes.inline]:
    return [place for place in tree.findall(nodes.inline) if _TITLE_OF in place]


def _title(env: BuildEnvironment, page: str) -> list[nodes.Node]:
    return [part.deepcopy() for part in env.titles[page].children]


def _collect(app: Sphinx) -> dict[str, list[dict[str, Any]]]:
    claims = {
        name: [
            output["metadata"]["evergreen"]
            for cell in preparation.outputs(execution.key)
            for output in cell["outputs"]
            if "evergreen" in output.get("metadata", {})
        ]
        for name, execution in preparation.EXECUTIONS.of(app.env).items()
    }
    return {name: found for name, found in claims.items() if found}


def _showing(env: BuildEnvironment) -> list[str]:
    return [name for name, metadata in env.metadata.items() if metadata.get("claims")]


def _evidence(groups: Mapping[str, Sequence[str]]) -> nodes.paragraph:
    """Name what a claim rests on, as plain text: of thousands of keys markup would be most."""
    named = (
        f"{group} {', '.join(items)}" if all(items) else f"{len(items)} {group}"
        for group, items in groups.items()
    )
    return nodes.paragraph("", "; ".join(named), classes=["evidence"])
