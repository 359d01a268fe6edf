"""What the tests of the engine share: a small book, built once, to be copied and changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tinybook import TinyBook


@contextmanager
def without_address() -> Iterator[None]:
    """Let no address come from where the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GITHUB_REPOSITORY", "SITE_ADDRESS"):
            patch.delenv(name, raising=False)
        yield


# Of a module, for the course's own tests may follow in the same session.
@pytest.fixture(scope="module", autouse=True)
def _no_address() -> Iterator[None]:
    """Tests about addresses set their own."""
    with without_address():
        yield


@pytest.fixture(scope="session")
def built_book(tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """The small book, built once. It is everybody's, so no test changes it."""
    book = TinyBook(tmp_path_factory.mktemp("built") / "book")
    with without_address():
        book.update()
    return book


@pytest.fixture
def book(built_book: TinyBook, tmp_path: Path) -> TinyBook:
    """A copy of the small book, with its results in its store, and not built yet."""
    return TinyBook(tmp_path / "book", built_book.store)
