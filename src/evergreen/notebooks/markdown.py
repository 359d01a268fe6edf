"""A page's resolved document tree as the Markdown of notebooks, in pieces between code cells.

By the time a page is written, Sphinx and its extensions have resolved everything that only
they understand: citations, numbers, links, included code. So this needs to know no MyST.
It refuses a node that it has no Markdown for, rather than leave it out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence

from docutils import nodes
from sphinx import addnodes
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node, solution_node

from evergreen.errors import EvergreenError

Link = Callable[[str], str | None]
"""Turns an address as the page has it into one that holds anywhere, or None."""

Number = Callable[[str, str], str]
"""Returns the number of a figure or an exercise, from its kind and its id."""

# A bracket only where it could make a link: some viewers take \[ for a formula.
_SPECIAL = re.compile(r"[\\`*$<]|(?<!\w)_|_(?!\w)|\](?=[(\[])")
_LINE_START = re.compile(r"^(\s*)([#>+-]|\d+[.)])(?=\s)", re.MULTILINE)


class MarkdownError(EvergreenError):
    """A page holds something that cannot be put into a notebook."""


class Cell(int):
    """The place of a code cell, by its index in the executed notebook."""


class Text(str):
    """Markdown for one cell."""

    folded = False


class Folded(Text):
    """Markdown whose heading is folded, with all that follows up to the next heading."""

    folded = True


class Writer:
    """Writes one page.

    Parameters
    ----------
    link : callable
        See :data:`Link`.
    number : callable
        See :data:`Number`.
    """

    def __init__(self, link: Link, number: Number) -> None:
        self._link = link
        self._number = number

    def pieces(self, parent: nodes.Element, depth: int = 0) -> Iterator[Text | Cell]:
        """Return a page's Markdown and its code cells, in order."""
        prose: list[str] = []

        def written() -> Iterator[Text]:
            if prose:
                yield Text("\n\n".join(prose))
                prose.clear()

        for node in parent.children:
            if isinstance(node, nodes.section):
                yield from written()
                yield from self.pieces(node, depth + 1)
            elif isinstance(node, nodes.title):
                prose.append(f"{'#' * depth} {self._inline(node)}")
            elif isinstance(node, exercise_node | exercise_enumerable_node):
                yield from written()
                number = self._number("exercise", node["ids"][0])
                yield from self._titled(node, depth + 1, f"Exercise {number}".rstrip(), Text)
            elif isinstance(node, solution_node):
                yield from written()
                title = node[0].astext().replace("\n", " ")
                yield from self._titled(node, depth + 2, re.sub(r"\s+", " ", title), Folded)
            elif isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
                yield from written()
                yield Cell(node["cell_index"])
                yield from map(self._caption, node.findall(nodes.figure))
            elif text := self._block(node):
                prose.append(text)
        yield from written()

    def _titled(
        self, node: nodes.Element, depth: int, title: str, kind: type[Text]
    ) -> Iterator[Text | Cell]:
        """Write an exercise or a solution, which are boxes on the page, under a heading."""
        heading = f"{'#' * depth} {title}"
        content = (child for part in node.findall(nodes.section) for child in part.children)
        pieces = list(self.pieces(nodes.container("", *(child.deepcopy() for child in content))))
        if kind is Text and pieces and isinstance(pieces[0], Text):
            heading = f"{heading}\n\n{pieces.pop(0)}"
        yield kind(heading)
        yield from pieces

    def _caption(self, figure: nodes.figure) -> Text:
        """Write what stands below a figure; the picture is the cell's output."""
        number = self._number("figure", figure["ids"][0])
        caption = self._inline(next(figure.findall(nodes.caption)))
        described = html.escape(next(figure.findall(nodes.image))["alt"].strip(), quote=False)
        return Text(
            f"**Fig. {number}.** {caption}\n\n"
            f"<details><summary>The figure in words</summary>{described}</details>"
        )

    def _block(self, node: nodes.Node) -> str:
        match node:
            case nodes.paragraph() | nodes.caption():
                return _LINE_START.sub(r"\1\\\2", self._inline(node))
            case nodes.math_block():
                return f"$$\n{node.astext().strip()}\n$$"
            case nodes.literal_block():
                return _fenced(node.astext(), node.get("language", ""))
            case nodes.bullet_list():
                return "\n".join(self._item("- ", item) for item in node.children)
            case nodes.enumerated_list():
                first = node.get("start", 1)
                return "\n".join(
                    self._item(f"{number}. ", item)
                    for number, item in enumerate(node.children, first)
                )
            case nodes.block_quote():
                return _quoted(self._blocks(node.children))
            case nodes.table():
                return self._table(node)
            case nodes.Admonition():
                title = next(node.findall(nodes.title), None)
                name = self._inline(title) if title else node.tagname.capitalize()
                body = [child for child in node.children if child is not title]
                return _quoted(f"**{name}**\n\n{self._blocks(body)}")
            case nodes.container() | nodes.compound():
                return self._blocks(node.children)
            case nodes.comment() | nodes.target() | addnodes.index() | addnodes.highlightlang():
                return ""
        raise _unknown(node)

    def _blocks(self, children: Sequence[nodes.Node]) -> str:
        return "\n\n".join(filter(None, map(self._block, children)))

    def _item(self, marker: str, item: nodes.Node) -> str:
        lines = self._blocks(item.children).splitlines()
        indent = " " * len(marker)
        return "\n".join(
            (marker if index == 0 else indent if line else "") + line
            for index, line in enumerate(lines)
        )

    def _table(self, table: nodes.table) -> str:
        rows = [
            [self._blocks(entry.children).replace("\n", " ").replace("|", r"\|") for entry in row]
            for row in table.findall(nodes.row)
        ]
        rows.insert(1, ["---"] * len(rows[0]))
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def _inline(self, parent: nodes.Node) -> str:
        return "".join(map(self._span, parent.children)).strip()

    def _span(self, node: nodes.Node) -> str:
        match node:
            case nodes.Text():
                return _escaped(node.astext())
            case nodes.emphasis() | nodes.title_reference():
                return f"*{self._inline(node)}*"
            case nodes.strong():
                return f"**{self._inline(node)}**"
            case nodes.literal():
                return _code(node.astext())
            case nodes.math():
                return f"${node.astext().strip()}$"
            case nodes.reference():
                text = "".join(map(self._span, node.children))
                address = self._link(node["refuri"]) if "refuri" in node else None
                return f"[{text.strip()}]({address})" if address else text
            case nodes.inline():
                return "".join(map(self._span, node.children))
            case nodes.target() | addnodes.index():
                return ""
        raise _unknown(node)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _code(text: str) -> str:
    """Return a code span; its fence is longer than any run of backticks inside."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    name = {"default": "python", "none": "", "text": ""}.get(language, language)
    return f"{fence}{name}\n{text.rstrip()}\n{fence}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _unknown(node: nodes.Node) -> MarkdownError:
    return MarkdownError(
        f"There is no Markdown for {type(node).__name__} ({node.astext()[:60]!r}) in the "
        "published notebooks: write it otherwise, or teach evergreen.notebooks.markdown to."
    )
