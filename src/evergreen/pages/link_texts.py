r"""Links named by a heading or a caption show its formulas, not the LaTeX of them.

Sphinx names a link by a title's plain text (``{ref}``, ``{doc}``, ``[](#name)``), in which a
formula is its source, a citation its key, and a link to a formula or a figure its label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import ReferencesResolver, SphinxPostTransform
from sphinx.util.nodes import clean_astext
from sphinx_exercise.nodes import is_solution_node

from evergreen.pages.shared import bibliography

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_post_transform(_Titled)
    app.add_post_transform(_Solved)


class _Titled(SphinxPostTransform):
    """Gives such links of a page the parts of their titles."""

    default_priority = 11  # after Sphinx has resolved links (10)

    def run(self, **_kwargs: Any) -> None:
        """Replace their texts."""
        works = bibliography(self.env)
        keys = (work.key for work in (works.citations if works else ()))
        domains = self.env.domains
        signs = {"\\", "^", "_", *keys, *domains["math"].equations, *domains["std"].anonlabels}
        given = []
        for link in list(self.document.findall(nodes.reference)):
            text = link.astext()
            if (
                ("refid" in link or link.get("internal"))
                and len(link) == 1
                and isinstance(link[0], nodes.inline)
                and any(sign in text for sign in signs)
                and (title := self._title(link)) is not None
                and text.endswith(own := clean_astext(title))
            ):
                link[0].children = [nodes.Text(text.removesuffix(own))]
                link[0].extend(title.deepcopy().children)
                given.append(link)
        if any(link.next_node(addnodes.pending_xref) for link in given):
            ReferencesResolver(self.document).apply()
        for link in given:
            _plain(link[0])

    def _title(self, link: nodes.reference) -> nodes.Element | None:
        """Return the title that a link leads to, if there is one."""
        address, _, anchor = (link.get("refuri") or f"#{link.get('refid', '')}").partition("#")
        name = self.env.docname
        if address:
            names = (
                other
                for other in self.env.found_docs
                if self.app.builder.get_relative_uri(name, other) == address
            )
            name = next(names, "")
            if not anchor:
                return self.env.titles.get(name)
        if not name:
            return None
        # As it was read: on this page, its citations are resolved by now.
        found = next(
            self.env.get_doctree(name).findall(
                lambda n: isinstance(n, nodes.Element) and anchor in n.get("ids", ())
            ),
            None,
        )
        return found and next(
            (part for part in found.children if isinstance(part, nodes.title | nodes.caption)), None
        )


class _Solved(SphinxPostTransform):
    """Gives links to solutions the formulas of the exercise's title."""

    default_priority = 23  # after sphinx-exercise has named them (22)

    def run(self, **_kwargs: Any) -> None:
        """Replace their texts."""
        registry = getattr(self.env, "sphinx_exercise_registry", {})
        for link in list(self.document.findall(nodes.reference)):
            box = registry.get(link.get("refid"), {}).get("node")
            if box is not None and is_solution_node(box) and any(box[0].findall(nodes.math)):
                link[0].children = []
                link[0].extend(box[0].deepcopy().children)
                _plain(link[0])


def _plain(text: nodes.Element) -> None:
    """Let the text of a link have no links in it, and no ids, which are the title's."""
    for inner in list(text.findall(nodes.reference)):
        inner.parent.replace(inner, inner.children)
    for part in text.findall(nodes.Element):
        part["ids"] = []
