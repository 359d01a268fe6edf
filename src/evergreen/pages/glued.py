"""What is glued, where MyST-NB would show the source of it, or what Python calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from myst_nb.core.render import strip_latex_delimiters
from myst_nb.ext.glue.crossref import PendingGlueReference, read_glue_cache
from myst_nb.ext.glue.directives import PasteMarkdownDirective
from myst_nb.ext.glue.roles import PasteMarkdownRole
from sphinx.transforms.post_transforms import SphinxPostTransform

from evergreen.errors import EvergreenError
from evergreen.pages import formulas

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_PLAIN = "text/plain"
# What MyST-NB shows of what another page has glued.
_SHOWN = frozenset({"text/html", "image/png", "image/jpeg", "image/gif", "application/pdf"})


class GlueError(EvergreenError):
    """What is glued cannot be shown."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _configure)
    app.add_post_transform(_OfOtherPages)


def _configure(app: Sphinx, _config: Config) -> None:
    app.add_role_to_domain("glue", "md", _InLine(), override=True)
    app.add_directive_to_domain("glue", "md", _Block, override=True)


class _InLine(PasteMarkdownRole):
    """``{glue:md}`` in a line: with formulas, as Jupyter shows Markdown."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Take MyST for its format where it names none."""
        if ":" not in self.text:
            self.text += ":myst"
        return super().run()


class _Block(PasteMarkdownDirective):
    """``{glue:md}`` as a block."""

    def run(self) -> list[nodes.Node]:
        """Take MyST for its format where it names none."""
        self.options.setdefault("format", "myst")
        return super().run()


class _OfOtherPages(SphinxPostTransform):
    """Shows text that another page has glued as text, and refuses what cannot be shown."""

    default_priority = 4  # before MyST-NB's own (5)

    def run(self, **_kwargs: Any) -> None:
        """Look at each."""
        folder = cast(Any, self.env).mystnb_config.output_folder
        for node in list(self.document.findall(PendingGlueReference)):
            output = read_glue_cache(folder, node.refdoc).get(node.key)
            if output is None or node.gtype or _SHOWN & output["data"].keys():
                continue
            data = output["data"]
            if "text/latex" in data:
                text = strip_latex_delimiters("".join(data["text/latex"]))
                shown = nodes.math if node.inline else nodes.math_block
                node.replace_self(shown(text, text, nowrap=False, number=None))
            elif data.keys() != {_PLAIN}:
                where = formulas.place(self.env, self.env.docname, node, node.key)
                raise GlueError(
                    f"{where}: Of what another page has glued as {node.key}, only text, HTML, "
                    "formulas and pictures can be shown here. Glue it in a cell of this page."
                )
            elif node.inline:
                text = data[_PLAIN]
                node.replace_self(nodes.inline(text, text, classes=["output", "text_plain"]))
