"""The times of a build lie beside the site: what ran when, and what waited for what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tinybook import ENGINE, TinyBook

from evergreen import timeline
from evergreen.timeline import EXECUTING, PREPARING, Span

# Two runs side by side, of which the second lasts; two lessons after them; then the pages.
SPANS = [
    Span("starting", "", 100, 102),
    Span(PREPARING, "short", 102, 106),
    Span(PREPARING, "long", 102, 112),
    Span(EXECUTING, "first", 112, 120),
    Span(EXECUTING, "second", 112, 115),
    Span("reading", "a page", 120, 123),
    Span("writing", "a page", 123, 125),
    Span("finishing", "", 125, 126),
]


def command(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evergreen.timeline", str(folder)],
        env={"PYTHONPATH": str(ENGINE)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_part_of_the_critical_path_waited_for_the_one_before() -> None:
    path = [span.what or span.kind for span in timeline.critical_path(SPANS)]
    assert path == ["starting", "long", "first", "a page", "a page", "finishing"]


def test_what_ran_at_the_same_time_stands_in_rows_of_its_own() -> None:
    rows = timeline.side_by_side(SPANS)
    assert [span.what for span in rows[1]] == ["long", "first"]
    assert sorted(span for row in rows for span in row) == sorted(SPANS)


@pytest.mark.parametrize(("cores", "seconds"), [(1, 33), (2, 26), (100, 26)])
def test_more_cores_help_only_what_runs_side_by_side(cores: int, seconds: float) -> None:
    assert timeline.simulated(SPANS, cores) == seconds


def test_only_a_build_from_nothing_is_timed(book: TinyBook) -> None:
    with book.path("lessons/walks.md").open("a") as lesson:
        lesson.write("\n```{code-cell} ipython3\nimport toy\n```\n")
    file = book.path("_build") / timeline.FILE
    answer = command(file.parent)
    assert answer.returncode != 0
    assert "Build the book first." in answer.stderr
    book.update()
    spans = [Span(*span) for span in json.loads(file.read_text("utf-8"))["spans"]]
    assert [span.what for span in spans if span.kind == EXECUTING] == ["lessons/walks"]
    pages = {"index", "claims", "bibliography", "lessons/walks", "lessons/chances"}
    for kind in ("reading", "writing"):
        assert {span.what for span in spans if span.kind == kind} == {"", *pages}
    assert all(span.begin <= span.end for span in spans)
    answer = command(file.parent)
    assert "executing  lessons/walks" in answer.stdout, answer
    book.replace("book/index.md", "A walker tosses", "Somebody tosses")
    before = file.read_bytes()
    book.update()
    assert file.read_bytes() == before
