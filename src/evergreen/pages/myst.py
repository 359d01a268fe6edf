"""What MyST takes for something else than its author meant: mended, or refused by line."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from docutils import nodes
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from myst_parser.parsers.mdit import create_md_parser
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole
from sphinx.util.nodes import make_refnode

from evergreen.errors import EvergreenError
from evergreen.pages import formulas

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

_ATTRIBUTES = re.compile(r"\{\s*(?:[.#][\w-]+|[\w-]+=)[^{}\n]*\}")
_FENCE = re.compile(r"(`{3,}|~{3,}|:{3,})\{[\w:-]+\}")
_NOTE = re.compile(r"\[\^[^\]\s]+\]")
# Directives whose contents are not MyST.
_CODE = re.compile(r"\{(?:code|code-block|code-cell|sourcecode|raw|math|eval-rst|mermaid)\}")
_TASK = re.compile(r"\[[ xX]\](?= )")
_STRUCK = re.compile(r"~~\w(?:[^~\n]*[^~\s])?~~")
_DEFINED = re.compile(r"^: +\S", re.MULTILINE)
# As MyST writes the label of a formula, with a sign in it that no word in brackets has.
_LABEL = re.compile(r"\s*\(([a-zA-Z]\w*[-:_.][\w.:-]*)\)(?=\s*$|\n)")
_BEFORE_AMOUNT = re.compile(r"[\s(/–-]$")


class MystError(EvergreenError):
    """An author's MyST is read as something else."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _configure)
    app.add_transform(_Pictures)
    app.add_post_transform(_Chosen)
    # Before formulas are taken apart (priority 400).
    app.connect("doctree-read", _read, priority=300)


def _configure(app: Sphinx, config: Config) -> None:
    # The first is about other formats than this one's. The second, of sphinx-design 0.8, is about
    # how its own and Jupyter Book's documentation writes cards.
    quiet = ("myst.strikethrough", "design.card_legacy")
    config.suppress_warnings = [*config.suppress_warnings, *quiet]
    app.add_role("eval", _Eval(), override=True)


class _Eval(SphinxRole):
    """``{eval}``, which wants a kernel while a page is read."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave a place that is refused with its line."""
        return [nodes.inline(self.rawtext, self.text, evaluated=True)], []


class _Pictures(SphinxTransform):
    """Finds pictures whose names have spaces or letters that an address writes otherwise."""

    # Before Sphinx collects the pictures (880).
    default_priority = 860

    def apply(self, **_kwargs: Any) -> None:
        """Name the file as the disk does, if there is one."""
        for picture in self.document.findall(nodes.image):
            address = picture.get("uri", "")
            if "://" not in address and not address.startswith("data:"):
                picture["uri"] = _on_disk(self.env, address)


class _Chosen(SphinxPostTransform):
    """Resolves links to what a page shows once it has read its address, as ``#rate=0.1&seed=2``.

    MyST knows the places in a page only, whose names have no "=".
    """

    # Before MyST's own (9).
    default_priority = 8

    def run(self, **_kwargs: Any) -> None:
        """Resolve each."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            name, chosen = link["reftarget"], link.get("reftargetid") or ""
            if "=" in chosen and name in self.env.all_docs:
                said = link[0] if link["refexplicit"] else nodes.inline("", link.astext())
                args = (self.env.docname, name, chosen, said.deepcopy())
                link.replace_self(make_refnode(self.app.builder, *args))


def _on_disk(env: BuildEnvironment, address: str) -> str:
    if Path(env.relfn2path(address)[1]).is_file():
        return address
    name = unquote(address)
    path = Path(env.relfn2path(name)[1])
    if not path.is_file() and path.parent.is_dir():
        # reStructuredText leaves the spaces out.
        same = [file for file in path.parent.iterdir() if "".join(file.name.split()) == path.name]
        if len(same) == 1:
            name = posixpath.join(posixpath.dirname(name), same[0].name)
            path = same[0]
    return name if path.is_file() else address


def _read(app: Sphinx, doctree: nodes.document) -> None:
    env = app.env
    for block in doctree.findall(nodes.literal_block):
        if block.get("language") == "udiff":  # of `literalinclude`, with this machine's folders
            formulas.replace_text(block, block.astext().replace(f"{env.srcdir}/", ""))
    # MyST-Parser before its pull request #1126 escapes what Sphinx escapes too.
    for link in doctree.findall(nodes.reference):
        if "refuri" in link:
            link["refuri"] = link["refuri"].replace("&amp;", "&")
    wrong = [
        f"{formulas.place(env, env.docname, node, within)}: {what}"
        for node, within, what in _misread(env, doctree)
    ]
    path = Path(env.doc2path(env.docname))
    if path.suffix == ".md":
        extensions = {"colon_fence"} & set(app.config.myst_enable_extensions)
        parser = create_md_parser(MdParserConfig(enable_extensions=extensions), DocutilsRenderer)
        name = env.doc2path(env.docname, base=False)
        # What follows the first may be closed by what is to close that.
        for line, what in islice(_unclosed(parser, path.read_text("utf-8")), 1):
            wrong.append(f"{name}, line {line}: {what}")
    if wrong:
        raise MystError("\n".join(wrong))


def _misread(
    env: BuildEnvironment, doctree: nodes.document
) -> Iterator[tuple[nodes.Node, str, str]]:
    """Return what is refused: where it stands, what of that is meant, and a sentence."""
    for text in formulas.texts(doctree):
        if (found := _FENCE.match(text)) and text.parent[0] is text:
            yield text, found[0], f"{found[0]} is read as text. {_of_fence(found[0])}"
        elif text.endswith("](") and not formulas.is_escaped(env, text, "]("):
            yield (
                text,
                "](",
                (
                    "The address of a link cannot be a substitution. Put the whole link into the "
                    'substitution, as in `link: "[text](address)"`.'
                ),
            )
        elif (found := _ATTRIBUTES.match(text)) and (kind := _attributed(text, found)):
            yield (
                text,
                found[0],
                (
                    f"The attributes {found[0]} would be shown as text. They need MyST's extension "
                    f"attrs_{kind} (parse: myst_enable_extensions: in _config.yml), and values in "
                    'quotes, as in {width="50%"}.'
                ),
            )
        elif (
            (found := _TASK.match(text))
            and _begins_item(text)
            and not formulas.is_escaped(env, text, found[0])
        ):
            yield text, found[0], _of_extension(f"The task {found[0]}", "tasklist")
        elif (found := _STRUCK.search(text)) and not formulas.is_escaped(env, text, found[0]):
            yield text, found[0], _of_extension(found[0], "strikethrough")
        if (
            (found := _DEFINED.search(text))
            and (found.start() or formulas.begins_line(text))
            and not formulas.is_escaped(env, text, found[0])
        ):
            what = (
                "A line that begins with a colon is a definition, and would be shown as text. It "
                "needs MyST's extension deflist, and one line above it alone, the term."
            )
            yield text, found[0], what
        if (found := _LABEL.match(text)) and _follows_formula(text):
            what = (
                f"The label ({found[1]}) would be shown as text. A formula with a label begins a "
                "paragraph of its own: leave an empty line above its $$."
            )
            yield text, f"({found[1]})", what
        found = _NOTE.search(text)
        if found and not formulas.is_escaped(env, text, found[0]):
            yield (
                text,
                found[0],
                (
                    f"There is no note {found[0]}, so this would be shown as text. Write it, as in "
                    f"`{found[0]}: What it says.`, or put what is no note into `code`."
                ),
            )
    for formula in doctree.findall(nodes.math):
        if _is_between_amounts(formula):
            text = f"${formula.astext()}$"
            yield (
                formula,
                "",
                (f"{text} is read as a formula. Write a dollar that is meant as a sign as \\$."),
            )
    for section in [part for part in doctree.children if isinstance(part, nodes.section)][1:]:
        yield (
            section[0],
            "",
            (
                "A page has one heading of the first level, its title in the contents, and this is "
                "another. Begin it with ##, and those below it with one # more, or make it a page "
                "of its own."
            ),
        )
    for title in doctree.findall(nodes.title):
        for link in title.findall(addnodes.pending_xref):
            of_list = isinstance(title.parent, nodes.section | nodes.document)
            if of_list and link.get("refdomain") == "cite":
                yield (
                    title,
                    "",
                    (
                        "A heading cannot hold a citation, since the lists of contents would show "
                        "its key. Cite in the text below it."
                    ),
                )
    for place in doctree.findall(nodes.inline):
        if "evaluated" in place:
            yield (
                place,
                place.rawsource,
                (
                    "{eval} cannot run code, since lessons are executed before pages are read. "
                    f"Write glue(value={place.astext()}) in a cell, and {{glue:text}}`value` here."
                ),
            )


def _unclosed(
    parser: Any, text: str, above: int = 0, around: str = ""
) -> Iterator[tuple[int, str]]:
    """Return the lines of fences that nothing closes, with a sentence for each.

    Parameters
    ----------
    parser : markdown_it.MarkdownIt
        Knows fences, of colons too if MyST does.
    text : str
        Of a page or of a directive.
    above : int
        The lines of the page above it.
    around : str
        How the directive begins, if it is of one.
    """
    lines = text.splitlines()
    for token in parser.parse(text):
        if token.map is None or token.type not in ("fence", "colon_fence"):
            continue
        first, end = token.map
        mark = token.markup
        begins = mark + token.info.strip().partition(" ")[0]
        last = lines[end - 1].strip(" \t>") if end - 1 > first else ""
        if not last.startswith(mark) or last.strip(mark[0]):
            yield above + first + 1, f"{begins} is never closed{_of_unclosed(mark, around)}"
        elif token.info.startswith("{") and not _CODE.match(token.info):
            yield from _unclosed(parser, token.content, above + first + 1, begins)


def _of_unclosed(mark: str, around: str) -> str:
    if around.startswith(mark[0]):
        return (
            f": the {mark} that is to close it closes {around}, which it stands in. Begin and end "
            f"that one with more of them, {mark + mark[0]}."
        )
    return f", so that all below it would be a part of it. Close it with a line {mark}."


def _of_fence(mark: str) -> str:
    if mark.startswith(":"):
        return (
            "Directives that begin so need MyST's extension colon_fence (parse: "
            "myst_enable_extensions: in _config.yml)."
        )
    return "No ` may follow a directive that begins so; begin it with :::, where it may."


def _follows_formula(text: nodes.Text) -> bool:
    """Tell whether a text is what follows a displayed formula within a paragraph."""
    at = text.parent.index(text)
    return at > 0 and isinstance(text.parent[at - 1], nodes.math_block)


def _begins_item(text: nodes.Text) -> bool:
    """Tell whether an item of a list begins with a text."""
    paragraph = text.parent
    return isinstance(paragraph.parent, nodes.list_item) and (
        paragraph.parent[0] is paragraph and paragraph[0] is text
    )


def _of_extension(what: str, extension: str) -> str:
    return (
        f"{what} would be shown as text. It needs MyST's extension {extension} (parse: "
        "myst_enable_extensions: in _config.yml)."
    )


def _attributed(text: nodes.Text, found: re.Match[str]) -> str | None:
    """Tell what attributes that stand in the text are meant for: a span, a block, or nothing."""
    at = text.parent.index(text)
    if at:
        spans = nodes.image | nodes.reference | nodes.literal | nodes.inline
        return "inline" if isinstance(text.parent[at - 1], spans) else None
    alone = found[0] == text.split("\n")[0].rstrip()
    return "block" if alone and isinstance(text.parent, nodes.paragraph) else None


def _is_between_amounts(formula: nodes.math) -> bool:
    """Tell whether a formula is what stands between two amounts in dollars: $5 and $6."""
    text, siblings = formula.astext(), formula.parent.children
    at = siblings.index(formula)
    before = siblings[at - 1].astext() if at else ""
    after = siblings[at + 1].astext() if at + 1 < len(siblings) else ""
    opened = bool(_BEFORE_AMOUNT.search(text)) and after[:1].isdigit()
    return opened or (before[-1:].isdigit() and text[:1].isspace())
