"""What others read of a page before anybody opens it, and the page for a wrong address.

A description and a card with the page's main figure for search engines and chats, a sitemap
where the site's address is known, and a 404 page that is whole at any depth.
"""

from __future__ import annotations

import io
import posixpath
import re
import textwrap
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import resvg_py
from docutils import nodes
from PIL import Image, ImageOps

from evergreen import sources
from evergreen.look import language, markup

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CARD = (1200, 630)
"""Width and height of a card's picture in pixels: what the services that show it ask for."""

_CARDS = "_static/cards"
_MARGIN = 30
_INNER = (CARD[0] - 2 * _MARGIN, CARD[1] - 2 * _MARGIN)
_NOT_FOUND = "404"
_UNLISTED = {"search", _NOT_FOUND}
_TAG = re.compile(r"<[^>]*>")
_SIZE = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"')
# resvg knows no variables in colours (its issue 821); each has its value on a light page with it.
_VARIABLE = re.compile(r"var\(--[\w-]+,\s*([^)]+)\)")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("html-collect-pages", _not_found)
    app.connect("html-page-context", _describe)
    app.connect("build-finished", _map)
    app.connect("build-finished", _remove_cards)


def _not_found(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    title = language.said(app.config, "There is no such page")
    text = language.said(
        app.config,
        "The address may have a typing error, or the page may have moved. Begin at "
        '<a href="{first}">the first page</a>, or <a href="{search}">search</a> for what you were '
        "looking for.",
    )
    first = app.builder.get_target_uri(app.config.root_doc)
    body = f"<h1>{title}</h1><p>{text.format(first=first, search='search.html')}</p>"
    yield _NOT_FOUND, {"title": title, "body": body}, "page.html"


def _describe(
    app: Sphinx, name: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add a page's description and its card to what the template puts in its head."""
    site = app.config.html_title
    title = unescape(_TAG.sub("", context.get("title", ""))) or site
    description = _first_words(doctree) if doctree else f"{title}: {site}"
    tags = [("name", "description", description)]
    if name in _UNLISTED:
        tags += [("name", "robots", "noindex")]
        context["pageurl"] = None
    else:
        tags += [
            ("property", "og:type", "article"),
            ("property", "og:site_name", site),
            ("property", "og:title", title),
            ("property", "og:description", description),
        ]
        if context["pageurl"]:
            # Sphinx 7.4 leaves a space in a name as it is (unreported).
            target = app.builder.get_target_uri(name)
            context["pageurl"] = posixpath.join(app.config.html_baseurl, target)
            tags += [("property", "og:url", context["pageurl"])]
        if figure := _first_figure(app, doctree):
            address = app.config.html_baseurl or context["content_root"]
            tags += [
                ("property", "og:image", posixpath.join(address, _card(app, figure["uri"]))),
                ("property", "og:image:alt", figure.get("alt", "")),
                ("name", "twitter:card", "summary_large_image"),
            ]
    lines = [f'<meta {kind}="{key}" content="{escape(value)}" />' for kind, key, value in tags]
    if name == _NOT_FOUND:
        # The browser shows it at the address that was asked for, at whatever depth.
        root = urlsplit(app.config.html_baseurl).path.rstrip("/") + "/"
        lines.insert(0, f'<base href="{escape(root)}" />')
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def _first_words(doctree: nodes.document) -> str:
    """Return a page's first sentences, as many as a search engine shows."""
    paragraphs = (node for node in doctree.findall(nodes.paragraph) if node.astext().strip())
    text = next((node.astext() for node in paragraphs), doctree.astext())
    return textwrap.shorten(text, 160, placeholder=" …")


def _first_figure(app: Sphinx, doctree: nodes.document | None) -> nodes.image | None:
    """Return a page's first picture that is a file of the site."""
    for figure in doctree.findall(nodes.image) if doctree else ():
        within = not urlsplit(figure["uri"]).scheme and not urlsplit(figure["uri"]).netloc
        if within and _file(app, figure["uri"]).is_file():
            return figure
    return None


def _file(app: Sphinx, uri: str) -> Path:
    return markup.picture_file(app.builder, unquote(uri))


def _card(app: Sphinx, uri: str) -> str:
    """Draw a figure on a card of the size that others show, and return its path in the site."""
    source = _file(app, uri)
    # Another picture may come to have the same name.
    path = f"{_CARDS}/{source.stem}-{sources.digest(source.read_bytes())[:10]}.png"
    file = Path(app.outdir, path)
    if not file.is_file():
        if source.suffix == ".svg":
            figure = _drawn(_VARIABLE.sub(r"\1", source.read_text("utf-8")))
        else:
            figure = Image.open(source).convert("RGB")
        fitted = ImageOps.contain(figure, _INNER, Image.Resampling.LANCZOS)
        card = Image.new("RGB", CARD, figure.getpixel((0, 0)))
        card.paste(fitted, ((CARD[0] - fitted.width) // 2, (CARD[1] - fitted.height) // 2))
        file.parent.mkdir(parents=True, exist_ok=True)
        card.quantize(256).save(file, optimize=True)
    return path


def _drawn(svg: str) -> Image.Image:
    """Draw a figure about as large as it fits on a card: to draw it larger takes far longer."""
    size = _SIZE.search(svg)
    wide = size is None or float(size[1]) * _INNER[1] > float(size[2]) * _INNER[0]
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=_INNER[0] if wide else None,
        height=None if wide else _INNER[1],
        dpi=96,
        skip_system_fonts=True,
    )
    return Image.open(io.BytesIO(png)).convert("RGB")


def _remove_cards(app: Sphinx, error: Exception | None) -> None:
    """Delete the cards that no page names any more."""
    folder = Path(app.outdir, _CARDS)
    if error is None and folder.is_dir():
        pages = (Path(app.outdir, f"{name}.html") for name in app.env.found_docs)
        named = "".join(page.read_text("utf-8") for page in pages if page.is_file())
        for card in folder.iterdir():
            if card.name not in named:
                card.unlink()


def _map(app: Sphinx, error: Exception | None) -> None:
    """Write the sitemap of a site whose address is known."""
    address = app.config.html_baseurl
    file = Path(app.outdir, "sitemap.xml")
    if error is not None or app.builder.format != "html":
        return
    if not address:
        file.unlink(missing_ok=True)
        return
    pages = sorted(
        posixpath.join(address, app.builder.get_target_uri(name)) for name in app.env.found_docs
    )
    file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "".join(f"<url><loc>{escape(page)}</loc></url>\n" for page in pages)
        + "</urlset>\n",
        "utf-8",
    )
