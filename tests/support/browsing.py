"""Pages in a real browser, and what is looked for on them."""

from __future__ import annotations

import dataclasses
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Response, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

expect.set_options(timeout=30_000)  # as long as a locator waits: a busy machine takes its time

PHONE, DESK = (390, 844), (1280, 900)
FIRST_VIEW = 128 * 1024
"""Bytes at most that a host sends of a page before it is scrolled."""


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
    page.wait_for_function("() => 'bootstrap' in window", polling=10)


AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
"""axe-core, in the version that package-lock.json names."""


def faults(page: Page, but: str = "", **options: object) -> str:
    """Return what axe-core finds, by all its rules or by those of the options: "" if nothing.

    It passes over what the selector `but` finds.
    """
    if not AXE.is_file():
        reason = "There is no axe-core; install npm and run `npm ci`."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    # The whole answer has an entry for each rule, and takes as long to send as to find.
    violations = page.evaluate(
        """async ([but, options]) => {
            const place = but ? { exclude: [[but]] } : document;
            return (await axe.run(place, options)).violations;
        }""",
        [but, {"resultTypes": ["violations"], **options}],
    )
    return "\n".join(
        f"{fault['id']}: {fault['help']}\n"
        + "\n".join(f"  {node['target']} {node['html'][:200]}" for node in fault["nodes"])
        for fault in violations
    )


def look_with_axe(page: Page, **options: object) -> None:
    """Expect that axe-core finds nothing."""
    report = faults(page, **options)
    assert not report, report


def covered(page: Page) -> list[str]:
    """Return what is below something else while it has the focus, going back through a page."""
    found = []
    while page.evaluate("document.activeElement.closest('.live') !== null"):
        # The keyboard's focus scrolls the page, and what is drawn meanwhile may still move.
        try:
            page.wait_for_function(
                """() => {
                    const tag = document.activeElement;
                    const { left, top, width, height } = tag.getBoundingClientRect();
                    const on = document.elementFromPoint(left + width / 2, top + height / 2);
                    return tag.contains(on) || on?.contains(tag);
                }""",
                timeout=2000,
            )
        except PlaywrightTimeout:
            found.append(page.evaluate("document.activeElement.outerHTML"))
        page.keyboard.press("Shift+Tab")
    return found


def sent(body: bytes) -> int:
    """Return the bytes that a host sends of an answer: it compresses what gets smaller."""
    return min(len(body), len(gzip.compress(body)))


def resize(page: Page, size: tuple[int, int]) -> None:
    """Give a page another size, and let the theme adapt to it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function("width => innerWidth === width", arg=size[0])
    _wait_for_what_scrolls(page)


def _wait_for_what_scrolls(page: Page) -> None:
    """The theme takes its time to let the keyboard scroll what is wider than its place."""
    page.wait_for_function(
        """() => [...document.querySelectorAll(
            "pre, .output, div.math, .pst-scrollable-table-container")].every(
            tag => tag.tabIndex === 0 || tag.scrollWidth <= tag.clientWidth)"""
    )


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
    _wait_for_what_scrolls(page)


def prefer(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Let a page's reader prefer a light or a dark screen."""
    page.emulate_media(color_scheme=scheme)
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)


@dataclasses.dataclass
class Visit:
    """What was seen on one page, from its first view on a phone to its last corner on a desk.

    Attributes
    ----------
    problems : list of str
        Errors and warnings on the console, and requests that failed.
    sizes : dict of str to int
        Bytes sent of each answer by its address, before anything was scrolled.
    below : list of str
        Addresses of the pictures below the first view.
    requests : list of str
        Every address that was asked for.
    blank : list of str
        Addresses of pictures that are not drawn.
    widths : dict of int to int
        By the width of a screen, how wide the page is there.
    faults : dict of str to str
        What axe-core has to say of the page, by how it was shown.
    """

    problems: list[str] = dataclasses.field(default_factory=list)
    sizes: dict[str, int] = dataclasses.field(default_factory=dict)
    below: list[str] = dataclasses.field(default_factory=list)
    requests: list[str] = dataclasses.field(default_factory=list)
    blank: list[str] = dataclasses.field(default_factory=list)
    widths: dict[int, int] = dataclasses.field(default_factory=dict)
    faults: dict[str, str] = dataclasses.field(default_factory=dict)


PHONES = (320, PHONE[0])
"""Widths of small screens."""

COLOUR = ("color-contrast", "link-in-text-block")
"""The rules of axe-core that a theme's colours may break."""

WIDTH = ("scrollable-region-focusable",)
"""Those that a page may break at one width alone, whatever stands around it."""


def look_at(browser: Browser, address: str) -> Visit:
    """Open a page once, and look at everything on it."""
    seen = Visit()
    viewport = {"width": PHONE[0], "height": PHONE[1]}
    with browser.new_context(viewport=viewport, reduced_motion="reduce") as context:
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                seen.problems.append(message.text) if message.type in {"error", "warning"} else None
            ),
        )
        page.on("pageerror", lambda error: seen.problems.append(str(error)))
        page.on("requestfailed", lambda request: seen.problems.append(request.url))
        page.on("request", lambda request: seen.requests.append(request.url))
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(address)
        wait_for_the_theme(page)
        _wait_for_what_scrolls(page)
        # Contrast takes long to measure, and what is open shows whatever is closed shows.
        rest = {"rules": {"color-contrast": {"enabled": False}}}
        folds = page.locator("article").locator("details, .toggle, .dropdown").count()
        seen.faults["closed on a phone"] = faults(page, "" if folds else "article", **rest)
        page.wait_for_load_state("networkidle")
        seen.sizes = {answer.url: sent(answer.body()) for answer in answers}
        seen.below = page.locator("img").evaluate_all(
            "pictures => pictures.filter(picture =>"
            " picture.getBoundingClientRect().top > innerHeight).map(picture => picture.src)"
        )
        for width in PHONES:
            resize(page, (width, PHONE[1]))
            seen.widths[width] = page.evaluate("document.documentElement.scrollWidth")
        seen.blank = blank(page)
        resize(page, DESK)
        # A closed article is the same at any width, and one without folds when all is open.
        seen.faults["around a closed article on a desk"] = faults(page, "article", **rest)
        unfold(page)
        seen.faults["open on a desk, light"] = faults(page)
        prefer(page, "dark")
        resize(page, PHONE)
        seen.faults["open on a phone, dark"] = faults(page, runOnly=[*COLOUR, *WIDTH])
    return seen


def blank(page: Page) -> list[str]:
    """Return the addresses of visible pictures that are not drawn when one scrolls to them."""
    found = []
    for picture in page.locator("article img").all():
        picture.scroll_into_view_if_needed()
        # A picture in a folded solution has no size until it is unfolded.
        if picture.is_visible() and not picture.evaluate(
            "image => image.decode().then(() => image.naturalWidth, () => 0)"
        ):
            found.append(picture.get_attribute("src"))
    return found
