"""Building the site: from nothing, with nothing changed, after an edit, with more lessons."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import machine, plain_notebook
from bnlab import catalogue, data, recipes, runs
from evergreen import store, timeline

BIN = Path(sys.executable).parent

TITLES = {
    "notebook": "The plain notebook, by nbconvert",
    "cold": "The whole site, from nothing",
    "unchanged": "Nothing changed",
    "prose": "A lesson's prose edited",
    "plot": "A lesson's plotting cell edited",
}
FIGURE = re.compile(r"^mystnb:\n  figure:\n(?:[ ].*\n)+---\n", re.MULTILINE)
"""The head of a cell that draws."""

CORES = (1, 2, 4, 8)
"""For how many of them a build is simulated from its timeline."""

AT_MOST = {"unchanged": 3.0, "prose": 5.0, "plot": 12.0}


def run(
    rounds: int,
    epochs: int,
    write: Callable[[dict[str, Any]], None],
    say: Callable[[str], None],
    *,
    trained: bool = False,
) -> None:
    """Measure the plain notebook beside the builds, round by round.

    With ``trained`` the first build finds the stored runs and only executes the lessons: for
    a quick look at whether all of this works.
    """
    results: dict[str, Any] = {
        "about": machine.about(),
        "epochs": epochs,
        "trained_before": trained,
        "titles": TITLES,
        "rounds": [],
    }
    for number in range(rounds):
        results["rounds"].append({})

        def done(name: str, seconds: float, number: int = number) -> None:
            results["rounds"][-1][name] = seconds
            say(f"  round {number + 1}: {TITLES[name]:34} {seconds:7.1f} s")
            write(summarized(results))

        with tempfile.TemporaryDirectory() as folder:
            done("notebook", notebook(Path(folder), epochs))
            project = copy_project(Path(folder) / "project")
            if trained:
                copy_runs(project)
            for name, seconds in stages(project):
                done(name, seconds)
                if name == "cold":
                    results["timeline"] = last_timeline(project)
    results["kib_per_run"] = kib_per_run()
    write(summarized(results))


def summarized(results: dict[str, Any]) -> dict[str, Any]:
    """Add medians over the rounds, ratios within each round with their spread, and the limits."""
    rounds = results["rounds"]
    seconds = {
        name: statistics.median(one[name] for one in rounds if name in one)
        for name in TITLES
        if any(name in one for one in rounds)
    }
    ratios = {}
    for name in seconds:
        of_rounds = [one[name] / one["notebook"] for one in rounds if name in one]
        ratios[name] = {
            "median": statistics.median(of_rounds),
            "spread": [min(of_rounds), max(of_rounds)],
        }
    limits = []
    if "cold" in ratios:
        limits.append(
            machine.limit(
                "The whole site from nothing, against the plain notebook",
                ratios["cold"]["median"],
                0.8,
                "ratio",
            )
        )
    limits += [
        machine.limit(TITLES[name], seconds[name], at_most, "s")
        for name, at_most in AT_MOST.items()
        if name in seconds
    ]
    return results | {"seconds": seconds, "ratios": ratios, "limits": limits}


def last_timeline(project: Path) -> dict[str, Any]:
    """Return what ran when in a project's last build from nothing.

    Each row holds what ran one after the other: kind, name, and seconds since the beginning.
    """
    about = json.loads((project / "_build" / timeline.FILE).read_text("utf-8"))
    spans = [timeline.Span(*span) for span in about["spans"]]
    start = min(span.begin for span in spans)
    rows = [
        [[span.kind, span.what, span.begin - start, span.end - start] for span in row]
        for row in timeline.side_by_side(spans)
    ]
    path = timeline.critical_path(spans)
    return {
        "cores": about["cores"],
        "rows": rows,
        "critical_path": sum(span.seconds for span in path),
        "simulated": {str(cores): timeline.simulated(spans, cores) for cores in CORES}
        | {"any": timeline.simulated(spans, len(spans))},
    }


def notebook(folder: Path, epochs: int) -> float:
    """Return the seconds of the plain notebook under nbconvert."""
    # Where Keras looks before it would download.
    cache = folder / "keras" / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    for name in data.FILES:
        (cache / name).symlink_to(data.folder() / name)
    plain_notebook.write(folder / "plain.ipynb", epochs)
    command = [BIN / "jupyter", "nbconvert", "--to", "notebook", "--execute", "plain.ipynb"]
    return machine.measure(
        [*command, "--output", "executed.ipynb"], folder, KERAS_HOME=folder / "keras"
    ).seconds


def build(project: Path) -> float:
    """Build a copy of the checkout, and return the seconds."""
    return machine.measure(
        [BIN / "jupyter-book", "build", "book", "-W", "--keep-going"],
        project,
        PYTHONPATH=project / "src",
        **{store.FOLDER_VARIABLE: project / "_build" / "store"},
    ).seconds


def stages(project: Path) -> Iterator[tuple[str, float]]:
    """Build a fresh copy, build it again after each edit, and yield name and seconds.

    Raises
    ------
    BenchmarkError
        If an edit executes another number of lessons than it must, or trains.
    """
    lesson = next(path for path in lessons(project) if FIGURE.search(path.read_text("utf-8")))
    yield "cold", build(project)
    trained = stored(project, "runs")
    for name, old, new, executions in (
        ("unchanged", None, "", 0),
        ("prose", re.compile(r"\Z"), "\nOne more sentence.\n", 0),
        ("plot", FIGURE, r"\g<0>figures.use_style()\n", 1),
    ):
        if old is not None:
            lesson.write_text(old.sub(new, lesson.read_text("utf-8"), count=1), "utf-8")
        before = stored(project, "lessons")
        yield name, build(project)
        executed = len(stored(project, "lessons") - before)
        now = stored(project, "runs")
        if executed != executions or now != trained:
            raise machine.BenchmarkError(
                f"After the edit {name!r} {executed} lessons were executed and "
                f"{len(now) - len(trained)} runs trained, not {executions} and none."
            )


def copy_project(folder: Path) -> Path:
    """Copy the checkout, links kept, without what was made in it."""
    made = (".git", ".venv*", "_build", "node_modules", "__pycache__", ".*_cache")
    ignored = shutil.ignore_patterns(*made)
    return Path(shutil.copytree(machine.ROOT, folder, symlinks=True, ignore=ignored))


def lessons(project: Path) -> list[Path]:
    """Return the files of the lessons."""
    return sorted((project / "lessons").glob("*.md"))


def stored(project: Path, kind: str) -> set[str]:
    """Return the keys of a project's stored results of a kind: what is new was computed."""
    return {path.name for path in (project / "_build/store" / kind).iterdir() if path.is_dir()}


def copy_runs(project: Path) -> None:
    """Let a copy find the course's runs, so that its builds train nothing."""
    runs.load_all(recipes.course())
    results = project / "_build" / "store"
    results.mkdir(parents=True)
    (results / "runs").symlink_to(store.root() / "runs")


def kib_per_run() -> dict[str, float]:
    """Return the mean size of a stored run, by network."""
    return {
        name: statistics.fmean(
            sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file()) / 1024
            for run in runs.load_seeds(name)
        )
        for name in catalogue.NOTEBOOK
    }


def grow(
    counts: tuple[int, ...], write: Callable[[dict[str, Any]], None], say: Callable[[str], None]
) -> None:
    """Measure the first build and a rebuild with so many lessons; nothing is trained."""
    results: dict[str, Any] = {"about": machine.about(), "lessons": []}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            project = copy_project(Path(folder) / "project")
            copy_runs(project)
            add_lessons(project, count)
            first, again = build(project), build(project)
        results["lessons"].append({"count": count, "first": first, "unchanged": again})
        say(f"  {count} lessons: {first:.1f} s, and {again:.1f} s with nothing changed")
        write(results)


def add_lessons(project: Path, count: int) -> None:
    """Copy lessons until there are so many; each copy has its own labels and its own key."""
    originals, contents = lessons(project), project / "_toc.yml"
    for number in range(len(originals), count):
        original = originals[number % len(originals)]
        name = f"{original.stem}_{number}"
        text = original.read_text("utf-8")
        labels = [r"(?:fig|ex|sol)-[\w-]+", *re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)]
        text = re.sub(rf"(?<![\w-])({'|'.join(labels)})(?![\w-])", rf"\1-{number}", text)
        text = text.replace("figures.use_style()", f"figures.use_style()\ncopy = {number}", 1)
        original.with_stem(name).write_text(text, "utf-8")
        entry = rf"\g<0>      - file: lessons/{name}\n"
        listed = contents.read_text("utf-8")
        listed = re.sub(r"^ *- file: lessons/.*\n", entry, listed, count=1, flags=re.MULTILINE)
        contents.write_text(listed, "utf-8")
