"""A page's resolved document tree as the Markdown of notebooks, in pieces between code cells.

By the time a page is written, Sphinx and its extensions have resolved everything that only
they understand: citations, numbers, links, included code. So this needs to know no MyST.
What plain Markdown has no form for is written as HTML, see :mod:`evergreen.notebooks.rendering`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx import addnodes
from sphinx.locale import admonitionlabels
from sphinx_exercise.nodes import is_exercise_node, is_solution_node

from evergreen.notebooks import escapes, formulas, fragments, tables
from evergreen.notebooks.rendering import Page


class Cell(int):
    """The place of a code cell, by its index in the executed notebook."""


class Text(str):
    """Markdown for one cell."""

    folded = False


class Folded(Text):
    """Markdown whose heading is folded, with all that follows up to the next heading."""

    folded = True


# What Sphinx calls the languages of code, where viewers of notebooks call them otherwise.
_LANGUAGES = {
    "default": "python",
    "ipython": "python",
    "ipython3": "python",
    "ipythontb": "",
    "myst-ansi": "",
    "none": "",
    "text": "",
}


class Writer:
    """Writes one page.

    Parameters
    ----------
    page : Page
    """

    def __init__(self, page: Page) -> None:
        self._page = page

    def pieces(self, parent: nodes.Element, depth: int = 0) -> Iterator[Text | Cell]:
        """Return a page's Markdown and its code cells, in order."""
        prose: list[nodes.Node | str] = []

        def written() -> Iterator[Text]:
            if text := self.blocks(prose):
                yield Text(text)
            prose.clear()

        for node in parent.children:
            if isinstance(node, nodes.section):
                yield from written()
                # That of an exercise has no title of its own.
                yield from self.pieces(node, depth + isinstance(node[0], nodes.title))
            elif isinstance(node, nodes.title):
                text = self.line(node)
                is_heading = isinstance(parent, nodes.section)
                prose.append(escapes.heading(text, depth) if is_heading else f"**{text}**")
            elif is_exercise_node(node):
                yield from written()
                yield from self._titled(node, depth + 1, Text)
            elif is_solution_node(node):
                yield from written()
                yield from self._titled(node, depth + 2, Folded)
            elif _is_cell(node):
                yield from written()
                yield Cell(node["cell_index"])
                for figure in node.findall(nodes.figure):
                    if caption := self._caption(figure):
                        yield Text(caption)
            elif any(map(_is_cell, node.findall())):
                yield from written()
                yield from self.pieces(node, depth)
            else:
                prose.append(node)
        yield from written()

    def blocks(self, children: Iterable[nodes.Node | str]) -> str:
        """Return the Markdown of what stands below each other."""
        written: list[str] = []
        before: type[nodes.Node] | None = None
        for child in children:
            text = child if isinstance(child, str) else self._block(child)
            if text:
                kind = type(child)
                if kind is before and issubclass(kind, nodes.bullet_list | nodes.enumerated_list):
                    written.append("<!-- -->")  # else they were one list
                written.append(text)
                before = kind
        return "\n\n".join(written)

    def line(self, parent: nodes.Element) -> str:
        """Return the Markdown of what stands in a line."""
        return self._spans(parent.children).strip()

    def _titled(self, node: nodes.Element, depth: int, kind: type[Text]) -> Iterator[Text | Cell]:
        """Write an exercise or a solution, which are boxes on the page, under a heading."""
        title, *content = node.children
        name = escapes.escaped(self._page.label(node))
        heading = escapes.heading(f"{name}{self._spans(title.children)}", depth)
        pieces = list(self.pieces(_parted(content), depth))
        if kind is Text and pieces and isinstance(pieces[0], Text):
            heading = f"{heading}\n\n{pieces.pop(0)}"
        yield kind(heading)
        yield from pieces

    def _caption(self, figure: nodes.figure) -> str:
        """Write what stands below a cell's output, which is in the notebook already."""
        caption = next(figure.findall(nodes.caption), None)
        legend = next(figure.findall(nodes.legend), None)
        described = next(
            (image["alt"] for image in figure.findall(nodes.image) if image.get("alt")), ""
        )
        parts: list[nodes.Node | str] = []
        if caption is not None:
            parts.append(self._captioned(caption, self._page.label(figure)))
        parts += legend.children if legend else ()
        if described:
            described = escapes.in_html(html.escape(described.strip(), quote=False), code=False)
            described = " ".join(described.split())
            parts.append(f"<details><summary>The figure in words</summary>{described}</details>")
        return self.blocks(parts)

    def _captioned(self, caption: nodes.Element, label: str) -> str:
        text = self.line(caption)
        return f"**{escapes.escaped(label)}** {text}" if label else escapes.paragraph(text)

    def _block(self, node: nodes.Node) -> str:
        match node:
            case nodes.paragraph() if any(map(_is_part_of_html, node.findall(nodes.raw))):
                return self._page.html(node, inline=False)
            case nodes.paragraph():
                return escapes.paragraph(self.line(node))
            case nodes.caption():
                return self._captioned(node, self._page.label(node.parent))
            case nodes.attribution():
                return f"— {self.line(node)}"
            case nodes.math_block():
                return formulas.block(node.astext(), self._page.equation(node))
            case nodes.literal_block() | nodes.doctest_block():
                language = node.get("language", "")
                return escapes.fenced(node.astext(), _LANGUAGES.get(language, language))
            case nodes.bullet_list():
                return "\n".join(self._item("- ", item) for item in node.children)
            case nodes.enumerated_list() if node.get("enumtype", "arabic") == "arabic":
                items = enumerate(node.children, node.get("start", 1))
                return "\n".join(self._item(f"{number}. ", item) for number, item in items)
            case nodes.block_quote():
                return _quoted(self.blocks(node.children))
            case nodes.transition():
                return "---"
            case nodes.table():
                if (table := tables.write(node, self)) is not None:
                    title = next(node.findall(nodes.title), None)
                    caption = title and self._captioned(title, self._page.label(node))
                    return "\n\n".join(filter(None, (caption, table)))
            case nodes.footnote():
                label, *content = node.children
                return self._labelled(_raised(label.astext()), content)
            case nodes.citation():
                label, *content = node.children
                name = escapes.escaped(f"[{label.astext()}]")
                return self._labelled(escapes.paragraph(name), content)
            case nodes.Admonition() | nodes.sidebar() | nodes.topic() if _is_box(node):
                return self._box(node)
            case nodes.container() if tabs := _tabs(node):
                return self.blocks(
                    part for name, panel in tabs for part in (f"**{self.line(name)}**", panel)
                )
            case nodes.container() | nodes.compound() if not _is_title(node):
                return self.blocks(node.children)
            case nodes.section() if not isinstance(node.next_node(), nodes.title):
                return self.blocks(node.children)
            case nodes.raw():
                return self._raw(node, inline=False)
            case nodes.Text() | nodes.Inline():
                return escapes.paragraph(self._spans([node]))
        return self._page.html(node, inline=False)

    def _labelled(self, label: str, content: list[nodes.Node]) -> str:
        """Write a note or a work, which begins with its label."""
        beside = bool(content) and isinstance(content[0], nodes.paragraph)
        return f"{label}{' ' if beside else chr(10) * 2}{self.blocks(content)}"

    def _box(self, node: nodes.Element) -> str:
        name, content = str(admonitionlabels.get(node.tagname, "")), node.children
        title = f"**{escapes.escaped(name)}**" if name else ""
        if isinstance(content[0], nodes.title):
            if {"dropdown", "toggle"} & {*node["classes"]}:
                return self._unfolding(content[0], content[1:])
            text, content = self._title(node), content[1:]  # empty in the margin
            title = f"**{text}**" if text else ""
        return _quoted(self.blocks([title, *content]))

    def _title(self, node: nodes.Element) -> str:
        """Write the title of a box. Another extension's writer may add a name and a number."""
        if type(node).__module__.partition(".")[0] in ("docutils", "sphinx"):
            return self.line(node[0])
        written = BeautifulSoup(self._page.html(node, inline=False), "html.parser").p
        for tag in written("strong"):
            tag.unwrap()
        return " ".join(written.decode_contents().split())

    def _unfolding(self, title: nodes.title, content: Iterable[nodes.Node]) -> str:
        """Write a box that its reader unfolds. Between empty lines, HTML holds Markdown."""
        summary = re.sub(r"</?p>", "", self._page.html(title, inline=False))
        return "\n\n".join(
            (f"<details><summary>{summary}</summary>", self.blocks(content), "</details>")
        )

    def _item(self, marker: str, item: nodes.Element) -> str:
        lines = self.blocks(item.children).splitlines()
        indent = " " * len(marker)
        return "\n".join(
            [f"{marker}{lines[0] if lines else ''}".rstrip()]
            + [f"{indent}{line}" if line else "" for line in lines[1:]]
        )

    def _raw(self, node: nodes.raw, *, inline: bool) -> str:
        formats = node.get("format", "").split()
        return self._page.raw(node.astext(), inline=inline) if "html" in formats else ""

    def _spans(self, children: Iterable[nodes.Node]) -> str:
        """Return the Markdown of a line's parts, which must not run into each other."""
        parts = [(child, self._span(child)) for child in children]
        written = ""
        for index, (child, text) in enumerate(parts):
            after = next((part for _, part in parts[index + 1 :] if part), "")
            if isinstance(child, nodes.emphasis | nodes.title_reference | nodes.strong):
                text = _emphasized(text, isinstance(child, nodes.strong), written, after)
            elif text.startswith("[") and written.endswith("!"):
                written = f"{written[:-1]}\\!"
            written += text
        return written

    def _span(self, node: nodes.Node) -> str:
        match node:
            case nodes.Text():
                text = escapes.escaped(node.astext())
                return escapes.in_link(text) if _is_in_link(node) else text
            case nodes.emphasis() | nodes.title_reference() | nodes.strong():
                return self._spans(node.children)
            case nodes.literal() if "kbd" not in node["classes"]:
                return escapes.code(node.astext())
            case nodes.math():
                return formulas.inline(node.astext())
            case nodes.reference():
                text = self._spans(node.children)
                address = self._page.link(node["refuri"]) if "refuri" in node else None
                return escapes.link(text, address) if address else text
            case nodes.footnote_reference():
                return _raised(node.astext())
            case nodes.raw():
                return self._raw(node, inline=True)
            case nodes.inline():
                return self._spans(node.children)
            case nodes.target() | nodes.comment() | addnodes.index():
                return ""
        return self._page.html(node, inline=True)


def _is_part_of_html(node: nodes.raw) -> bool:
    """Tell whether an author's tag cannot be written without those around it."""
    is_simple = re.fullmatch(r"</?(\w+)( ?/)?>\s*", node.astext())
    return "html" in node["format"].split() and (
        is_simple is None or is_simple[1].lower() in fragments.DROPPED
    )


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _is_box(node: nodes.Element) -> bool:
    """Tell whether all children stand below each other."""
    return bool(node.children) and not any(
        isinstance(child, nodes.Inline | addnodes.production) for child in node.children
    )


def _tabs(node: nodes.Element) -> list[tuple[nodes.Element, nodes.Element]]:
    """Return names and panels of tabs, where all names come first, as sphinx-tabs has them."""
    names = node.next_node()
    if not isinstance(names, nodes.Element) or names.get("role") != "tablist":
        return []
    return list(zip(names.children, node.children[1:], strict=True))


def _is_title(node: nodes.Element) -> bool:
    return any(name.endswith("-title") for name in node["classes"])


def _is_in_link(node: nodes.Node) -> bool:
    parent = node.parent
    while parent is not None and not isinstance(parent, nodes.paragraph):
        if isinstance(parent, nodes.reference):
            return True
        parent = parent.parent
    return False


def _parted(children: list[nodes.Node]) -> nodes.Element:
    """Return a node with the children of another, which stays their parent."""
    part = nodes.container()
    part.children = children
    return part


def _emphasized(text: str, strong: bool, before: str, after: str) -> str:
    """Return emphasized text, by tags where asterisks would not count as its borders."""
    if not text.strip():
        return text
    marker, tag = ("**", "strong") if strong else ("*", "em")
    # See CommonMark 0.31, section 6.2: runs that are flanking from the left or the right.
    opens = text[0].isalnum() or not (text[0] in " \n*_" or before[-1:].isalnum())
    closes = text[-1].isalnum() or not (text[-1] in " \n*_" or after[:1].isalnum())
    if opens and closes and not before.endswith("*") and not after.startswith("*"):
        return f"{marker}{text}{marker}"
    return f"<{tag}>{text}</{tag}>"


def _raised(label: str) -> str:
    return f"<sup>&#91;{escapes.escaped(label)}&#93;</sup>"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
