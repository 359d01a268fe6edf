r"""A formula's LaTeX as text: its tokens, rows and environments, and a form for any viewer.

A page and its notebook show the same formula by different programs: Temml here, MathJax or KaTeX
where the notebook is opened. They agree on what stands inside of a formula, not on all that LaTeX
allows outside of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_TOKEN = re.compile(r"\\(?:[a-zA-Z]+|.)|[^\\]", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n[ \t]*)?")
_LETTERS = re.compile(r"\\[a-zA-Z]+")
_ENVIRONMENT = re.compile(r"\s*\\begin\{(\w+\*?)\}(.*)\\end\{\1\}\s*", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")
# A row may end with the space that follows it.
_SPACE_BELOW = re.compile(r"^\*?(\[[^\]\n]*\])?")
_NEXT_ROW = r" \\ "


class LatexError(Exception):
    """A formula cannot be read; the message is the end of a sentence about it."""


def tokens(latex: str) -> list[str]:
    """Return the commands and characters of a formula, without comments."""
    return _TOKEN.findall(_COMMENT.sub(r"\1", latex))


def joined(parts: Iterable[str]) -> str:
    """Return tokens as text; a command needs a space before a letter."""
    text: list[str] = []
    for part in parts:
        if text and part[0].isalpha() and _LETTERS.fullmatch(text[-1]):
            text.append(" ")
        text.append(part)
    return "".join(text).strip()


class _Parts(NamedTuple):
    rows: list[str]
    paragraphs: list[str]
    aligned: bool


def _parts(latex: str) -> _Parts:
    r"""Part a formula at ``\\`` and at blank lines that stand in no group and no environment."""
    rows, paragraphs = [""], [""]
    depth, aligned, index = 0, False, 0
    while index < len(latex):
        if depth == 0 and (blank := _BLANK_LINE.match(latex, index)):
            paragraphs.append("")
            rows[-1] += "\n"
            index = blank.end()
            continue
        found = _TOKEN.match(latex, index)
        token = found[0] if found else latex[index]
        if token in ("{", r"\begin", r"\left"):
            depth += 1
        elif token in ("}", r"\end", r"\right"):
            depth -= 1
        index += len(token)
        paragraphs[-1] += token
        if depth == 0 and token == r"\\":
            space = _SPACE_BELOW.match(latex[index:])
            skipped = space[0] if space else ""
            paragraphs[-1] += skipped
            index += len(skipped)
            rows.append("")
        else:
            aligned |= depth == 0 and token == "&"
            rows[-1] += token
    return _Parts(rows, [part.strip() for part in paragraphs if part.strip()], aligned)


def rows(latex: str) -> list[str]:
    r"""Return the rows of a formula, or of an environment's body."""
    return _parts(latex).rows


def environment(latex: str) -> tuple[str, str]:
    """Return the environment that is the whole of a formula, and its body.

    The name is empty where there is none.
    """
    found = _ENVIRONMENT.fullmatch(latex)
    # Two matrices side by side begin and end like one.
    if found is None or rf"\end{{{found[1]}}}" in found[2]:
        return "", latex
    return found[1], found[2]


def displayed(latex: str) -> str:
    r"""Return a displayed formula in a form for any place between ``$$``.

    Rows and blank lines outside of an environment make rows, as in Sphinx. What LaTeX allows
    outside of a formula only, such as ``align``, becomes what it allows inside, ``aligned``.
    """
    name, body = environment(latex)
    match name.removesuffix("*"):
        case "equation" | "displaymath" | "math":
            return displayed(body)
        case "align" | "flalign":
            return rf"\begin{{aligned}}{body}\end{{aligned}}"
        case "alignat":
            return rf"\begin{{alignedat}}{body}\end{{alignedat}}"
        case "gather":
            return rf"\begin{{gathered}}{body}\end{{gathered}}"
        case "multline":
            # The first row to the left, the last to the right, as far as a column allows it.
            body = _NEXT_ROW.join(
                "&" + r"\qquad" * number + f" {row.strip()}"
                for number, row in enumerate(_parts(body).rows)
            )
            return rf"\begin{{aligned}}{body}\end{{aligned}}"
        case "eqnarray":
            body = _NEXT_ROW.join(map(_two_columns, _parts(body).rows))
            return rf"\begin{{aligned}}{body}\end{{aligned}}"
        case "":
            latex = latex.strip()
            parts = _parts(latex)
            if len(parts.paragraphs) > 1:
                joined = _NEXT_ROW.join(map(displayed, parts.paragraphs))
                return rf"\begin{{aligned}}{joined}\end{{aligned}}"
            if len(parts.rows) > 1 or parts.aligned:
                return rf"\begin{{split}}{latex}\end{{split}}"
    # A blank line would end a formula in a notebook's Markdown.
    return _BLANK_LINE.sub("\n", latex.strip())


def _two_columns(row: str) -> str:
    """Return a row of three columns, left, relation and right, as one of two."""
    left, _, right = row.partition("&")
    return f"{left}&{right.replace('&', '', 1)}" if _ else row
