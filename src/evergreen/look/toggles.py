"""What sphinx-togglebutton folds, as the HTML that folds by itself.

Its script (0.4.5, unreported) leaves folded what is to be shown from the beginning, says so on the
first fold of the page, and lets an open box say that it is to be opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bs4 import BeautifulSoup
from sphinx.util.docutils import SphinxDirective
from sphinx_togglebutton import Toggle  # type: ignore[import-untyped]

from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config

_SYNC = 'addEventListener("DOMContentLoaded", () => globalThis.syncAllToggleHints?.());'


class ToggleError(EvergreenError):
    """A fold has a title, which nobody would see."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _configure)


def _configure(app: Sphinx, _config: Config) -> None:
    if "sphinx_togglebutton" in app.extensions:
        app.add_directive("toggle", _Untitled, override=True)
        app.add_js_file(None, body=_SYNC)


class _Untitled(Toggle, SphinxDirective):
    """``{toggle}``, which drops its argument."""

    def run(self) -> list[nodes.Node]:
        """Refuse one."""
        if self.arguments:
            file = self.env.doc2path(self.env.docname, base=False)
            raise ToggleError(
                f"{file}, line {self.lineno}: {{toggle}} shows no title, so that "
                f"{self.arguments[0]!r} would be lost. Write {{dropdown}} in its place."
            )
        return super().run()


def fold(page: BeautifulSoup, show: str, hide: str) -> None:
    """Turn what is to fold, and is no box with a title, into HTML that folds by itself.

    Parameters
    ----------
    page : bs4.BeautifulSoup
        It is changed.
    show, hide : str
        What stands on a fold that is closed, and on one that is open.
    """
    for box in page.select("div.toggle:not(.admonition)"):
        shown = {"open": ""} if "toggle-shown" in box["class"] else {}
        fold = box.wrap(page.new_tag("details", attrs={"class": "toggle-details", **shown}))
        summary = page.new_tag("summary", attrs={"class": "toggle-details__summary"})
        for name, words in (("collapsed", show), ("expanded", hide)):
            said = page.new_tag("span", attrs={"class": f"toggle-details__summary-text {name}"})
            said.string = words
            summary.append(said)
        fold.insert(0, summary)
        box["class"] = ["toggle-details__container"]
