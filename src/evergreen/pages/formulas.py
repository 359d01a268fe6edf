"""Every formula has one text for the page and the notebook, in which all is written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from evergreen.errors import EvergreenError
from evergreen.pages import latex, warned
from evergreen.pages.macros import Macros
from evergreen.stopping import stopping

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

TAGGED = "tagged_rows"
"""The attribute of a displayed formula whose rows have tags of their own."""

_WRITTEN = "written_out"
_UNCLOSED = re.compile(r"\\begin\{(\w+\*?)\}")


class FormulaError(EvergreenError):
    """A formula cannot be shown."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _configure)
    # Before equations are numbered (priority 500).
    app.connect("doctree-read", _read, priority=400)
    # Before the page and its notebook are made of the formulas.
    app.connect("doctree-resolved", _write_out, priority=400)


def formulas(tree: nodes.Node) -> list[nodes.math | nodes.math_block]:
    """Return the formulas below a node."""
    return list(tree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)))


def texts(doctree: nodes.document) -> Iterator[nodes.Text]:
    """Return a page's text, without code, formulas and outputs."""
    apart = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw)
    for text in list(doctree.findall(nodes.Text)):
        owner: Any = text.parent
        while owner is not None and not (
            isinstance(owner, apart) or owner.get("nb_element") in ("cell_code", "cell_code_output")
        ):
            owner = owner.parent
        if owner is None:
            yield text


def replace_text(node: nodes.Element, text: str) -> None:
    """Give a formula another text; its source remains for messages."""
    node.children[:] = []
    node += nodes.Text(text)


def macros(config: Config) -> Macros:
    """Return the book's macros, as Sphinx users write them for MathJax."""
    return Macros((config.mathjax3_config or {}).get("tex", {}).get("macros", {}))


def written(node: nodes.Element, defined: Macros) -> str:
    """Return a formula without macros, in the form for its place.

    Raises
    ------
    evergreen.pages.latex.LatexError
        If it cannot be read.
    """
    if node.get(_WRITTEN):
        return node.astext()
    text = defined.write_out(node.astext())
    if isinstance(node, nodes.math_block):
        return text if node.get(TAGGED) else latex.displayed(text)
    if len(latex.rows(text)) > 1:
        raise latex.LatexError(r"\\ begins a new line, which only a displayed formula ($$) has")
    return text


def wrong(
    env: BuildEnvironment, name: str, node: nodes.Node, what: str, within: str = ""
) -> FormulaError:
    """Return an error that says what is wrong with a formula; see :func:`place`."""
    return FormulaError(f"{place(env, name, node, within)}: This formula cannot be shown: {what}.")


def place(env: BuildEnvironment, name: str, node: nodes.Node, within: str = "") -> str:
    """Return the file and the line that a formula stands in.

    Parameters
    ----------
    env : sphinx.environment.BuildEnvironment
    name : str
        The name of the document.
    node : docutils.nodes.Node
        The formula.
    within : str
        What of it is meant; without it its beginning.
    """
    path, line, text = _found(env, name, node, within)
    page = Path(env.doc2path(name))
    shown = env.doc2path(name, base=False) if path == page else path.name
    if text is None:
        return f"{shown}, {warned.in_notebook(line)}"
    return f"{shown}, line {line}"


def _found(
    env: BuildEnvironment, name: str, node: nodes.Node, within: str
) -> tuple[Path, int, str | None]:
    """Return the file of a formula, the line, from 1, and what stands there, if it is known."""
    owner: nodes.Node | None = node
    while owner is not None and not owner.line:
        owner = owner.parent
    line = owner.line if owner is not None and owner.line else 1
    source = next((n.source for n in (node, owner) if n is not None and n.source), None)
    path = Path(source) if source and Path(source).is_file() else Path(env.doc2path(name))
    if path.suffix == ".ipynb":
        return path, line, None
    lines = path.read_text("utf-8", "replace").splitlines()
    original = (getattr(node, "rawsource", "") or node.astext()).strip()
    wanted = original.split("\n", 1)[0].strip()
    first = next((i for i in range(max(line - 1, 0), len(lines)) if wanted in lines[i]), line - 1)
    end = first + original.count("\n") + 1
    if isinstance(node, nodes.Text):  # its paragraph ends at a blank line
        end = next((i for i in range(first, len(lines)) if not lines[i].strip()), len(lines))
    rest = range(first, min(end, len(lines)))
    index = next((i for i in rest if within and within in lines[i]), first)
    return path, index + 1, lines[index] if index < len(lines) else ""


def _configure(_app: Sphinx, config: Config) -> None:
    if "myst_dmath_double_inline" not in config.overrides:
        config.myst_dmath_double_inline = True  # else MyST takes $$ in a line for two dollars
    with stopping():
        try:
            macros(config)
        except latex.LatexError as error:
            raise FormulaError(
                f"In mathjax3_config: tex: macros: of _config.yml {error}. Give its LaTeX, or a "
                "list of it, the number of its arguments, and the default of the first."
            ) from None


def _read(app: Sphinx, doctree: nodes.document) -> None:
    for paragraph in list(doctree.findall(nodes.paragraph)):
        _split(paragraph)
    for text in texts(doctree):
        _refuse_unclosed(app.env, text)


def _split(paragraph: nodes.paragraph) -> None:
    """Put displayed formulas within a paragraph between two: HTML has no blocks in one."""
    if not any(isinstance(child, nodes.math_block) for child in paragraph.children):
        return
    parts: list[nodes.Element] = []
    for child in paragraph.children:
        if isinstance(child, nodes.math_block):
            parts.append(child)
        elif parts and isinstance(parts[-1], nodes.paragraph):
            parts[-1] += child
        else:
            text = nodes.Text(child.lstrip()) if isinstance(child, nodes.Text) else child
            parts.append(nodes.paragraph("", "", text))
            parts[-1].source, parts[-1].line = paragraph.source, paragraph.line
    kept = [part for part in parts if isinstance(part, nodes.math_block) or part.astext()]
    paragraph.parent.replace(paragraph, kept)


def is_escaped(env: BuildEnvironment, text: nodes.Text, mark: str) -> bool:
    """Tell whether a mark in the text is meant as such: it stands nowhere without a backslash."""
    line = _found(env, env.docname, text, mark)[2]
    return line is not None and re.search(rf"(?<!\\){re.escape(mark)}", line) is None


def begins_line(text: nodes.Text) -> bool:
    """Tell whether a text begins a line of its paragraph."""
    at = text.parent.index(text)
    return at == 0 or text.parent.children[at - 1].astext().endswith("\n")


def _refuse_unclosed(env: BuildEnvironment, text: nodes.Text) -> None:
    r"""Refuse what begins as a formula and was read as text, since it does not end.

    With a backslash before it, as in ``\\begin{align}``, it is meant as text.
    """
    if (opened := _UNCLOSED.search(text)) and not is_escaped(env, text, opened[0]):
        what = (
            f"{opened[0]} stands in the text. Put the formula between $$, close it with "
            rf"\end{{{opened[1]}}}, or write it as `code`"
        )
        raise wrong(env, env.docname, text, what, opened[0])
    first = isinstance(text.parent, nodes.paragraph) and text.parent.children[0] is text
    if first and text.startswith("$$") and not is_escaped(env, text, "$$"):
        raise wrong(env, env.docname, text, "its $$ is not closed", "$$")


def _write_out(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Write the macros out, in the order in which a page defines them."""
    defined = macros(app.config)
    for node in formulas(doctree):
        try:
            text = written(node, defined)
        except latex.LatexError as error:
            raise wrong(app.env, name, node, str(error)) from None
        node[_WRITTEN] = True
        replace_text(node, text)
        if not text:  # it only defined something
            alone = isinstance(node.parent, nodes.paragraph) and len(node.parent.children) == 1
            gone = node.parent if alone else node
            gone.parent.remove(gone)
