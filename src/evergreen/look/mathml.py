"""Formulas as MathML, made at build time: no script, no font and no network to read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.locale import _

from evergreen.look.temml import Temml, TemmlError
from evergreen.pages import equations, formulas, latex

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.writers.html5 import HTML5Translator

_temml = Temml()
_UNKNOWN = re.compile(r"Unsupported function name: (\\[a-zA-Z]+|.+?) at position")
_ENVIRONMENT = re.compile(r"No such environment: (\S+) at position")
_WHERE = re.compile(r" at (?:position \d+|end of input): .*", re.DOTALL)
# What the style sheet, and a browser by itself, say of every formula.
_SAID = re.compile(r' class="tml-display" style="display:block math;"')


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx; ``html_math_renderer: mathml`` chooses it."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("config-inited", _bring_style)
    # After the formulas have their final text (priority 420).
    app.connect("doctree-resolved", _prepare, priority=450)
    app.connect("build-finished", lambda _app, _error: _temml.close())


def _bring_style(app: Sphinx, config: Config) -> None:
    if config.html_math_renderer == "mathml":
        app.add_css_file("formulas.css", priority=690)  # before the engine's other rules


def _prepare(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Make all formulas of a page, and say which of them cannot be read."""
    if app.builder.format != "html" or app.builder.math_renderer_name != "mathml":  # type: ignore[attr-defined]
        return
    found = [
        (node, node.astext(), isinstance(node, nodes.math_block))
        for node in formulas.formulas(doctree)
    ]
    _temml.prepare((text, display) for _node, text, display in found)
    wrong = []
    for node, text, display in found:
        try:
            _temml.mathml(text, display=display)
        except TemmlError as error:
            what, within = _explained(str(error))
            wrong.append(f"{formulas.place(app.env, name, node, within)}: {what}")
    if wrong:
        raise formulas.FormulaError("\n".join(wrong))


def _explained(message: str) -> tuple[str, str]:
    """Return a sentence for Temml's message, and what of the formula it is about."""
    if found := _UNKNOWN.match(f"{message.strip()} at position"):
        return (
            f"The formula uses {found[1]}, which is not known. Define it in _config.yml, under "
            r"mathjax3_config: tex: macros:, or in a formula before, with \newcommand.",
            found[1],
        )
    if found := _ENVIRONMENT.match(message.strip()):
        return f"The formula uses the environment {found[1]}, which is not known.", found[1]
    said = _WHERE.sub("", message.strip()).replace("'EOF'", "its end").rstrip(".")
    return f"The formula cannot be read: {said}.", ""


def _mathml(translator: HTML5Translator, node: nodes.Element, *, display: bool) -> str:
    try:
        # A title in a list of contents was not resolved with a page.
        text = formulas.written(node, formulas.macros(translator.config))
        return _SAID.sub("", _temml.mathml(text, display=display))
    except (latex.LatexError, TemmlError) as error:
        raise formulas.FormulaError(f"The formula {node.astext()!r}: {error}") from None


def _visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(_mathml(translator, node, display=False))
    raise nodes.SkipNode


def _visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    kind = "math tagged-rows" if node.get(formulas.TAGGED) else "math"
    translator.body.append(translator.starttag(node, "div", CLASS=kind))
    for anchor in node.get("anchors", ()):
        translator.body.append(f'<span id="{anchor}"></span>')
    translator.body.append(_mathml(translator, node, display=True))
    if number := node.get(equations.NUMBER):
        translator.body.append(f'<span class="eqno">({translator.encode(number)})')
        if node["ids"]:
            translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append("</div>")
    raise nodes.SkipNode
