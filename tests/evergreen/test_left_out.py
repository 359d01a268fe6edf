"""A page that the contents leave out: links to it are plain text, and the build's log says so."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from tinybook import TinyBook

LINKS = """
Read {doc}`lessons/walks` or {doc}`all of it <lessons/walks>`, [here](lessons/walks.md) and
[there](lessons/walks.md#how-far), see {numref}`fig-ends`, {ref}`ex-fourfold`,
{ref}`the answer <sol-fourfold>` and [the figure](#fig-ends).

::::{grid} 1
:::{grid-item-card} A card
:link: lessons/walks
:link-type: doc

What a card says.
:::
::::
"""


def test_links_to_a_lesson_taken_out_of_the_contents_are_plain_text(book: TinyBook) -> None:
    book.replace("_toc.yml", "      - file: lessons/walks\n", "")
    book.replace("book/index.md", "sends a crowd", f"sends a crowd\n{LINKS}\n")
    log = book.update().output
    assert "index: A link to walks (fig-ends) is plain text" in log
    article = BeautifulSoup(book.read("_build/html/index.html"), "html.parser").article
    assert not article.select('a[href*="lessons/walks"], a[href*="fig-ends"]')
    text = " ".join(article.get_text().split())
    assert "Read How far a walk leads or all of it, here and there" in text
    assert "see How far a walk leads, How far a walk leads, the answer and the figure." in text
    assert article.select_one(".sd-card").get_text(strip=True) == "A cardWhat a card says."


@pytest.mark.parametrize("link", ["{ref}`fig-nowhere`", "{doc}`lessons/nothing`", "[a](#nowhere)"])
def test_a_link_that_leads_nowhere_at_all_is_still_an_error(book: TinyBook, link: str) -> None:
    book.replace("_toc.yml", "      - file: lessons/chances\n", "")
    book.replace("book/index.md", "A walker tosses", f"{link} A walker tosses")
    assert "WARNING" in book.refuse()


SITE = """
def setup(app):
    app.connect("config-inited", set_aside)
    app.connect("evergreen-prepare", prepare)


def set_aside(app, config):
    config.evergreen_aside = {"counted": "It was counted elsewhere."}


def prepare(app, lessons):
    for name in lessons.importing("toy.chances"):
        lessons.leave_out(name, "its results are of other data.")
"""
BELOW = """      - file: lessons/chances
        sections:
          - file: below
"""


def test_a_book_s_own_code_leaves_out_lessons_and_cells(book: TinyBook) -> None:
    book.write("src/toy/site.py", SITE)
    book.write("book/below.md", "# Below\n\nIt moves up.\n")
    book.replace("_config.yml", "      - evergreen\n", "      - evergreen\n      - toy.site\n")
    book.replace("_toc.yml", "      - file: lessons/chances\n", BELOW)
    walks = book.read("lessons/walks.md")
    for begin in ("claim(\n", "print(f"):
        walks = walks.replace(f"ipython3\n{begin}", f"ipython3\n:tags: [counted]\n{begin}")
    book.write("lessons/walks.md", walks)
    result = book.update()
    assert "lessons/chances is left out of this build: its results are of other" in result.output
    assert result.executed == ["lessons/walks"]
    assert result.pages >= {"index", "lessons/walks", "below"}
    assert "lessons/chances" not in result.pages
    index = BeautifulSoup(book.read("_build/html/index.html"), "html.parser")
    assert not index.select('a[href*="chances"]')
    assert "2. Below" in " ".join(index.get_text().split())
    notebook = book.read("_build/html/notebooks/walks.ipynb")
    for text in (book.read("_build/html/lessons/walks.html"), notebook):
        assert text.count("It was counted elsewhere.") == 2
        assert "times as far" not in text.replace("four times as many steps", "")
