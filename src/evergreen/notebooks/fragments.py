"""HTML for notebooks: what Sphinx or an author wrote, without what only acts on the page.

A notebook knows neither the theme's classes nor its scripts, and lies in no folder of the site.
So tags keep what browsers themselves understand, pictures are embedded, and an address that
holds on the site alone becomes the site's own, or plain text.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

from evergreen.notebooks import escapes

Address = Callable[[str], str | None]
"""Turns an address as the page has it into one that holds anywhere, or None."""

Attributes = list[tuple[str, str | None]]

DROPPED = frozenset({"button", "nav", "noscript", "object", "script", "style", "template"})
"""Tags that are left out with all that stands in them.

What frames show cannot be shown, but a link leads there.
"""

_EMBEDDING = {"img": "src", "audio": "src", "video": "src", "source": "src"}
_VOID = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"),
        *("track", "wbr"),
    }
)
_KEPT = frozenset(
    {
        *(
            "align",
            "alt",
            "cite",
            "color",
            "colspan",
            "controls",
            "datetime",
            "dir",
            "height",
            "href",
        ),
        *("lang", "loop", "muted", "open", "poster", "reversed", "rowspan", "span", "src", "start"),
        *("style", "title", "type", "valign", "value", "width"),
    }
)
_MAY_BE_EMPTY = frozenset({"alt", "controls", "loop", "muted", "open", "reversed"})
# What begins a block of HTML for every Markdown; see CommonMark 0.31, section 4.6.
_BLOCK = re.compile(
    r"</?(address|article|aside|blockquote|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    r"|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|legend|li|main|menu|ol|p|section"
    r"|summary|table|tbody|td|tfoot|th|thead|tr|ul)\b"
)
# By Docutils' class: the type of HTML, and the style, for viewers that set one of their own.
_NUMBERING = {
    "loweralpha": ("a", "lower-alpha"),
    "upperalpha": ("A", "upper-alpha"),
    "lowerroman": ("i", "lower-roman"),
    "upperroman": ("I", "upper-roman"),
}
_PRE = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)


def inline(markup: str, link: Address, picture: Address) -> str:
    """Return HTML that stands in a line of Markdown, whose text is Markdown too.

    Parameters
    ----------
    markup : str
        It need not be balanced: an author's opening tag comes alone.
    link, picture : callable
        See :data:`Address`. Pictures, sounds and films may be embedded.
    """
    return _cleaned(markup, link, picture, escapes.escaped)[0].replace("\n", " ")


def block(markup: str, link: Address, picture: Address) -> str:
    """Return HTML as a block of Markdown, which ends at the first empty line.

    See :func:`inline` for the parameters.
    """
    cleaned, balanced = _cleaned(markup, link, picture, None)
    parts = _PRE.split(cleaned)
    parts[::2] = [re.sub(r"\n\s*", "\n", part) for part in parts[::2]]
    parts[1::2] = [re.sub(r"\n(?=[ \t]*\n)", "&#10;", part) for part in parts[1::2]]
    text = re.sub(r"(<strong>)\s+", r"\1", "".join(parts)).strip()
    return f"<div>{text}</div>" if text and balanced and not _BLOCK.match(text) else text


def _cleaned(
    markup: str, link: Address, picture: Address, escape: Callable[[str], str] | None
) -> tuple[str, bool]:
    cleaner = _Cleaner(link, picture, escape)
    cleaner.feed(markup)
    cleaner.close()
    return "".join(cleaner.written), not cleaner.unbalanced


class _Cleaner(HTMLParser):
    def __init__(
        self, link: Address, picture: Address, escape: Callable[[str], str] | None
    ) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self._link, self._picture, self._escape = link, picture, escape
        self._open: list[tuple[str, str]] = []  # tags, and what is written where they end
        self._dropping: list[str] = []
        self._drawing: list[str] | None = None
        self._stray = False

    @property
    def unbalanced(self) -> bool:
        return self._stray or bool(self._open)

    def handle_starttag(self, tag: str, attributes: Attributes) -> None:
        given = dict(attributes)
        classes = (given.get("class") or "").split()
        if self._drawing is not None:
            self._drawing.append(self.get_starttag_text() or "")
        elif self._dropping:
            if tag not in _VOID:
                self._dropping.append(tag)
        elif tag == "svg" and not ({"sd-octicon", "sd-material-icon"} & {*classes}):
            self._drawing = [self.get_starttag_text() or ""]
        elif tag in DROPPED or tag == "svg" or {"headerlink", "linenos"} & {*classes}:
            self._dropping.append(tag)
        elif tag == "iframe":
            self._write_link(given.get("src"), given.get("title"))
            self._dropping.append(tag)
        elif tag == "input":
            if given.get("type") == "checkbox":
                self.written.append("☑" if "checked" in given else "☐")
        elif tag in ("base", "link", "meta", "embed"):
            pass
        else:
            start, end = self._tags(tag, given, classes)
            self.written.append(start)
            if tag not in _VOID:
                self._open.append((tag, end))

    def handle_startendtag(self, tag: str, attributes: Attributes) -> None:
        if self._drawing is not None or tag in _VOID:
            self.handle_starttag(tag, attributes)
        else:
            self.handle_starttag(tag, attributes)
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._drawing is not None:
            self._drawing.append(f"</{tag}>")
            if tag == "svg":
                self.written.append(_drawn("".join(self._drawing)))
                self._drawing = None
        elif self._dropping:
            if tag in self._dropping:
                while self._dropping.pop() != tag:
                    pass
        elif tag in (opened for opened, _ in self._open):
            while True:
                opened, end = self._open.pop()
                if opened == tag:
                    self.written.append(end)
                    break
        elif tag not in _VOID:
            self._stray = True
            self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._drawing is not None:
            self._drawing.append(data)
        elif not self._dropping:
            if self._escape:
                self.written.append(self._escape(data))
            else:
                code = any(tag in ("code", "pre") for tag, _ in self._open)
                self.written.append(escapes.in_html(data, code=code))

    def handle_entityref(self, name: str) -> None:
        self._handle_reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._handle_reference(f"&#{name};")

    def _handle_reference(self, reference: str) -> None:
        character = html.unescape(reference)
        if self._drawing is not None:
            self._drawing.append(reference)
        elif character in ("$", "\\"):
            self.handle_data(character)
        elif not self._dropping:
            self.written.append(reference)

    def _tags(self, tag: str, given: dict[str, str | None], classes: list[str]) -> tuple[str, str]:
        """Return what is written for a tag where it begins, and where it ends."""
        if "footnote-reference" in classes:
            return "<sup>", "</sup>"
        if tag == "a":
            address = self._link(given.get("href") or "")
            if address is None:
                return "", ""
            given["href"] = address
        if name := _EMBEDDING.get(tag):
            address = self._picture(given.get(name) or "")
            if address is None and tag in ("img", "source"):
                alt = given.get("alt") or ""
                return (f"<em>{html.escape(alt)}</em>" if alt else ""), ""
            given[name] = address
        if poster := given.get("poster"):
            given["poster"] = self._picture(poster)
        if tag == "label":  # of a tab
            return "<strong>", "</strong>"
        if tag == "ol":
            for numbering in (_NUMBERING[name] for name in classes if name in _NUMBERING):
                given["type"], given["style"] = numbering[0], f"list-style-type: {numbering[1]}"
        for side in ("left", "center", "right"):
            if f"text-{side}" in classes:
                given["style"] = f"text-align: {side}"
        kept = "".join(
            f" {name}" if value is None else f' {name}="{html.escape(value)}"'
            for name, value in given.items()
            if name in _KEPT and (value or name in _MAY_BE_EMPTY)
        )
        if tag == "span" and not kept:
            start, end = "", ""
        else:
            start, end = f"<{tag}{kept}>", f"</{tag}>"
        if any(name == "rubric" or name.endswith(("-title", "caption-number")) for name in classes):
            start, end = f"{start}<strong>", f"</strong>{end}"
        return start, end

    def _write_link(self, address: str | None, text: str | None) -> None:
        address = self._link(address) if address else None
        shown = html.escape(text or address or "")
        self.written.append(f'<a href="{html.escape(address)}">{shown}</a>' if address else shown)


def _drawn(markup: str) -> str:
    """Return a drawing as a picture, since most viewers of notebooks leave drawings out."""
    if "xmlns=" not in markup.partition(">")[0]:
        markup = markup.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    title = re.search(r"<title[^>]*>(.*?)</title>", markup, re.DOTALL)
    label = re.search(r'aria-label="([^"]*)"', markup.partition(">")[0])
    alt = (title[1] if title else label[1] if label else "").replace('"', "&quot;")
    return f'<img src="{embedded(markup.encode(), "image/svg+xml")}" alt="{alt}">'


def embedded(content: bytes, kind: str) -> str:
    """Return a file as an address that holds all of it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
