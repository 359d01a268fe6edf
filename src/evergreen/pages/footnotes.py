"""Citations as footnotes (``{footcite}``), which MyST-Parser takes for notes that nobody wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinxcontrib.bibtex.foot_roles import FootCiteRole

from evergreen.errors import EvergreenError
from evergreen.pages import formulas

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_CITATION = "footnote_citation"


class FootnoteError(EvergreenError):
    """A citation has no footnote."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _configure)
    app.add_transform(_Citations)
    app.connect("doctree-read", _refuse_lost)


def _configure(app: Sphinx, _config: Config) -> None:
    if "sphinxcontrib.bibtex" in app.extensions:
        app.add_role("footcite", _FootCite(), override=True)
        for kind in ("p", "t"):
            app.add_role_to_domain("footcite", kind, _FootCite(), override=True)


class _FootCite(FootCiteRole):
    """Hides its references until MyST-Parser 3 has looked for the notes of its own (unreported)."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave a place for each reference."""
        found, messages = super().run()
        root = nodes.inline("", "", *found)
        for reference in list(root.findall(nodes.footnote_reference)):
            reference.replace_self(nodes.inline(**{_CITATION: reference}))
        return root.children, messages


class _Citations(SphinxTransform):
    """Puts the references back."""

    # Before Docutils numbers footnotes (620).
    default_priority = 600

    def apply(self, **_kwargs: Any) -> None:
        """Put them back."""
        for place in list(self.document.findall(nodes.inline)):
            if _CITATION in place:
                place.replace_self(place[_CITATION])


def _refuse_lost(app: Sphinx, doctree: nodes.document) -> None:
    """Refuse citations below the last bibliography that could hold their footnotes."""
    data = app.env.temp_data
    names = data.get("bibtex_footcite_names", {})
    lost = {names[key]: key for key in data.get("bibtex_foot_new_refs", ())}
    for reference in doctree.findall(nodes.footnote_reference):
        if (key := lost.get(reference.get("refid"))) is not None:
            where = formulas.place(app.env, app.env.docname, reference.parent, key)
            raise FootnoteError(
                f"{where}: The footnote of {{footcite}}`{key}` stands nowhere. Write "
                "{footbibliography} below it, where the footnotes are to stand."
            )
