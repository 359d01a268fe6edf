"""Marks of other kinds of Markdown, which MyST shows as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from docutils import nodes

from evergreen.errors import EvergreenError
from evergreen.pages import formulas

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_AS_TEXT = "would be shown as text."
# What a paragraph begins with, or one of its lines, and what to write in its place.
_BEGINS = {
    r"\[!\w+\]": "Write ```{note} and what it says, or {tip}, {important}, {warning}, {caution}.",
    r"!!!\+? \w+|\?\?\?\+? \w+": "Write ```{note} and what it says, or {admonition} and a title.",
    r":::+ *\w[\w -]*(?=\n|$)": "Write the name of a directive in braces, as in :::{note}.",
    r"\[TOC\](?=\n|$)": "Write ```{contents}, or nothing: the page has one.",
    r"\{:\s?[^}\n]*\}": "Write attributes as MyST does, in {.class} above a block (attrs_block).",
    r"#{7,} ": "A heading has at most six #.",
    r"#{1,6}(?=[^\W\d]{2})": r"A heading has a space behind its #; write \# for the sign itself.",
    r":[^\W\d][\w -]*: (?=\S)": (
        "Fields need MyST's extension fieldlist (parse: myst_enable_extensions: in _config.yml)."
    ),
}
_BEGINNING = re.compile(
    "|".join(f"^(?P<f{place}>{mark})" for place, mark in enumerate(_BEGINS)), re.MULTILINE
)
_NAMED = re.compile(r"\{#[\w:.-]+[^}]*\}\s*$")
_FRONT_MATTER = re.compile(r"(?:file_format|kernelspec|jupytext|mystnb)\s*:")


class ForeignError(EvergreenError):
    """An author's mark is shown as text."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("doctree-read", _refuse, priority=299)  # before what MyST itself misreads


def _refuse(app: Sphinx, doctree: nodes.document) -> None:
    env = app.env
    if env.doc2path(env.docname).endswith(".rst"):
        return
    wrong = [
        f"{formulas.place(env, env.docname, node, mark)}: {what}"
        for node, mark, what in (*_in_headings(doctree), *_in_paragraphs(doctree))
        if not mark or not isinstance(node, nodes.Text) or not formulas.is_escaped(env, node, mark)
    ]
    if wrong:
        raise ForeignError("\n".join(wrong))


def _in_paragraphs(doctree: nodes.document) -> Iterator[tuple[nodes.Node, str, str]]:
    for text in formulas.texts(doctree):
        if not isinstance(text.parent, nodes.paragraph):
            continue
        for found in _BEGINNING.finditer(text):
            if found.start() or formulas.begins_line(text):
                mark = found[0].strip()
                way = list(_BEGINS.values())[int(str(found.lastgroup)[1:])]
                yield text, mark, f"{mark} {_AS_TEXT} {way}"


def _in_headings(doctree: nodes.document) -> Iterator[tuple[nodes.Node, str, str]]:
    for title in doctree.findall(nodes.title):
        text = title.astext()
        if not isinstance(title.parent, nodes.section):
            continue
        if not title.children:
            yield title, "", "This heading is empty. Write its words, or take it out."
        elif text.startswith("<<<<<<< "):
            what = "Git has left two versions here. Keep one, and take out the three marks."
            yield title, "", what
        elif found := _NAMED.search(text):
            name = found[0].strip()
            way = f"Write ({name.split('}')[0][2:].split()[0]})= in a line above the heading."
            yield title, name, f"{name} {_AS_TEXT} {way}"
        elif _FRONT_MATTER.match(text):
            what = (
                "The front matter is read as text. It must begin with --- in the first line of the "
                "file."
            )
            yield title, "", what
