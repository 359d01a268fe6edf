"""Text as Markdown that shows that text and nothing else, in every viewer of notebooks.

Where a backslash does not do for all of them, a character is written as its number in HTML.
"""

from __future__ import annotations

import re

# MathJax looks for formulas in what is shown, where an escaped dollar is a dollar again. It
# never looks across the border of an element.
_DOLLAR, _BACKSLASH = "<span>&#36;</span>", "<span>&#92;</span>"

_SPECIAL = re.compile(
    r"(?P<backslash>\\(?=[()\[\]{}$]|begin\b|end\b|(?:eq)?ref\b))"
    r"|(?P<dollar>\$)"
    r"|(?P<entity>&(?=#?\w+;))"
    r"|(?P<bracket>\[(?=[\^ xX]))"  # of a note or a task
    # A bracket otherwise only where it could make a link: some viewers take \[ for a formula.
    r"|(?P<other>[\\`*<~]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:]|$))"
)
_LINE_START = re.compile(
    r"^(?P<number>\d+)(?P<point>[.)])(?=\s|$)"
    r"|^(?:[#>]|[+:-](?=\s|$)|=(?==*$)|[-:|](?=[-:| ]*$))",
    re.MULTILINE,
)


def escaped(text: str) -> str:
    """Return text as Markdown that may stand in the middle of a line."""
    return _SPECIAL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "backslash":
            return _BACKSLASH
        case "dollar":
            return _DOLLAR
        case "entity":
            return "&amp;"
        case "bracket":
            return "&#91;"
    return f"\\{found[0]}"


def paragraph(markdown: str) -> str:
    """Return the Markdown of a paragraph so that no line of it begins something else."""
    lines = "\n".join(line.strip() for line in markdown.strip().splitlines())
    return _LINE_START.sub(_escape_start, lines)


def _escape_start(found: re.Match[str]) -> str:
    return f"{found['number']}\\{found['point']}" if found["number"] else f"\\{found[0]}"


def heading(markdown: str, depth: int) -> str:
    """Return a heading of one line."""
    line = re.sub(r"#$", r"\#", " ".join(markdown.split()))
    return f"{'#' * min(depth, 6)} {line}"


def in_html(text: str, *, code: bool) -> str:
    """Return the text of an HTML block, with its entities, so that none of it is a formula."""
    if code:  # MathJax leaves it alone, but JupyterLab looks at the Markdown too
        return text.replace("$", "&#36;")
    return re.sub(
        r"(\$)|\\(?=[()\[\]{}$]|begin\b|end\b|(?:eq)?ref\b)",
        lambda found: _DOLLAR if found[1] else _BACKSLASH,
        text,
    )


def code(text: str) -> str:
    """Return a code span; its fence is longer than any run of backticks inside."""
    text = " ".join(text.splitlines())
    if not text.strip():
        return f"<code>{text}</code>"
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padded = "`" in (text[0], text[-1]) or (text[0] == text[-1] == " ")
    space = " " if padded else ""
    return f"{fence}{space}{text}{space}{fence}"


def fenced(text: str, language: str) -> str:
    """Return a code block."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def in_link(markdown: str) -> str:
    """Return escaped text for the text of a link, which ends at the first bracket."""
    return markdown.replace("[", "&#91;").replace(r"\]", "]").replace("]", "&#93;")


def link(markdown: str, address: str) -> str:
    """Return a link with an address, whose text is Markdown already."""
    for character in "\\()<> ":
        address = address.replace(character, f"%{ord(character):02X}")
    text = markdown.strip()
    return markdown.replace(text, f"[{text}]({address})") if text else markdown
