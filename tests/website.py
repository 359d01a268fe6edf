"""The built site, as the tests read it."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup

from bnlab import recipes, runs
from evergreen import store

ROOT = Path(__file__).parent.parent
PROJECT = (
    "_config.yml",
    "_toc.yml",
    "benchmarks",
    "book",
    "lessons",
    "pyproject.toml",
    "requirements.txt",
    "src",
)
# A deprecated call of ours must show; those between our dependencies are theirs to mend.
MODULES = [
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "src").rglob("*.py"))
]
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Build(NamedTuple):
    """What a call of ``jupyter-book build book`` left behind."""

    html: Path
    status: int
    output: str


def start_build(
    project: Path,
    *options: str,
    source: Path | None = None,
    results: Path | None = None,
    prefix: Sequence[str] = (),
    start_new_session: bool = False,
) -> subprocess.Popen[str]:
    """Start the build of a checkout's site, as :func:`build` does, and do not wait for it."""
    environment = os.environ | {
        "PYTHONPATH": str(source or project / "src"),
        store.FOLDER_VARIABLE: str(results or store.root()),
        "PYTHONWARNINGS": ",".join(f"default::DeprecationWarning:{name}" for name in MODULES),
    }
    program = Path(sys.executable).with_name("jupyter-book")
    return subprocess.Popen(
        [*prefix, str(program), "build", "book", *options],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=start_new_session,
    )


def build(
    project: Path,
    *options: str,
    source: Path | None = None,
    results: Path | None = None,
    prefix: Sequence[str] = (),
) -> Build:
    """Build a checkout's site, with its own package or another, and with some store's results.

    The prefix is a command that is given the build's own command to run.
    """
    process = start_build(project, *options, source=source, results=results, prefix=prefix)
    output, _ = process.communicate()
    return Build(project / "_build" / "html", process.returncode, _ANSI.sub("", output))


def pages(result: Build) -> list[Path]:
    """Return the files of a built site's pages."""
    return sorted(path for path in result.html.rglob("*.html") if "_static" not in path.parts)


def notebook_of(result: Build, name: str) -> Path:
    """Return the file of the notebook that a page offers to download."""
    page = result.html / f"{name}.html"
    (link,) = soup(page).select(".dropdown-launch-buttons a[href$='.ipynb']:not([href^='http'])")
    return (page.parent / link["href"]).resolve()


def pages_of(result: Build) -> dict[str, bytes]:
    """Return every file of a built site by its name."""
    return {
        str(path.relative_to(result.html)): path.read_bytes()
        for path in result.html.rglob("*")
        if path.is_file()
    }


def copy_project(folder: Path) -> Path:
    """Copy what a build needs, links kept, so that a test may change it."""
    folder.mkdir()
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence of a text in a file, which must have one."""
    text = path.read_text("utf-8")
    assert old in text, f"{path} does not contain {old!r}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def copy_results(folder: Path, *, runs_too: bool = False) -> Path:
    """Copy a store, with its runs only linked, or copied for a test to add to."""
    shutil.copytree(store.root(), folder, ignore=shutil.ignore_patterns("runs", ".*", "*.lock"))
    if runs_too:
        for run in runs.load_all(recipes.course()):
            shutil.copytree(run.folder, folder / "runs" / run.key)
    else:
        (folder / "runs").symlink_to(store.root() / "runs")
    return folder


def stored_lessons(results: Path | None = None) -> dict[str, str]:
    """Return every lesson that was ever executed, by its key: what is new was executed."""
    return {
        path.parent.name: json.loads(path.read_text("utf-8")).get("lesson")
        for path in ((results or store.root()) / "lessons").glob("*/execution.json")
    }


def stored_runs(results: Path | None = None) -> set[str]:
    """Return the keys of all runs that were ever trained."""
    return {path.name for path in ((results or store.root()) / "runs").iterdir() if path.is_dir()}


def soup(page: Path) -> BeautifulSoup:
    """Return a page's parse tree."""
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")


@functools.cache
def parsed(page: Path) -> BeautifulSoup:
    """Return a page's parse tree, made once for the tests of a module: it is not to be changed."""
    return soup(page)
