"""What the tests share: the real data, the course's real runs, the real site, a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.hosting import host
from website import ROOT, Build, build, parsed

from bnlab import catalogue, data, recipes, runs, training


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the built site, and so the locked TensorFlow that the studies ran on."""
    for item in items:
        if "site" in getattr(item, "fixturenames", ()):
            item.add_marker("site")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Compute as the runs do; TensorFlow takes no other count once it has computed."""
    training.use_one_thread()


@pytest.fixture(scope="module", autouse=True)
def _forget_what_was_parsed() -> Iterator[None]:
    """Keep no page in memory when the tests of a module have ended."""
    yield
    parsed.cache_clear()


@pytest.fixture(scope="session")
def images() -> data.FashionMNIST:
    return data.load()


@pytest.fixture(scope="session")
def course() -> dict[str, list[runs.Run]]:
    """The course's runs by network, in the order of the seeds; trains what is missing."""
    runs.load_all(recipes.course())
    return {name: runs.load_seeds(name) for name in catalogue.NETWORKS}


@pytest.fixture(scope="session")
def site() -> Build:
    """The site of this checkout, built once."""
    return build(ROOT, "-W", "--keep-going")


@pytest.fixture(scope="session")
def address(site: Build) -> Iterator[str]:
    """The address of a plain static server with the built site, on this machine."""
    with host(site.html) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        reason = "There is no Chromium; install it (on Debian and Ubuntu: apt install chromium)."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--disable-gpu", "--disable-quic", *quiet]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def node() -> None:
    """Node, with what package.json names; `make` installs that where there is npm."""
    if shutil.which("node") is None or not (ROOT / "node_modules").is_dir():
        reason = "There is no Node with the tests' packages; install npm and run `npm ci`."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
