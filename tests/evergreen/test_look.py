"""One style sheet, scripts by their digests, and the address that the site has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from tinybook import TinyBook

from evergreen.look import stylesheet, terminal

COUNTER = 'import { shown } from "./shown.js";\nshown(document.querySelector("[data-live]"));\n'
SHOWN = 'export const shown = (place) => { place.dataset.shown = "yes"; };\n'
SITE = "https://example.org/my%20course/"


@pytest.fixture(scope="module")
def styled(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with a style sheet and scripts of its own, and a place that one of them fills."""
    book = TinyBook(tmp_path_factory.mktemp("styled") / "book", built_book.store)
    book.write("book/_static/own.css", "p { outline-offset: 1px }\n")
    book.write("book/_static/live/live.css", ".live { outline-offset: 1px }\n")
    book.write("book/_static/live/counter.js", COUNTER)
    book.write("book/_static/live/shown.js", SHOWN)
    book.write("book/long walks.md", "# Long walks\n\nNothing yet.\n")
    book.replace(
        "_toc.yml", "      - file: claims", "      - file: long walks\n      - file: claims"
    )
    place = '```{live} counter\n:with: a=1&b="2"\n\nIt counts.\n```'
    book.replace("book/index.md", "A walker", f"{place}\n\nA walker")
    places = "    evergreen_places: {counter: toy.places.counter}\n"
    book.replace("_config.yml", "    language: en\n", f"    language: en\n{places}")
    book.write("src/toy/places.py", 'def counter(root):\n    return {"data-steps": "4"}\n')
    book.update(environment={"SITE_ADDRESS": SITE})
    return book


def rebuild(book: TinyBook) -> str:
    return book.update(environment={"SITE_ADDRESS": SITE}).output


def page(book: TinyBook, name: str) -> BeautifulSoup:
    return BeautifulSoup(book.read(f"_build/html/{name}.html"), "html.parser")


def pages(book: TinyBook) -> list[str]:
    paths = (path.relative_to(book.html) for path in book.html.rglob("*.html"))
    return sorted(str(path.with_suffix("")) for path in paths if path.parts[0] != "_static")


def test_a_known_address_is_named_on_every_page_and_in_the_sitemap(styled: TinyBook) -> None:
    named = re.findall("<loc>(.*)</loc>", styled.read("_build/html/sitemap.xml"))
    documents = [name for name in pages(styled) if name not in ("404", "genindex", "search")]
    assert sorted(named) == sorted(f"{SITE}{name.replace(' ', '%20')}.html" for name in documents)
    for name in documents:
        head = page(styled, name).head
        address = f"{SITE}{name.replace(' ', '%20')}.html"
        assert head.select_one('link[rel="canonical"]')["href"] == address
        assert head.select_one('meta[property="og:url"]')["content"] == address
    card = page(styled, "lessons/walks").select_one('meta[property="og:image"]')["content"]
    assert card.startswith(f"{SITE}_static/cards/")
    assert (styled.html / card.removeprefix(SITE)).is_file()
    assert page(styled, "404").base["href"] == "/my%20course/"


def test_without_an_address_there_is_no_sitemap(built_book: TinyBook) -> None:
    assert not (built_book.html / "sitemap.xml").exists()


@pytest.mark.parametrize(
    ("edited", "shipped_as", "place"),
    [
        ("own.css", "_static/site/style.css", "head"),
        ("live/live.css", "_static/live/live.css", "body"),
    ],
)
def test_an_edited_style_sheet_is_shipped_under_a_new_name(
    styled: TinyBook, edited: str, shipped_as: str, place: str
) -> None:
    def shipped() -> set[str]:
        return {
            link["href"].rsplit("/", 1)[-1]
            for name in pages(styled)
            for link in page(styled, name).select(f'{place} link[rel="stylesheet"]')
        }

    before = shipped()
    styled.replace(f"book/_static/{edited}", "1px", "1234px")
    rebuild(styled)
    assert re.search(r"outline-offset: ?1234px", styled.read(f"_build/html/{shipped_as}"))
    assert len(before) == len(shipped()) == 1
    assert before != shipped()


def test_a_page_gets_the_rules_that_it_comes_to_need(styled: TinyBook) -> None:
    sheet = Path("_build/html/_static/site/style.css")
    assert ".sd-bg-danger{" not in styled.read(str(sheet))
    styled.replace("book/long walks.md", "Nothing yet.", '<p class="sd-bg-danger">New.</p>')
    rebuild(styled)
    assert ".sd-bg-danger{" in styled.read(str(sheet))


def test_an_edited_module_is_shipped_under_a_new_name_wherever_it_is_named(
    styled: TinyBook,
) -> None:
    def shipped() -> dict[str, str]:
        """Return the version that each module is named with, on pages and in modules."""
        modules = (styled.html / "_static" / "live").glob("*.js")
        texts = [*map(str, (page(styled, name) for name in pages(styled)))]
        texts += [path.read_text("utf-8") for path in modules]
        named = re.findall(r'[/"]([\w-]+\.js)\?v=(\w+)"', "\n".join(texts))
        assert len(set(named)) == len(dict(named)), "one module under two names"
        return dict(named)

    before = shipped()
    assert before.keys() >= {"counter.js", "shown.js"}
    styled.write("book/_static/live/shown.js", f"{SHOWN}console.log(1);\n")
    rebuild(styled)
    after = shipped()
    assert after.keys() == before.keys()
    assert before["shown.js"] != after["shown.js"]
    assert before["counter.js"] != after["counter.js"]


def test_a_build_does_not_tell_of_modules_that_it_writes_again(styled: TinyBook) -> None:
    styled.replace("book/index.md", "A walker", "One walker")
    assert "counter.js" not in rebuild(styled)


@pytest.mark.parametrize(
    ("selector", "declared"),
    [
        (".-Color[class*=-Red]", ("color", "crimson")),
        (".-Color[class*=-Red]", ("color", "#f00")),
        (".-Color[class*=-Red]", ("font-weight", "bold")),
        ('html[data-theme="dark"] .-Color[class*=-Red]', ("color", "#ff8080")),
    ],
)
def test_an_author_s_own_style_of_a_terminal_s_text_is_left_as_it_is(
    selector: str, declared: tuple[str, str]
) -> None:
    rule = stylesheet.Rule(selector, [declared])
    assert list(terminal.legible(rule)) == [rule]


def test_what_a_script_is_told_outdates_the_pages_with_its_place(styled: TinyBook) -> None:
    assert page(styled, "index").select_one("[data-live=counter]")["data-steps"] == "4"
    styled.replace("src/toy/places.py", '"4"', '"5"')
    rebuild(styled)
    assert page(styled, "index").select_one("[data-live=counter]")["data-steps"] == "5"


def test_a_place_tells_its_script_what_its_author_writes(styled: TinyBook) -> None:
    place = page(styled, "index").select_one("[data-live=counter]")
    assert place["data-with"] == 'a=1&b="2"'
    assert place.get_text().strip() == "It counts."


def test_a_place_that_no_setting_names_and_a_function_that_is_not_there_are_explained(
    book: TinyBook,
) -> None:
    book.replace("book/index.md", "A walker", "```{live} counter\nIt counts.\n```\n\nA walker")
    assert "There is no place counter: name it in the setting evergreen_places." in book.refuse()
    places = "    evergreen_places: {counter: toy.places.counter}\n"
    book.replace("_config.yml", "    language: en\n", f"    language: en\n{places}")
    said = book.refuse()
    assert "PlaceError: The setting evergreen_places names the function toy.places.counter" in said
    assert "Traceback" not in said
