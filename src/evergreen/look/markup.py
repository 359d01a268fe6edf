"""The finishing touches to each page's markup: light, sized, and with a policy of its own.

Sphinx renders every page through its template bridge, so this is where a page is changed
before it is written, and a page that is not written again stays as it is.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, NavigableString, Tag
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Name, Punctuation, Text
from sphinx.jinja2glue import BuiltinTemplateLoader
from sphinx.util.images import get_image_size

from evergreen.errors import EvergreenError
from evergreen.lessons.folds import FOLDED
from evergreen.look import language, libraries, policy, toggles
from evergreen.look.addresses import asked_by, host_of
from evergreen.look.embedded import is_allowed

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.theming import Theme

STYLE, SCRIPT = "_static/site/style.css", "_static/site/script.js"
"""What :mod:`evergreen.look.assets` makes of a page's style sheets and scripts."""

SEARCH = "_static/search.js"
"""What changes Sphinx's search, between its script and its index."""

THEME_SCRIPT = "_static/site/theme.js"
"""What it makes of the theme's own scripts: menus, tips, the search's window."""

THEME_SCRIPTS = "_static/scripts"
"""Where these are."""

LIVE = "_static/live"
"""The folder of what only some pages load: scripts, as modules, their style, their data."""

LIVE_STYLE = f"{LIVE}/live.css"

ICONS, FORMULAS = "_static/site/fa-solid-900.woff", "_static/site/stix-two-math.woff"
"""What it makes of the fonts that nearly every page needs, and every page with a formula. The
second comes from the book, which may have it in ``_static/fonts``."""

# The icons are in the icon font too, which the theme's style sheet loads anyway; see
# pydata-sphinx-theme's issue 2379.
_REPLACED = {"_static/scripts/fontawesome.js"}
# Inline scripts speak to it, so it joins them; Sphinx's issue 3620 says why it is a file.
_OPTIONS = "_static/documentation_options.js"
# A hundred kilobytes that nobody reads by: they come once there is something to read. The theme's
# scripts ask whether the page is there already; those of extensions need not.
_AFTER_FIRST_PAINT = """{
const { src } = document.currentScript.dataset;
const load = () => document.head.append(Object.assign(document.createElement("script"), { src }));
const painted = () => requestAnimationFrame(() => requestAnimationFrame(load));
addEventListener("DOMContentLoaded", painted);
}"""
_SEARCHING = "_static/searchtools.js"
_SEARCH = {_SEARCHING, "_static/language_data.js", "searchindex.js"}

_LENGTH = re.compile(r"(?<![\w-])(width|height):\s*([^;]+);?")


class LookError(EvergreenError):
    """A page cannot be finished."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _use_our_templates)
    # After the theme's and the extensions' (500), before the book's own (800).
    app.add_css_file("evergreen.css", priority=700)


def _use_our_templates(_app: Sphinx, config: Any) -> None:
    config.template_bridge = f"{__name__}.{Templates.__name__}"
    config.html_static_path = [str(Path(__file__).with_name("static")), *config.html_static_path]
    # Else the theme's script complains that there is none.
    config.html_context.setdefault("default_mode", "auto")


class Asks(NamedTuple):
    """What a page asks for.

    Attributes
    ----------
    sheets, scripts : list of str
        Its style sheets and scripts, in their order, as paths in the site.
    handlers : list of str
        The scripts in its attributes.
    """

    sheets: list[str]
    scripts: list[str]
    handlers: list[str]


def asked_for(builder: Builder) -> Asks:
    """Return what all pages of the site ask for, those that this build did not write too."""
    folder = _notes(builder)
    asked = [Asks([], [], [])] + [
        Asks(*json.loads(note.read_text("utf-8")))
        for note in sorted(folder.rglob("*.json"))
        if Path(builder.outdir, note.relative_to(folder)).with_suffix(".html").is_file()
    ]
    return Asks(
        *(list(dict.fromkeys(chain.from_iterable(kind))) for kind in zip(*asked, strict=True))
    )


def _notes(builder: Builder) -> Path:
    return Path(builder.doctreedir, "asks")


class Templates(BuiltinTemplateLoader):
    """Sphinx's templates; a page that comes out of one is finished before it is written."""

    def init(
        self, builder: Builder, theme: Theme | None = None, dirs: list[str] | None = None
    ) -> None:
        """Prepare the templates of a build."""
        super().init(builder, theme, dirs)
        self.builder = builder
        self.wrote = False

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        """Return a template's text for a context."""
        text = super().render(template, context)
        # The theme renders parts of a page, and files that are none, through here as well.
        if not text.lstrip().startswith("<!DOCTYPE html>"):
            return text
        name, app = context["pagename"], self.builder.app
        styles = (context["theme_pygments_light_style"], context["theme_pygments_dark_style"])
        page = BeautifulSoup(_plain(styles).sub(r"\1", text), "html.parser")
        asks = Asks([], [], sorted(policy.handlers(page)))
        self._gather_sheets(page, name, asks.sheets)
        self._gather_scripts(page, name, context, asks.scripts)
        self._size_pictures(page, name)
        _fix_markup(page)
        if "sphinx_togglebutton" in app.extensions:
            toggles.fold(page, app.config.togglebutton_hint, app.config.togglebutton_hint_hide)
        language.translate(app.config, page)
        note = Path(_notes(self.builder), f"{name}.json")
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(asks), "utf-8")
        self.wrote = True
        # The search parses the pages that it finds, and is held to its own policy then.
        others = asked_for(self.builder).handlers if name == "search" else []
        known = name in app.env.found_docs
        untrusted = policy.untrusted(app, name, context["body"]) if known else ()
        hosts = app.config.evergreen_hosts
        policy.restrict(page, {*asks.handlers, *others}, untrusted, hosts)
        return str(page)

    def _gather_sheets(self, page: BeautifulSoup, name: str, sheets: list[str]) -> None:
        """Put one style sheet in the place of all in the head."""
        folder = posixpath.dirname(name)
        links = [
            link
            for link in page.head.find_all("link")
            if "href" in link.attrs
            and link.get("rel") == ["stylesheet"]
            and not is_allowed(self.builder.config, link["href"])
        ]
        for link in links:
            path = _path(link["href"], name)
            # Jupyter Book puts each style sheet of the book on every page.
            if not path.startswith(f"{LIVE}/"):
                sheets.append(path)
        links[0].attrs = {"rel": "stylesheet", "href": posixpath.relpath(STYLE, folder or ".")}
        for link in links[1:]:
            link.decompose()
        formulas = page.find("math") and _has_formula_font(self.builder.app)
        for font in (ICONS, FORMULAS) if formulas else (ICONS,):
            preload = {"rel": "preload", "as": "font", "type": "font/woff", "crossorigin": ""}
            link = page.new_tag("link", href=posixpath.relpath(font, folder or "."), attrs=preload)
            links[0].insert_after(link)

    def _gather_scripts(
        self, page: BeautifulSoup, name: str, context: dict[str, Any], scripts: list[str]
    ) -> None:
        """Put two scripts that wait for the page in the place of all but the inline ones."""
        folder = posixpath.dirname(name)
        as_you_type = str(context["theme_search_as_you_type"]).lower() == "true"
        searches = as_you_type or name == "search"
        one = page.new_tag("script", defer="", src=posixpath.relpath(SCRIPT, folder or "."))
        theme = page.new_tag("script")
        theme.string = _AFTER_FIRST_PAINT
        theme["data-src"] = posixpath.relpath(THEME_SCRIPT, folder or ".")
        brought: set[str] = set()
        for link in page.find_all("link"):
            if link.get("as") == "script" and link.get("rel") == ["preload"]:
                link.decompose()
        for script in page.find_all("script"):
            # What the page itself brings runs where it stands, and a library once.
            if script.find_parent("article"):
                if libraries.uses(script.get("src", "")) and script["src"] in brought:
                    script.decompose()
                else:
                    brought.add(script.get("src", ""))
                continue
            self._refuse_other_hosts(script, name)
            source = script.get("src", "")
            if not source or script.get("type") == "module":
                continue
            if is_allowed(self.builder.config, source):
                continue
            path = _path(source, name)
            if path in _SEARCH and searches:
                script["defer"] = ""
                if path == _SEARCHING:
                    search = posixpath.relpath(SEARCH, folder or ".")
                    script.insert_after(page.new_tag("script", defer="", src=search))
            elif path == _OPTIONS:
                script.string = (Path(self.builder.outdir) / path).read_text("utf-8")
                del script["src"]
            else:
                # Jupyter Book puts each script of the book on every page, modules too.
                if path not in _SEARCH | _REPLACED and not path.startswith(f"{LIVE}/"):
                    scripts.append(path)
                joined = theme if posixpath.dirname(path) == THEME_SCRIPTS else one
                joined.attrs |= {k: v for k, v in script.attrs.items() if k.startswith("data-")}
                script.decompose()
        # Before the search's own scripts, which build upon it.
        first = page.head.find("script", defer=True)
        (first.insert_before if first else page.head.append)(one)
        one.insert_after(theme)

    def _refuse_other_hosts(self, script: Tag, name: str) -> None:
        """Refuse what an extension adds to pages and the policy would block in silence."""
        for address, _, loaded in asked_by(str(script)):
            if loaded and host_of(address) and not is_allowed(self.builder.config, address):
                raise _foreign(name, address)

    def _size_pictures(self, page: BeautifulSoup, name: str) -> None:
        """Give each picture its size, so that nothing moves when it comes, late or never."""
        for picture in page.find_all("img"):
            source = picture.get("src")
            if not source or source.startswith("data:") or not picture.find_parent("article"):
                continue
            picture["loading"] = "lazy"
            if is_allowed(self.builder.config, source):
                continue
            file = picture_file(self.builder, _path(source, name))
            size = get_image_size(str(file)) if file.is_file() else None
            if not size or picture.get("width") or picture.get("height"):
                continue
            picture["width"], picture["height"] = map(str, size)
            if style := _keeping_shape(picture.get("style", ""), *size):
                picture["style"] = style


def _keeping_shape(style: str, width: int, height: int) -> str:
    """Return a picture's style such that it keeps its shape where a page is narrow.

    The style sheet leaves the height of a sized picture to its width; a height that the author
    has set alone needs the same of the width.
    """
    own = dict(_LENGTH.findall(style))
    if "height" not in own:
        return style
    if "width" not in own:
        return f"{style.rstrip('; ')}; width: auto;"
    # Sphinx writes both where an author scales a picture.
    wide, high = (re.fullmatch(r"([\d.]+)(?:px)?", own[side]) for side in ("width", "height"))
    if wide and high and abs(float(wide[1]) * height / width - float(high[1])) < 1:
        return _LENGTH.sub(lambda one: "" if one[1] == "height" else one[0], style).strip()
    return style


def picture_file(builder: Builder, path: str) -> Path:
    """Return the file of a picture that a page shows; Sphinx copies it after the pages."""
    name = posixpath.basename(path)
    sources = (source for source, copy in builder.images.items() if copy == name)
    source = next(sources, None)
    return Path(builder.outdir, path) if source is None else Path(builder.srcdir, source)


def _has_formula_font(app: Sphinx) -> bool:
    """Tell whether the book brings the font, since the engine does not."""
    folders = (Path(app.confdir, name) for name in app.config.html_static_path)
    return any((folder / "fonts" / Path(FORMULAS).name).is_file() for folder in folders)


@cache
def _plain(styles: tuple[str, str]) -> re.Pattern[str]:
    """Find the words in highlighted code that look like all others in every one of the styles."""

    def looks(style: str, token: Any) -> dict[str, Any]:
        return get_style_by_name(style).style_for_token(token)

    classes = [
        name
        for token, name in STANDARD_TYPES.items()
        if name
        and (token in Name or token in Punctuation or token in Text)
        and all(looks(style, token) == looks(style, Text) for style in styles)
    ]
    return re.compile(rf'<span class="(?:{"|".join(classes)})">([^<]*)</span>')


def _path(link: str, page: str) -> str:
    """Return the path in the site that a link on a page leads to.

    Raises
    ------
    LookError
        If it leads elsewhere.
    """
    parts = urlsplit(link)
    if parts.netloc:
        raise _foreign(page, link)
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))


def _foreign(page: str, link: str) -> LookError:
    return LookError(
        f"{page} asks another host for {link}, which the site's policy forbids. Copy the file "
        "into the book, take out what asks for it (an extension may), or allow that host in "
        "evergreen_hosts."
    )


def _fix_markup(page: BeautifulSoup) -> None:
    """Fix what a browser forgives and a screen reader or a validator does not."""
    # One walk, since a CSS selector looks at every tag of the page again.
    tags: dict[str, list[Tag]] = defaultdict(list)
    for tag in page.find_all(True):
        tags[tag.name].append(tag)
        # The theme leaves the title and the contents of the site outside of all landmarks; see
        # pydata-sphinx-theme's pull request 1454.
        if tag.get("id") == "pst-primary-sidebar":
            tag.attrs |= {"role": "region", "aria-label": "Contents of the site"}
        # A list's parts are its items; the role that docutils gives them is no longer one, see
        # w3c/dpub-aria's pull request 22.
        if tag.get("role") == "doc-biblioentry" and tag.parent.get("role") == "list":
            tag["role"] = "listitem"
    for icon in (*tags["i"], *tags["span"]):
        if any("fa-" in name for name in icon.get("class", ())):
            icon["aria-hidden"] = "true"
    # Matplotlib's player does not say what its slider is for, nor Bokeh where its logo leads.
    for slider in _with_class(tags["input"], "anim-slider"):
        slider.attrs.setdefault("aria-label", "Frame")
    for link in _with_class(tags["a"], "bk-notebook-logo"):
        if _is_empty(link):
            link["aria-label"] = "Bokeh"
    # Their names are what stands on them, and not something else.
    for named in (*_with_class(tags["button"], "search-button-field"), *tags["summary"]):
        if "aria-label" in named.attrs and named.get_text(strip=True):
            del named["aria-label"]
    # The theme's script hides the contents of a page beside a margin note or a wide cell, and
    # fails where there are none (sphinx-book-theme 1.2, unreported).
    if page.body and not _with_class(tags["div"], "bd-sidebar-secondary"):
        page.body.append(page.new_tag("div", attrs={"class": "bd-sidebar-secondary", "hidden": ""}))
    # Else a browser asks the host for one.
    if not any("icon" in link.get("rel", ()) for link in page.head.find_all("link")):
        page.head.append(page.new_tag("link", rel="icon", href="data:,"))
    # Sphinx's issue 11699.
    for extra in [meta for meta in tags["meta"] if meta.get("name") == "viewport"][1:]:
        extra.decompose()
    # With another base, a link within the page would lead away from it.
    if page.base:
        page.head.insert(0, page.base)
        for link in page.select("#pst-skip-link"):
            link.decompose()
    # A browser may break a line between a formula and the comma behind it.
    for formula in tags["math"]:
        follows = formula.next_sibling
        if (
            formula.get("display") != "block"
            and isinstance(follows, NavigableString)
            and (mark := re.match(r"[,.;:!?)]+", follows))
        ):
            word = formula.wrap(page.new_tag("span", attrs={"class": "math-word"}))
            word.append(mark[0])
            follows.replace_with(follows[mark.end() :])
    # Every exercise and every solution bears the same id inside, which nothing links to
    # (sphinx-exercise 1.2, unreported).
    for section in tags["section"]:
        if section.get("id") in ("exercise-content", "solution-content"):
            del section["id"]
    # What a reader came for first, also by the keyboard.
    folded = {"cell", f"tag_{FOLDED}"}
    for code in tags["details"]:
        if folded <= set(code.parent.get("class", ())):
            code.parent.append(code.extract())
    # A summary may hold no paragraph, says the standard that MyST-NB 1.4 does not follow here
    # (unreported).
    for summary in tags["summary"]:
        for paragraph in summary.find_all("p", recursive=False):
            paragraph.name = "span"
    # pandas brings each table's looks along; the site's style sheet has its own.
    for style in tags["style"]:
        if "scoped" in style.attrs:
            style.decompose()
    for corner in tags["th"]:
        if _is_empty(corner) and corner.find_parent("article"):
            corner.name = "td"
    for table in _with_class(tags["table"], "dataframe"):
        del table["border"]
        for row in table.find_all("tr"):
            del row["style"]


def _with_class(tags: Iterable[Tag], name: str) -> list[Tag]:
    return [tag for tag in tags if name in tag.get("class", ())]


def _is_empty(tag: Tag) -> bool:
    return not tag.find(True) and not tag.get_text(strip=True)
