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
