"""A page with one of the course's own scripts and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, ViewportSize
from website import ROOT

SCRIPTS = ROOT / "book" / "_static"
TYPES = {".js": "text/javascript", ".css": "text/css"}


@contextmanager
def page_with(browser: Browser, body: str, viewport: ViewportSize | None = None) -> Iterator[Page]:
    """Open a page with a body, beside the files of :data:`SCRIPTS`."""

    def answer(route: Route) -> None:
        file = SCRIPTS / urlsplit(route.request.url).path.lstrip("/")
        if file.suffix in TYPES:
            route.fulfill(body=file.read_text("utf-8"), content_type=TYPES[file.suffix])
        else:
            route.fulfill(body=f"<!doctype html><body>{body}", content_type="text/html")

    with browser.new_context(viewport=viewport) as context:
        page = context.new_page()
        page.route("**", answer)
        page.goto("http://course.test/")
        yield page
