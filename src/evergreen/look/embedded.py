"""What HTML and pictures on a page bring along: files of the book, and nothing of other hosts.

Sphinx copies the files that Markdown names. What HTML names, an author's or an output's, it
leaves to chance.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote, urlsplit

import nbformat
from docutils import nodes

from evergreen.errors import EvergreenError
from evergreen.lessons import outputs
from evergreen.lessons.reading import Document
from evergreen.look import addresses, libraries
from evergreen.pages import anchors, warned
from evergreen.pages.files import NAMED

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_TAG = re.compile(r"<[a-zA-Z][^>]*>|(?<=<style)[^<]*(?=</style)")
_SCRIPT = re.compile(r"(<script\b.*?</script>)", re.DOTALL | re.IGNORECASE)
_PICTURE = re.compile(r"<img\b(?![^>]*\salt\b)", re.IGNORECASE)
_PICTURE_DIRECTIVE = re.compile(r"(?:\{|\.\. )(?:image|figure)\b")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*(?::\d+)?")
_VEGA = re.compile(r"/npm/vega\b")
_SEEN = "evergreen-seen"
# Of the site and not of the book: Sphinx and this engine make them.
_MADE = re.compile(r"_\w+/|notebooks/|(?:search|genindex|404)\.html$|sitemap\.xml$|objects\.inv$")


class EmbeddedError(EvergreenError):
    """A page shows what it cannot have: of another host, a missing file, or without words."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _check_hosts)
    app.connect("doctree-read", _read)
    app.connect("doctree-resolved", _resolved)
    app.connect("build-finished", _finish)


def is_allowed(config: Config, address: str) -> bool:
    """Tell whether the book allows its pages to ask an address's host."""
    return addresses.host_of(address) in config.evergreen_hosts


def _check_hosts(_app: Sphinx, config: Config) -> None:
    for host in config.evergreen_hosts:
        if not _HOST.fullmatch(str(host)):
            raise EmbeddedError(
                f"The setting evergreen_hosts names {host!r}, which is no host. Write its name "
                "alone, as in example.org."
            )


def _read(app: Sphinx, doctree: nodes.document) -> None:
    """Look at all that a page's source and its own outputs bring along."""
    name = app.env.docname
    _give_words(app, name, doctree)
    for picture in doctree.findall(nodes.image):
        _check_picture(app, name, picture)
    for raw in doctree.findall(nodes.raw):
        _look_at(app, name, raw)
    # What a picture leads to, for example; other links are not resolved yet.
    for link in doctree.findall(nodes.reference):
        address = link.get("refuri", "")
        if not addresses.host_of(address) and (copy := _copied(app, name, link, address, 0)):
            link["refuri"] = _root(name) + copy


def _resolved(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Look at what other lessons have glued, and bring what scripts the page needs."""
    _give_words_to_glued(app, doctree)
    for picture in doctree.findall(nodes.image):
        if "alt" not in picture:
            raise _without_words(_place(app, name, picture))
    for raw in doctree.findall(nodes.raw):
        if _SEEN not in raw:
            _look_at(app, name, raw)
        _find_places(app, name, raw, doctree)
        if libraries.FOLDER in raw.astext():
            libraries.publish(raw.astext(), Path(app.outdir))


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        site = Path(app.outdir)
        libraries.keep((site / f"{name}.html" for name in app.env.found_docs), site)


def _give_words(app: Sphinx, name: str, doctree: nodes.document) -> None:
    """Let pictures be described by what their outputs say of them; MyST-NB leaves that out."""
    for cell in doctree.findall(_is_cell):
        bundles = [
            part
            for part in cell.findall(nodes.container)
            if part.get("nb_element") == "mime_bundle"
        ]
        if not any(
            "alt" not in picture for part in bundles for picture in part.findall(nodes.image)
        ):
            continue
        notebook = _executed(app, name)
        displayed = [o for o in notebook.cells[cell["cell_index"]].outputs if "data" in o]
        for bundle, output in zip(bundles, displayed, strict=False):
            for part in bundle.children:
                words = outputs.own_words(output, part["mime_type"])
                for picture in part.findall(nodes.image):
                    if words is not None:
                        picture.attributes.setdefault("alt", words)
    _give_words_to_glued(app, doctree)


def _give_words_to_glued(app: Sphinx, doctree: nodes.document) -> None:
    """Let pictures that the prose takes from a cell have the words that the cell has for them."""
    glued: dict[str, str] = {}
    for picture in doctree.findall(nodes.image):
        if "alt" in picture:
            continue
        glued = glued or _words_of_glued(app)
        # MyST-NB calls a picture's file by its digest.
        words = glued.get(posixpath.splitext(posixpath.basename(picture["uri"]))[0])
        if words is not None:
            picture["alt"] = words


def _words_of_glued(app: Sphinx) -> dict[str, str]:
    """Return what the lessons' cells say of the pictures that they glue, by their digests."""
    found = {}
    for file in Path(cast(Any, app.env).mystnb_config.output_folder).rglob("*.glue.json"):
        for output in json.loads(file.read_text("utf-8")).values():
            kind = outputs.picture(output["data"])
            words = outputs.own_words(output, kind)
            if kind and words is not None:
                found[_digest(kind, output["data"][kind])] = words
    return found


def _digest(kind: str, content: str | list[str]) -> str:
    """Return the digest by which MyST-NB names the file of a picture."""
    text = "".join(content)
    if kind == "image/svg+xml":
        return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()
    return hashlib.sha256(base64.b64decode(text)).hexdigest()


def _check_picture(app: Sphinx, name: str, picture: nodes.image) -> None:
    address = picture["uri"]
    if addresses.host_of(address) and not is_allowed(app.config, address):
        raise _foreign(_place(app, name, picture), address)
    if "alt" not in picture:
        raise _without_words(_place(app, name, picture))


def _look_at(app: Sphinx, name: str, raw: nodes.raw) -> None:
    """Let HTML take from the site what it needs, or refuse it."""
    raw[_SEEN] = True
    if "html" not in raw.get("format", "").split():
        return
    root = _root(name)
    text = libraries.localized(raw.astext(), root)
    moved: dict[str, str] = {}
    for address, line, loaded in addresses.asked_by(text):
        host = addresses.host_of(address)
        if host and loaded and not is_allowed(app.config, address):
            raise _foreign(_place(app, name, raw, line), address)
        if not host and (copy := _copied(app, name, raw, address, line)):
            moved[address] = root + copy
    if moved:
        text = _TAG.sub(lambda tag: _with_addresses(tag[0], moved), text)
    text = _described(app, name, raw, text)
    if text != raw.astext():
        raw.children = [nodes.Text(text)]
        raw.rawsource = text


def _copied(app: Sphinx, name: str, raw: nodes.raw, address: str, line: int) -> str | None:
    """Return where the site has a file of the book, or None for what is no file of the book."""
    parts = urlsplit(address)
    if parts.scheme or not parts.path:
        return None
    path = unquote(parts.path)
    in_site = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    page = in_site.removesuffix(".html")
    if _MADE.match(in_site) or (page != in_site and page in app.env.found_docs):
        return None
    if source := _document(app, in_site):
        return quote(f"{source}.html") + (f"#{parts.fragment}" if parts.fragment else "")
    relative, absolute = app.env.relfn2path(path, name)
    if Path(absolute).is_file():
        app.env.note_dependency(relative)
        if any(map(_is_cell, _above(raw))):
            app.env.metadata[name].setdefault(NAMED, {})[path] = None
        return f"_downloads/{quote(app.env.dlfiles.add_file(name, relative))}"
    if any(Path(app.confdir, extra, in_site).is_file() for extra in app.config.html_extra_path):
        return None
    raise EmbeddedError(
        f"{_place(app, name, raw, line)} names the file {address}, which is not there. Put it "
        "beside the page's source, or take out what names it."
    )


def _document(app: Sphinx, path: str) -> str | None:
    """Return the name of the page that a source is of, by its path."""
    return next(
        (
            name
            for suffix in app.config.source_suffix
            if (name := path.removesuffix(suffix)) != path and name in app.env.found_docs
        ),
        None,
    )


def _find_places(app: Sphinx, name: str, raw: nodes.raw, doctree: nodes.document) -> None:
    """Let links in HTML lead to a heading by the names that links in Markdown have for it."""
    moved: dict[str, str] = {}
    text = raw.astext() if "html" in raw.get("format", "").split() and "#" in raw.astext() else ""
    for address, _, loaded in addresses.asked_by(text):
        path, _, place = address.partition("#")
        in_site = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path)))
        page = in_site.removesuffix(".html") if path else name
        if place and not loaded and page in app.env.found_docs:
            found = anchors.find(doctree if page == name else app.env.get_doctree(page), place)
            if found and found[0] != place:
                moved[address] = f"{path}#{found[0]}"
    if moved:
        raw.children = [nodes.Text(_TAG.sub(lambda tag: _with_addresses(tag[0], moved), text))]
        raw.rawsource = raw.astext()


def _with_addresses(tag: str, moved: dict[str, str]) -> str:
    for address, copy in moved.items():
        for written in {address, escape(address)}:
            pattern = rf"(?<=[\"'=(,\s]){re.escape(written)}(?=[\"'\s>),])"
            tag = re.sub(pattern, copy, tag)  # it is quoted
    return tag


def _described(app: Sphinx, name: str, raw: nodes.raw, text: str) -> str:
    """Give the pictures in an output's HTML the words that the cell's options have for them."""
    parts = _SCRIPT.split(text)
    for part in range(0, len(parts), 2):
        if found := _PICTURE.search(parts[part]):
            cell = _cell(app, name, raw)
            options = cell[0].cells[cell[1]].metadata.get("mystnb") or {} if cell else {}
            alt = (options.get("image") or {}).get("alt")
            if alt is None:
                before = "".join(parts[:part]) + parts[part][: found.start()]
                raise _without_words(_place(app, name, raw, before.count("\n")))
            parts[part] = _PICTURE.sub(f'<img alt="{escape(alt.strip())}"', parts[part])
    return "".join(parts)


def _root(name: str) -> str:
    """Return the way from a page to the site's first folder."""
    return "../" * name.count("/")


def _without_words(place: str) -> EmbeddedError:
    return EmbeddedError(
        f"{place} shows a picture without words for those who do not see it. Write them as its "
        "`alt`; for the picture of a cell, also one that is glued, that is an option of the cell "
        "(mystnb: {image: {alt: A line.}})."
    )


def _foreign(place: str, address: str) -> EmbeddedError:
    if _VEGA.search(address):
        return EmbeddedError(
            f"{place} shows a chart of Altair's, whose script would come from another host. Draw "
            "it as a picture: install vl-convert-python, and begin the lesson with "
            'alt.renderers.enable("svg").'
        )
    return EmbeddedError(
        f"{place} asks another host for {address}, which the site's policy forbids. Copy the file "
        "into the book, take out what asks for it, or allow the host in `_config.yml` (sphinx: "
        f"config: evergreen_hosts: [{addresses.host_of(address)}])."
    )


def _place(app: Sphinx, name: str, node: nodes.Element, line: int = 0) -> str:
    """Say where in the book something stands: a line, or a code cell."""
    path = Path(app.env.doc2path(name))
    text = path.read_text("utf-8-sig")
    if cell := _cell(app, name, node):
        return Document(name, path, text).place(*cell)
    first = node.line
    in_notebook = path.suffix == ".ipynb"
    if not first and "uri" in node:  # a picture in a directive or a tag
        file = posixpath.basename(node["uri"])
        naming = [
            (place, written)
            for place, written in _lines(text, in_notebook)
            if file in unquote(written)
        ]
        naming.sort(key=lambda line: not _PICTURE_DIRECTIVE.search(line[1]))
        first = naming[0][0] if naming else None
    first = first or next((parent.line for parent in _above(node) if parent.line), None)
    if not first:
        return f"{name}{path.suffix}"
    where = warned.in_notebook(first + line) if in_notebook else f"line {first + line}"
    return f"{name}{path.suffix}, {where}"


def _lines(text: str, in_notebook: bool) -> Iterator[tuple[int, str]]:
    """Yield the lines of a source, by the numbers that MyST-NB gives them."""
    if not in_notebook:
        yield from enumerate(text.splitlines(), 1)
        return
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        for line, written in enumerate("".join(cell["source"]).splitlines(), 1):
            yield warned.numbered(number, line), written


def _cell(app: Sphinx, name: str, node: nodes.Node) -> tuple[nbformat.NotebookNode, int] | None:
    """Return the executed notebook and the index of the cell whose output something is, if any."""
    for parent in _above(node):
        if _is_cell(parent):
            return _executed(app, name), parent["cell_index"]
    return None


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _executed(app: Sphinx, name: str) -> nbformat.NotebookNode:
    """Return a lesson as MyST-NB has read it."""
    file = Path(cast(Any, app.env).mystnb_config.output_folder, f"{name}.ipynb")
    return nbformat.read(file, as_version=4)


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node
