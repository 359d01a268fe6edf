"""The words that a page has from the engine, the theme and the extensions, in its language.

These translate most of theirs themselves; what they leave in English stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_GERMAN = {
    "Checked": "Geprüft",
    "Click to hide": "Zuklappen",
    "Click to show": "Aufklappen",
    "Contents of the site": "Inhalt der Website",
    "Download": "Herunterladen",
    "Download this lesson as a notebook": "Diese Lektion als Notebook herunterladen",
    "Frame": "Bild",
    "Hide code cell {type}": "Zelle zuklappen",
    "How this figure was drawn": "Wie dieses Bild gezeichnet wurde",
    "How this table was made": "Wie diese Tabelle entstand",
    "How this was checked": "Wie das geprüft wurde",
    "Link to this equation": "Link zu dieser Formel",
    "Link to this heading": "Link zu dieser Überschrift",
    "Link to this image": "Link zu diesem Bild",
    "Link to this table": "Link zu dieser Tabelle",
    "Main": "Hauptmenü",
    "Page": "Seite",
    "Run this lesson": "Diese Lektion ausführen",
    "Run this lesson on Binder": "Diese Lektion in Binder ausführen",
    "Run this lesson on Colab": "Diese Lektion in Colab ausführen",
    "Search this book...": "Dieses Buch durchsuchen …",
    "Show code cell {type}": "Zelle aufklappen",
    "There is no such page": "Diese Seite gibt es nicht",
    "The address may have a typing error, or the page may have moved. Begin at "
    '<a href="{first}">the first page</a>, or <a href="{search}">search</a> for what you were '
    "looking for.": "Vielleicht ist die Adresse falsch geschrieben, oder die Seite ist umgezogen. "
    'Beginnen Sie auf der <a href="{first}">ersten Seite</a>, oder <a href="{search}">suchen</a> '
    "Sie, was Sie finden wollten.",
    "Toggle primary sidebar": "Inhalt der Website ein- oder ausblenden",
    "Toggle secondary sidebar": "Inhalt der Seite ein- oder ausblenden",
}
_LANGUAGES = {"de": _GERMAN}

_SETTINGS = (
    "nb_code_prompt_show",
    "nb_code_prompt_hide",
    "togglebutton_hint",
    "togglebutton_hint_hide",
)
_ATTRIBUTES = ("aria-label", "title", "placeholder")
# Where such words stand on a page, and not an author's.
_TEXTS = (
    "p.claim > strong, .tag_folded-below > details > summary > span, "
    ".article-header-buttons .btn__text-container"
)


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _translate_settings)


def said(config: Config, text: str) -> str:
    """Return a text in the book's language, or as it is where there is none in that."""
    return _words(config).get(text, text)


def translate(config: Config, page: BeautifulSoup) -> None:
    """Put a page's own words into the book's language."""
    words = _words(config)
    if not words:
        return
    for tag in page.find_all(True):
        for name in _ATTRIBUTES:
            if tag.get(name) in words:
                tag[name] = words[tag[name]]
    for tag in page.select(_TEXTS):
        for text in tag.find_all(string=True):
            if text.strip() in words:
                text.replace_with(text.replace(text.strip(), words[text.strip()]))


def _words(config: Config) -> dict[str, str]:
    return _LANGUAGES.get((config.language or "").partition("_")[0], {})


def _translate_settings(_app: Sphinx, config: Config) -> None:
    for name in _SETTINGS:
        if name in config:
            config[name] = said(config, config[name])
