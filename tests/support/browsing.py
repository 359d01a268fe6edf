"""Pages in a real browser, and what is looked for on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

PHONE, DESK = (390, 844), (1280, 900)
FIRST_VIEW = 350 * 1024
"""Bytes at most that a page takes before it is scrolled."""


@contextmanager
def visit(
    browser: Browser, address: str, size: tuple[int, int] = DESK, **kind: object
) -> Iterator[Page]:
    """Open a page in a browser of its own, and expect that nothing goes wrong there."""
    problems: list[str] = []
    viewport = {"width": size[0], "height": size[1]}
    with browser.new_context(viewport=viewport, **kind) as context:
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                problems.append(message.text) if message.type in {"error", "warning"} else None
            ),
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        wait_for_the_theme(page)
        yield page
        assert not problems


def wait_for_the_theme(page: Page) -> None:
    """Its scripts come after the page is painted."""
    page.evaluate(
        """() => new Promise((done) => {
            const look = () => ("bootstrap" in window ? done() : setTimeout(look, 10));
            look();
        })"""
    )


def look_with_axe(page: Page, **options: object) -> None:
    """Expect that axe-core finds nothing, by all its rules or by those of the options."""
    found = Axe().run(page, options={"resultTypes": ["violations"], **options})
    assert not found.response["violations"], found.generate_report()


def unfold(page: Page) -> None:
    """Open all that is folded on a page: solutions, hidden code, and its menus."""
    page.evaluate(
        """() => {
            document.querySelectorAll("details").forEach(tag => { tag.open = true; });
            document.querySelectorAll("button.toggle-button-hidden").forEach(tag => tag.click());
            document.querySelectorAll(".dropdown-menu")
                .forEach(menu => menu.classList.add("show"));
        }"""
    )
    # The theme takes its time to let the keyboard scroll what is wider than its place.
    page.wait_for_function(
        """() => [...document.querySelectorAll("pre, .output, div.math")].every(
            tag => tag.tabIndex === 0 || tag.scrollWidth <= tag.clientWidth)"""
    )
