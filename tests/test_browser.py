"""The site in a real browser, from a plain static server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsing import (
    COLOUR,
    DESK,
    FIRST_VIEW,
    PHONE,
    PHONES,
    Visit,
    look_at,
    look_with_axe,
    prefer,
    unfold,
    visit,
    wait_for_the_theme,
)
from support.contents import NOTEBOOKS, PAGES
from website import Build, soup


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture(scope="module", params=[*PAGES, "search", "404"])
def seen(request: pytest.FixtureRequest, browser: Browser, address: str) -> Visit:
    """What is to be seen on a page, in one visit."""
    return look_at(browser, f"{address}{request.param}.html")


def test_a_page_loads_without_an_error(seen: Visit) -> None:
    assert not seen.problems


def test_a_page_asks_no_other_host(seen: Visit, address: str) -> None:
    assert seen.requests
    assert [url for url in seen.requests if not url.startswith((address, "data:"))] == []


@pytest.mark.address
def test_the_first_view_of_a_page_is_light(seen: Visit) -> None:
    weight = sum(size for url, size in seen.sizes.items() if url not in seen.below)
    assert 50 * 1024 < weight <= FIRST_VIEW, seen.sizes


def test_every_picture_is_drawn(seen: Visit) -> None:
    assert not seen.blank


@pytest.mark.parametrize("width", PHONES)
def test_a_page_does_not_scroll_sideways_on_a_phone(seen: Visit, width: int) -> None:
    assert seen.widths[width] <= width


def test_axe_finds_nothing_on_a_page(seen: Visit) -> None:
    assert {shown: report for shown, report in seen.faults.items() if report} == {}


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_what_stands_around_a_page_has_contrast_where_the_page_was_not_looked_at(
    browser: Browser, address: str, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    with visit(browser, f"{address}{PAGES[0]}.html", size, reduced_motion="reduce") as page:
        prefer(page, scheme)
        unfold(page)
        look_with_axe(page, runOnly=COLOUR)


def test_the_theme_switches_and_the_figures_with_it(page: Page, address: str) -> None:
    def colour_of_the_first_figure() -> list[int]:
        """Read a pixel of the figure's card from the screen."""
        figure = page.locator("article figure img").first
        figure.scroll_into_view_if_needed()
        figure.evaluate("image => image.decode()")
        box = figure.bounding_box()
        assert box is not None
        shot = page.screenshot(
            clip={"x": box["x"] + 12, "y": box["y"] + 8, "width": 1, "height": 1},
            animations="disabled",  # what changes its colour has changed it
        )
        return page.evaluate(
            """async bytes => {
                const blob = new Blob([new Uint8Array(bytes)], {type: "image/png"});
                const bitmap = await createImageBitmap(blob);
                const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                canvas.drawImage(bitmap, 0, 0);
                return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
            }""",
            list(shot),
        )

    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    page.goto(f"{address}{PAGES[0]}.html")
    wait_for_the_theme(page)
    seen = {}
    for _ in range(3):  # the button goes round automatic, light and dark
        page.locator("button.theme-switch-button:visible").first.click()
        seen[page.locator("html").get_attribute("data-theme")] = colour_of_the_first_figure()
    assert seen.keys() == {"light", "dark"}
    assert min(seen["light"]) > 200
    assert max(seen["dark"]) < 70


@pytest.mark.parametrize("name", PAGES[::8])
def test_the_search_finds_a_page_by_its_title(
    page: Page, address: str, site: Build, name: str
) -> None:
    title = soup(site.html / f"{name}.html").select_one("article h1").get_text()
    words = re.findall(r"[^\W\d]+", title)
    page.goto(f"{address}search.html?q={quote(' '.join(words))}")
    page.locator(f'#search-results a[href*="{name}.html"]').first.wait_for()


def test_a_solution_unfolds(page: Page, address: str, site: Build) -> None:
    solved = (name for name in PAGES if soup(site.html / f"{name}.html").select("div.solution"))
    name = next(solved, None)
    if name is None:
        pytest.skip("No page has a solution.")
    page.goto(f"{address}{name}.html")
    wait_for_the_theme(page)
    solution = page.locator("div.solution").first
    inside = solution.locator("section > *").first
    expect(inside).to_be_hidden()
    solution.locator(".toggle-button, summary").first.click()
    expect(inside).to_be_visible()


def test_the_launch_menu_opens_and_closes_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}{NOTEBOOKS[0]}.html")
    wait_for_the_theme(page)
    page.get_by_role("button", name="Run this lesson").focus()
    page.keyboard.press("Enter")
    entries = page.locator(".dropdown-launch-buttons a")
    expect(entries).to_have_text(["Colab", "Binder", "Download"])
    for entry in entries.all():
        page.keyboard.press("ArrowDown")
        expect(entry).to_be_visible()
        expect(entry).to_be_focused()
    download = page.request.get(entries.last.evaluate("entry => entry.href"))
    assert download.json()["nbformat"] == 4
    page.keyboard.press("Escape")
    expect(entries.first).to_be_hidden()
