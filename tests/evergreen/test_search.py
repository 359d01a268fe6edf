"""A reader's question finds the page with the answer, whatever words and signs it is typed in."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page
from support.browsing import visit
from support.hosting import host
from tinybook import TinyBook

PAGES = {
    "rates": "# Rates of learning\n\nA rate of 0.001 is small, 1e-3 is the same, and 17,190 steps "
    "are many.\n\nThe constructor takes it.\n",
    "scales": "# Scales\n\nThe layer multiplies by $\\gamma$ and divides by "
    "$\\sqrt{\\varepsilon}$.\n\nHere λ weighs the penalty.\n",
    "gaps": "# Two accuracies\n\nWith dropout, the accuracy on the validation part can exceed that "
    "of training, since dropout is for training only.\n",
    "counts": "# Parameters\n\nA layer's moving averages are non-trainable parameters.\n",
    "order": "# The order of layers\n\nPut normalization (BN) after the activation or before.\n",
}


@pytest.fixture(scope="module")
def searched(
    built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Page]:
    """The search page of a book with a page for each question."""
    book = TinyBook(tmp_path_factory.mktemp("searched") / "book", built_book.store)
    entry = "      - file: "
    for name, text in PAGES.items():
        book.write(f"book/{name}.md", text)
    added = "".join(f"{entry}{name}\n" for name in PAGES)
    book.replace("_toc.yml", f"{entry}claims", f"{added}{entry}claims")
    book.update()
    with host(book.html) as address, visit(browser, f"{address}search.html") as page:
        yield page


def found(page: Page, query: str) -> list[str]:
    """Return the pages that a query lists, the best first."""
    page.goto(f"{page.url.partition('?')[0]}?q={quote(query)}")
    page.wait_for_function(
        "document.querySelector('.search-summary').textContent && Search.hasIndex()"
    )
    links = page.locator("#search-results li a")
    return [
        link.partition(".html")[0]
        for link in links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    ]


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("0.001", "rates"),
        ("learning rate 0.001", "rates"),
        ("1e-3", "rates"),
        ("17,190", "rates"),
        ("constructor", "rates"),
        ("γ", "scales"),
        ("gamma", "scales"),
        ("ε", "scales"),
        ("lambda", "scales"),
        ("validation accuracy higher than training", "gaps"),
        ("why is my validation accuracy so much higher?", "gaps"),
        ("non-trainable params", "counts"),
        ("nontrainable parameters", "counts"),
        ("BN before or after activation", "order"),
        ("normalisation", "order"),
        ("normalisaton", "order"),
    ],
)
def test_a_question_finds_its_page_first(searched: Page, query: str, page: str) -> None:
    assert found(searched, query)[:1] == [page]


def test_what_no_page_has_a_word_of_finds_nothing(searched: Page) -> None:
    assert found(searched, "xylophone 42.42") == []
