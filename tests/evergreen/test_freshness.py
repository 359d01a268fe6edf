"""Again only what can have changed: what an edit executes, and what it writes."""

from __future__ import annotations

from pathlib import Path

from tinybook import TinyBook


def test_a_build_with_nothing_to_do_executes_and_writes_nothing(book: TinyBook) -> None:
    assert book.update().executed == []
    again = book.update()
    assert (again.executed, again.pages, again.changed) == ([], set(), set())


def test_two_first_builds_are_the_same_site(built_book: TinyBook, tmp_path: Path) -> None:
    assert built_book.from_nothing(tmp_path / "book") == built_book.site()
