"""A book in another language and with names of all kinds: its interface, titles, cards, map."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from tinybook import TinyBook

SITE = "https://example.org/buch/"
HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"
LESSON = (
    HEAD
    + """Schritte *mit* $\\gamma$
========================

```{code-cell} ipython3
:tags: [hide-output]
from evergreen.claims import claim

claim(1 < 2, "Eins ist weniger als zwei.")
```

```{note}
Sieh {doc}`/bilder/über uns`.
```
"""
)
# Of these everything on a page is made; an author's own words are another matter.
ENGLISH = {
    *("Search", "Search this book...", "Contents", "Contents of the site", "On this page"),
    *("Main", "Page", "Download", "Run this lesson", "Download this lesson as a notebook"),
    *("Link to this heading", "Link to this image", "Toggle primary sidebar", "next", "previous"),
    *("Toggle secondary sidebar", "Show code cell output", "Hide code cell output", "Note"),
    *("Checked", "Exercise", "Solution to", "There is no such page", "Fullscreen mode"),
}


def square(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def german(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book in German whose site has an address."""
    book = TinyBook(tmp_path_factory.mktemp("german") / "book", built_book.store)
    book.replace("_config.yml", "    language: en\n", "    language: de\n")
    book.write("lessons/schritte.md", LESSON)
    for folder, page, colour in (("bilder", "über uns", "red"), ("mehr", "bild & ton", "blue")):
        book.write(
            f"book/{folder}/{page}.md", f"# Bild\n\n![Ein Quadrat](dot.png)\n\n## {colour}\n"
        )
        book.path(f"book/{folder}/dot.png").write_bytes(square(colour))
    entry = "      - file: "
    names = ("lessons/schritte", "bilder/über uns", "mehr/bild & ton")
    added = "".join(f"{entry}{name}\n" for name in names)
    book.replace("_toc.yml", f"{entry}claims", f"{added}{entry}claims")
    book.update(environment={"SITE_ADDRESS": SITE})
    return book


def page(book: TinyBook, name: str) -> BeautifulSoup:
    return BeautifulSoup(book.read(f"_build/html/{name}.html"), "html.parser")


def card(book: TinyBook, name: str) -> bytes:
    address = str(page(book, name).select_one('meta[property="og:image"]')["content"])
    return (book.html / address.removeprefix(SITE)).read_bytes()


@pytest.mark.parametrize(
    "name", ["lessons/schritte", "lessons/walks", "bilder/über uns", "claims", "404", "search"]
)
def test_the_interface_speaks_the_book_s_language(german: TinyBook, name: str) -> None:
    whole = page(german, name)
    assert whole.html["lang"] == "de"
    for code in whole.select("pre, script, style"):
        code.decompose()
    said = {text.strip() for text in whole.body.stripped_strings}
    for tag in whole.find_all(True):
        said |= {tag.get(attribute) for attribute in ("aria-label", "title", "placeholder")}
    assert said & ENGLISH == set()


def test_a_wrong_address_leads_to_the_book_s_first_page(german: TinyBook) -> None:
    lost = page(german, "404")
    assert lost.select_one("article h1").get_text() == "Diese Seite gibt es nicht"
    links = [link["href"] for link in lost.select("article p a")]
    assert links == ["index.html", "search.html"]


def test_the_page_of_claims_has_the_titles_that_the_pages_have(german: TinyBook) -> None:
    claims = page(german, "claims")
    heading = next(tag for tag in claims.select("h2") if "Schritte" in tag.get_text())
    assert heading.find("em").get_text() == "mit"
    assert heading.find("math") is not None
    assert heading.find("a")["href"] == "lessons/schritte.html"
    contents = claims.select_one(".bd-sidebar-secondary nav")
    assert contents.find("math") is not None
    german.replace("lessons/schritte.md", "Schritte *mit*", "Stufen *mit*")
    german.update(environment={"SITE_ADDRESS": SITE})
    assert "Stufen" in page(german, "claims").select_one("article").get_text()
    assert "Stufen" in page(german, "claims").select_one(".bd-sidebar-secondary").get_text()


def test_addresses_in_the_map_are_encoded(german: TinyBook) -> None:
    listed = german.read("_build/html/sitemap.xml")
    assert f"<loc>{SITE}{quote('bilder/über uns')}.html</loc>" in listed
    assert f"<loc>{SITE}{quote('mehr/bild & ton')}.html</loc>" in listed


def test_pictures_of_one_name_have_a_card_each_and_a_new_picture_a_new_one(
    german: TinyBook,
) -> None:
    red, blue = card(german, "bilder/über uns"), card(german, "mehr/bild & ton")
    for shown, colour in ((red, (255, 0, 0)), (blue, (0, 0, 255))):
        assert Image.open(io.BytesIO(shown)).convert("RGB").getpixel((600, 315)) == colour
    german.path("book/mehr/dot.png").write_bytes(square("lime"))
    german.update(environment={"SITE_ADDRESS": SITE})
    assert card(german, "bilder/über uns") == red
    lime = Image.open(io.BytesIO(card(german, "mehr/bild & ton"))).convert("RGB")
    assert lime.getpixel((600, 315)) == (0, 255, 0)
