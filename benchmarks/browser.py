"""Training in the reader's browser, beside Keras's ``fit`` on the same machine.

Run as ``make benchmark-browser`` on a machine that does nothing else. It drives the system's
Chromium through the page "Train them yourself", rounds of which alternate with ``fit``'s, prints
what each round took, and writes a table of the goals and what was reached.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import itertools
import json
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks import machine, training
from bnlab import catalogue

SITE = Path("_build/html")
TABLE = Path("_build/browser.md")
NAMES = catalogue.NOTEBOOK
LATER = 600_000
"""Milliseconds that a training may take."""

WATCH = """() => {
    window.seen = { tasks: [], frames: [] };
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.seen.tasks.push(duration);
    }).observe({ entryTypes: ["longtask"] });
    const frame = (at) => { window.seen.frames.push(at); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def memory(session: CDPSession) -> float:
    """Return the MB that all of the page's renderers have for themselves."""
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(
        psutil.Process(process["id"]).memory_full_info().uss / 1e6
        for process in processes
        if process["type"] == "renderer"
    )


def ended(page: Page) -> str:
    status = page.locator(".live-status", has_text="Ended")
    status.wait_for(timeout=LATER)
    return status.inner_text()


def train(browser: Browser, address: str, names: Sequence[str], epochs: int) -> dict[str, Any]:
    """Train networks side by side, from the click to the end, with the images loaded."""
    chosen = "".join(f"&network={name}" for name in names)
    session = browser.new_browser_cdp_session()
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(f"{address}train.html#images=55000&epochs={epochs}{chosen}")
        page.get_by_role("button", name="Step").click()
        page.locator(".live-progress", has_text="step 1 of").first.wait_for(timeout=LATER)
        page.get_by_role("button", name="Restart").click()
        page.locator(".live-progress", has_text="step 0 of").first.wait_for()
        page.evaluate(WATCH)
        started = time.perf_counter()
        page.get_by_role("button", name="Train", exact=True).click()
        time.sleep(2)
        used = memory(session)
        outcome = ended(page)
        seconds = time.perf_counter() - started
        seen = page.evaluate("window.seen")
    frames = [later - earlier for earlier, later in itertools.pairwise(seen["frames"])]
    return {
        "seconds": seconds,
        "longest_task_ms": max(seen["tasks"], default=0),
        "frames_per_second": 1000 / statistics.median(frames),
        "memory_mb": used,
        "outcome": outcome,
    }


def fit(epochs: int) -> dict[str, float]:
    """Return the seconds of ``fit``'s epochs, by network."""
    command = [training.python(""), "-m", "benchmarks.peers.keras_fit", "--epochs", str(epochs)]
    found = json.loads(machine.measure(command).output.splitlines()[-1])["networks"]
    return {name: sum(found[name]["seconds"]) for name in NAMES}


class Goal(NamedTuple):
    """What is to be reached, and what was.

    Attributes
    ----------
    what, unit : str
        What is measured, and in what.
    value, bound : float
        What was measured, and the goal.
    least : bool
        Whether the goal is the least that the value may be, and not the most.
    """

    what: str
    value: float
    bound: float
    unit: str
    least: bool = False

    @property
    def reached(self) -> bool:
        """Tell whether the value keeps the bound, as far as it is printed."""
        value = float(f"{self.value:.2f}" if self.unit.startswith("of") else f"{self.value:.0f}")
        return value >= self.bound if self.least else value <= self.bound


def goals(rounds: Sequence[dict[str, Any]]) -> list[Goal]:
    """Return the goals of the page with the medians, and the worst of what must never be, of all.

    Parameters
    ----------
    rounds : sequence of dict
        Of each round ``fit``, the seconds of each network, and ``browser``, what :func:`train`
        returned for each network and for all ``together``.
    """

    def seconds(case: str) -> float:
        return statistics.median(one["browser"][case]["seconds"] for one in rounds)

    def fitted(names: Sequence[str]) -> float:
        return statistics.median(sum(one["fit"][name] for name in names) for one in rounds)

    seen = [case for one in rounds for case in one["browser"].values()]
    first, second, _ = NAMES
    titles = [catalogue.find(name).title for name in NAMES]
    return [
        Goal(titles[0], seconds(first) / fitted([first]), 1.0, "of Keras's fit"),
        Goal(titles[1], seconds(second) / seconds(first), 1.25, f"of the {titles[0].lower()}"),
        Goal("All three at once", seconds("together") / fitted(NAMES), 0.8, "of fit's three"),
        Goal("Longest task of the page", max(one["longest_task_ms"] for one in seen), 50, "ms"),
        Goal("Pictures", min(one["frames_per_second"] for one in seen), 60, "a second", True),
        Goal("Memory", max(one["memory_mb"] for one in seen), 400, "MB"),
    ]


def table(found: Sequence[Goal]) -> str:
    """Return goals as a table in Markdown."""

    def number(value: float, goal: Goal) -> str:
        return f"{value:.2f}" if goal.unit.startswith("of") else f"{value:.0f}"

    lines = ["| what | goal | measured | reached |", "|---|---|---|---|"]
    for goal in found:
        bound = f"{'at least' if goal.least else 'at most'} {number(goal.bound, goal)} {goal.unit}"
        reached = "yes" if goal.reached else "no"
        lines.append(f"| {goal.what} | {bound} | {number(goal.value, goal)} | {reached} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None or not (SITE / "train.html").is_file():
        parser.exit(1, "It needs the system's Chromium, and the site: run `make site` first.\n")
    cases = {**{name: (name,) for name in NAMES}, "together": NAMES}
    rounds: list[dict[str, Any]] = []
    with sync_playwright() as playwright, served(SITE) as address:
        for number in range(chosen.rounds):
            browser = playwright.chromium.launch(
                executable_path=program, args=["--disable-gpu", "--headless=new"]
            )
            found = {
                case: train(browser, address, names, chosen.epochs) for case, names in cases.items()
            }
            browser.close()
            rounds.append({"fit": fit(chosen.epochs), "browser": found})
            print(f"round {number + 1}: {json.dumps(rounds[-1])}", flush=True)
    about = machine.about()
    heading = (
        f"Training in the browser, {chosen.epochs} epochs, {chosen.rounds} rounds; commit "
        f"{about['commit']}, {about['processor']}, load {about['load']:.1f} at the end.\n\n"
    )
    TABLE.write_text(heading + table(goals(rounds)), "utf-8")
    print(f"{TABLE.read_text('utf-8')}\nThe table is in {TABLE}.")


if __name__ == "__main__":
    main()
