"""What ran when in the last build from nothing, and what each thing waited for.

``python -m evergreen.timeline`` prints it. The times are kept beside the site and never in it,
so that two builds write the same pages.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

FILE = "timeline.json"
"""Where the times are, in the folder of what builds have made."""

PREPARING, EXECUTING = "preparing", "executing"
"""Kinds of what runs side by side: what the book prepares for its lessons, and the lessons."""

_LETTERS = {
    "starting": "s",
    PREPARING: "P",
    EXECUTING: "E",
    "reading": "r",
    "writing": "w",
    "finishing": "f",
}
_WIDTH = 72
# Seconds between the end of one thing and the begin of the next that waited for it.
_AT_ONCE = 1.0


class Span(NamedTuple):
    """Something that ran.

    Attributes
    ----------
    kind : str
        A phase of the build.
    what : str
        The run, lesson or page; empty for what has no parts.
    begin, end : float
        Seconds since 1970.
    """

    kind: str
    what: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.end - self.begin


class _Clock:
    """Notes what the build's own process does, one thing after the other."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.from_nothing = False
        self._doing = ("starting", "")
        self._since = time.time()

    def switch(self, kind: str, what: str = "") -> None:
        """End what was being done, and begin with something else; an empty kind is nothing."""
        now = time.time()
        if self._doing[0]:
            self.spans.append(Span(*self._doing, self._since, now))
        self._doing, self._since = (kind, what), now


_clocks: dict[int, _Clock] = {}


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    clock = _clocks[id(app)] = _Clock()

    def begin_reading(
        _app: Sphinx, env: BuildEnvironment, added: set[str], *_others: set[str]
    ) -> list[str]:
        clock.from_nothing = added == env.found_docs
        clock.switch("reading")
        return []

    def finish(_app: Sphinx) -> list[tuple[str, dict[str, object], str]]:
        clock.switch("finishing")
        return []

    # First, before others prepare something for the lessons; last in what outdates pages.
    app.connect("evergreen-prepare", lambda _app, _lessons: clock.switch(""), priority=1)
    app.connect("env-get-outdated", begin_reading, priority=999)
    app.connect("source-read", lambda _app, name, _text: clock.switch("reading", name))
    app.connect("env-check-consistency", lambda _app, _env: clock.switch("writing"), priority=1)
    app.connect("doctree-resolved", lambda _app, _tree, name: clock.switch("writing", name))
    app.connect("html-collect-pages", finish, priority=1)
    # Before those that end the build (1000).
    app.connect("build-finished", _keep, priority=999)


def note(app: Sphinx, kind: str, what: str, begin: float, end: float) -> None:
    """Note that something ran in another process of this build; see :class:`Span`."""
    _clocks[id(app)].spans.append(Span(kind, what, begin, end))


def _keep(app: Sphinx, error: Exception | None) -> None:
    clock = _clocks.pop(id(app))
    clock.switch("")
    if error is None and clock.from_nothing and app.builder.format == "html":
        about = {"cores": os.cpu_count() or 1, "spans": clock.spans}
        Path(app.doctreedir).with_name(FILE).write_text(json.dumps(about, indent=1), "utf-8")


def side_by_side(spans: Iterable[Span]) -> list[list[Span]]:
    """Return spans in as few rows as possible, none of whose spans overlap."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: (span.begin, span.end)):
        free = next((row for row in rows if row[-1].end <= span.begin + 0.05), None)
        if free is None:
            rows.append([span])
        else:
            free.append(span)
    return rows


def critical_path(spans: Iterable[Span]) -> list[Span]:
    """Return the spans each of which began when the one before it ended, up to the last.

    To make anything else faster would not have made the build faster.
    """
    left = sorted(spans, key=lambda span: span.end)
    path = [left.pop()]
    while True:
        before = [span for span in left if span.end <= path[0].begin + _AT_ONCE]
        before = [span for span in before if span.begin < path[0].begin]
        if not before:
            return path
        path.insert(0, before[-1])
        left = before[:-1]


def simulated(spans: Iterable[Span], cores: float) -> float:
    """Return the seconds that the build would take on another number of cores.

    What ran side by side is handed out anew in the order in which it began, kind by kind. That
    each takes as long as it did is an assumption.
    """
    spans = sorted(spans, key=lambda span: span.begin)
    total = 0.0
    for kind in _LETTERS:
        seconds = [span.seconds for span in spans if span.kind == kind]
        if kind not in (PREPARING, EXECUTING):
            total += sum(seconds)
            continue
        busy = [0.0] * int(min(cores, len(seconds)))
        for one in seconds:
            heapq.heappush(busy, heapq.heappop(busy) + one)
        total += max(busy, default=0.0)
    return total


def described(spans: Sequence[Span], cores: int) -> str:
    """Return the timeline of a build as text."""
    first, last = min(span.begin for span in spans), max(span.end for span in spans)
    took = max(last - first, 1e-9)
    busy = sum(span.seconds for span in spans) / took / cores
    date = time.strftime("%Y-%m-%d, %H:%M UTC", time.gmtime(first))
    lines = [
        f"The build from nothing of {date}: {took:.1f} s on {cores} cores, which were busy for "
        f"{busy:.0%} of the time.",
        "",
    ]
    for number, row in enumerate(side_by_side(spans), 1):
        letters = [" "] * _WIDTH
        for span in row:
            begin, end = (int((at - first) / took * _WIDTH) for at in (span.begin, span.end))
            for column in range(begin, min(max(end, begin + 1), _WIDTH)):
                letters[column] = _LETTERS[span.kind]
        lines.append(f"  process {number}  |{''.join(letters)}|")
    lines += ["  " + ", ".join(f"{letter} {kind}" for kind, letter in _LETTERS.items()), ""]
    path = critical_path(spans)
    lines.append("The critical path, each part of which waited for the one above it:")
    lines += [f"  {s.seconds:7.1f} s  {s.kind:10} {s.what}".rstrip() for s in _joined(path)]
    lines += ["", "The same work on other numbers of cores, if every part took as long as it did:"]
    for number in (1, 2, 4, 8):
        lines.append(f"  {simulated(spans, number):7.1f} s  on {number}")
    lines.append(f"  {simulated(spans, float(len(spans))):7.1f} s  on as many as can be used")
    return "\n".join(lines)


def _joined(path: Sequence[Span]) -> list[Span]:
    """Put neighbours of one kind that are short into one: the pages of a book are many."""
    joined: list[Span] = []
    for span in path:
        last = joined[-1] if joined else None
        if last and last.kind == span.kind not in (PREPARING, EXECUTING):
            joined[-1] = Span(span.kind, "", last.begin, span.end)
        else:
            joined.append(span)
    return joined


def main(arguments: list[str] | None = None) -> None:
    """Print what ran when in the last build from nothing, and what each thing waited for."""
    parser = argparse.ArgumentParser(prog="python -m evergreen.timeline", description=main.__doc__)
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("_build"),
        help="what builds have made (default: %(default)s)",
    )
    file = parser.parse_args(arguments).folder / FILE
    if not file.is_file():
        sys.exit(f"There is no {file}: no build has made all pages yet. Build the book first.")
    about = json.loads(file.read_text("utf-8"))
    print(described([Span(*span) for span in about["spans"]], about["cores"]))


if __name__ == "__main__":
    main()
