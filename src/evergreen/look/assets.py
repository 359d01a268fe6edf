"""One style sheet, two scripts and a few small fonts for the whole site, with what it uses."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import posixpath
import re
import shutil
from collections.abc import Iterable, Mapping
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import rjsmin

from evergreen import sources
from evergreen.look import fonts, markup, stylesheet, terminal

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_THEME = ("_static/styles", markup.THEME_SCRIPTS)
_ICONS = "_static/vendor/fontawesome"
_URL = re.compile(r"url\(\s*[\"']?([^)\"'?#]+)[^)]*\)")
_IMPORT = re.compile(r"@import\s+[\"']([^\"']+)[\"'];")
_NOTICE = re.compile(r"/\*!.*?\*/", re.DOTALL)
_FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
_ANY_TAG = re.compile(r"<[^>]*>")
_IMPORT_OF_MODULE = re.compile(r'(from ?"\./[\w-]+\.js)(?:\?v=\w+)?(?=")')


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # After the theme has written its last style sheet (priority 500).
    app.connect("build-finished", _finish, priority=900)
    logging.getLogger("sphinx.sphinx.util.osutil").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record says more than that a build writes a module over the last one's.

    Sphinx says so of every file that is not a copy of its source, and ours never are.
    """
    of_copy = getattr(record, "subtype", None) == "copy_overwrite"
    return not (of_copy and markup.LIVE in record.getMessage())


def _finish(app: Sphinx, error: Exception | None) -> None:
    """Gather what the pages use, and name the files with their digests on every page."""
    templates = getattr(app.builder, "templates", None)  # builders that write no pages have none
    if error is not None or not isinstance(templates, markup.Templates) or not templates.wrote:
        return
    asked = markup.asked_for(app.builder)
    site = Path(app.outdir)
    paths = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    pages = {path: path.read_text("utf-8") for path in paths}
    scripts = {path: _small((site / path).read_text("utf-8")) for path in asked.scripts}
    modules = _modules(site)
    note = Path(app.doctreedir) / "style.txt"
    # The modules bring a style sheet of their own.
    known = stylesheet.names(pages.values(), scripts.values())
    (site / markup.STYLE).parent.mkdir(exist_ok=True)
    made = {
        markup.SCRIPT: _joined(scripts, theme=False),
        markup.THEME_SCRIPT: _joined(scripts, theme=True),
        markup.STYLE: _style(site, note, asked.sheets, known, _formulas(pages.values())),
        **modules,
    }
    for name, text in made.items():
        (site / name).write_text(text, "utf-8")
    versions = {
        path: _version((site / path).read_bytes())
        for path in (
            *(*made, markup.ICONS, markup.FORMULAS, markup.LIVE_STYLE, markup.SEARCH),
            *(file.relative_to(site).as_posix() for file in (site / markup.LIVE).glob("*.json")),
        )
        if (site / path).is_file()
    }
    links = re.compile(rf"({'|'.join(map(re.escape, versions))})(?:\?v=\w+)?(?=\")")
    for path, text in pages.items():
        named = links.sub(lambda link: f"{link[1]}?v={versions[link[1]]}", text)
        if named != text:
            path.write_text(named, "utf-8")
    _remove_sources(site, [*asked.sheets, *asked.scripts])


def _small(script: str) -> str:
    """Return a script without what only its readers need, but with its licence."""
    return rjsmin.jsmin(script, keep_bang_comments=True)


def _joined(scripts: Mapping[str, str], *, theme: bool) -> str:
    """Join the theme's scripts, or all others."""
    texts = (
        text
        for path, text in scripts.items()
        if (posixpath.dirname(path) == markup.THEME_SCRIPTS) == theme
    )
    # The semicolons also keep one script's "use strict" from the others.
    return ";\n".join(["", *texts])


def _modules(site: Path) -> dict[str, str]:
    """Return the modules that only some pages load, by path.

    They name each other with a digest of them all, so a browser never mixes old and new.
    """
    texts = {
        path.relative_to(site).as_posix(): _small(
            _IMPORT_OF_MODULE.sub(r"\1", path.read_text("utf-8"))
        )
        for path in sorted((site / markup.LIVE).glob("*.js"))
    }
    version = _version("".join(texts.values()).encode())
    return {path: _IMPORT_OF_MODULE.sub(rf"\1?v={version}", text) for path, text in texts.items()}


def _style(
    site: Path, note: Path, sheets: Iterable[str], known: set[str], formulas: set[str]
) -> str:
    """Return the one style sheet: the last build's if the same would come out.

    To make it takes a second. A note says what the last one was made of, and what came out.
    """
    css = "".join(_read(site, sheet) for sheet in sheets)
    known = stylesheet.mentioned(css, known)
    # By its bytes: to find what of the code this needs takes as long as to make the sheet.
    code = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    libraries = map(importlib.metadata.version, ("fonttools", "tinycss2"))
    made_of = sources.digest(css, *sorted(known), *sorted(formulas), *code, *libraries)
    if note.is_file() and (site / markup.STYLE).is_file():
        last = (site / markup.STYLE).read_text("utf-8")
        if note.read_text("utf-8") == sources.digest(made_of, last):
            return last
    rules = [
        legible for rule in stylesheet.purged(css, known) for legible in terminal.legible(rule)
    ]
    icons = stylesheet.content(rules)
    notices = dict.fromkeys(_NOTICE.findall(css))
    parts = (_font(site, rule, icons, formulas) for rule in rules)
    made = "\n".join(['@charset "UTF-8";', *notices, "".join(map(str, filter(None, parts)))])
    note.write_text(sources.digest(made_of, made), "utf-8")
    return made


def _read(site: Path, sheet: str) -> str:
    """Return a style sheet with what it imports, its addresses made good for the new place."""
    folder = posixpath.dirname(sheet)

    def moved(url: re.Match[str]) -> str:
        if url[1].startswith(("data:", "#")):
            return url[0]
        path = posixpath.join(folder, url[1])
        return f"url({posixpath.relpath(path, posixpath.dirname(markup.STYLE))})"

    def imported(rule: re.Match[str]) -> str:
        return _read(site, posixpath.normpath(posixpath.join(folder, rule[1])))

    css = (site / sheet).read_text("utf-8")
    return _IMPORT.sub(imported, _URL.sub(moved, css))


def _font(
    site: Path, rule: stylesheet.Rule, icons: set[str], formulas: set[str]
) -> stylesheet.Rule | None:
    """Return a rule; one for a font of icons or formulas with the font cut down to those used."""
    if rule.prelude != "@font-face":
        return rule
    folder = (site / markup.STYLE).parent
    described = dict(stylesheet.declarations([rule]))
    sources = [(folder / url).resolve() for url in _URL.findall(described["src"])]
    readable = [path for path in sources if path.suffix in {".ttf", ".otf", ".woff"}]
    if not readable:
        return rule
    if fonts.is_for_formulas(readable[0]):
        characters = formulas
    elif _ICONS in readable[0].as_posix():
        characters = icons
    else:  # text may come to need any character
        return rule
    font = fonts.cut(readable[0], characters)
    if font is None:
        return None
    name = f"{readable[0].stem}.woff"
    (folder / name).write_bytes(font)
    described["src"] = f'url({name}?v={_version(font)}) format("woff")'
    return stylesheet.Rule(rule.prelude, list(described.items()))


def _formulas(pages: Iterable[str]) -> set[str]:
    """Return every character that a formula on one of the pages is drawn with."""
    texts = (formula for page in pages for formula in _FORMULA.findall(page))
    return fonts.drawn(unescape(_ANY_TAG.sub("", "".join(texts))))


def _version(content: bytes) -> str:
    """Return what pages and style sheets name a file's content with."""
    return hashlib.sha256(content).hexdigest()[:10]


def _remove_sources(site: Path, gathered: Iterable[str]) -> None:
    """Remove what no page asks for any more; the next build that writes brings it again."""
    for path in gathered:
        if posixpath.dirname(path) in _THEME:
            (site / path).unlink(missing_ok=True)
    for folder in _THEME:
        for file in (site / folder).glob("*"):
            if file.name.endswith(".map") or file.stem in {"fontawesome", "theme"}:
                file.unlink()
    shutil.rmtree(site / _ICONS, ignore_errors=True)
