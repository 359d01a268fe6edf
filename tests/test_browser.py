"""The site in a real browser, from a plain static server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from support.browsing import wait_for_the_theme
from support.contents import PAGES


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_without_an_error_or_another_host(page: Page, address: str, name: str) -> None:
    problems: list[str] = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.on(
        "request",
        lambda request: request.url.startswith((address, "data:")) or problems.append(request.url),
    )
    page.goto(f"{address}{name}.html")
    wait_for_the_theme(page)
    pictures = page.locator("article img")
    for index in range(pictures.count()):
        picture = pictures.nth(index)
        picture.scroll_into_view_if_needed()
        # A picture in a folded solution has no size until it is unfolded.
        if picture.is_visible():
            assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert not problems


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(
    page: Page, address: str, name: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{address}{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_switches_and_the_figures_with_it(page: Page, address: str) -> None:
    def colour_of_the_first_figure() -> list[int]:
        """Read a pixel of the figure's card from the screen."""
        figure = page.locator("article figure img").first
        figure.scroll_into_view_if_needed()
        box = figure.bounding_box()
        assert box is not None
        shot = page.screenshot(
            clip={"x": box["x"] + 12, "y": box["y"] + 8, "width": 1, "height": 1}
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
    page.goto(f"{address}index.html")
    wait_for_the_theme(page)
    seen = {}
    for _ in range(3):  # the button goes round automatic, light and dark
        page.locator("button.theme-switch-button:visible").first.click()
        seen[page.locator("html").get_attribute("data-theme")] = colour_of_the_first_figure()
    assert seen.keys() == {"light", "dark"}
    assert min(seen["light"]) > 200
    assert max(seen["dark"]) < 70


def test_the_search_finds_gamma(page: Page, address: str) -> None:
    page.goto(f"{address}search.html?q=gamma")
    page.locator('#search-results a[href*="bn_approach_one"]').first.wait_for()


def test_a_solution_unfolds(page: Page, address: str) -> None:
    page.goto(f"{address}lessons/baseline.html")
    solution = page.locator("div.solution").first
    output = solution.locator(".cell_output").first
    assert not output.is_visible()
    solution.locator(".toggle-button, summary").first.click()
    assert output.is_visible()


def test_the_launch_menu_opens_and_closes_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}lessons/baseline.html")
    wait_for_the_theme(page)
    page.get_by_role("button", name="Run this lesson").focus()
    page.keyboard.press("Enter")
    entries = page.locator(".dropdown-launch-buttons a")
    assert entries.all_inner_texts() == ["Colab", "Binder", "Download"]
    for entry in entries.all():
        page.keyboard.press("ArrowDown")
        assert entry.is_visible()
        assert entry.evaluate("entry => entry === document.activeElement")
    download = page.request.get(entries.last.evaluate("entry => entry.href"))
    assert download.json()["nbformat"] == 4
    page.keyboard.press("Escape")
    assert not entries.first.is_visible()
