"""The built site, as the tests read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup

from bnlab import store

ROOT = Path(__file__).parent.parent
PROJECT = (
    "_config.yml",
    "_toc.yml",
    "book",
    "lessons",
    "pyproject.toml",
    "requirements.txt",
    "src",
)
# A deprecated call of ours must show; those between our dependencies are theirs to mend.
MODULES = [
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    for path in sorted((ROOT / "src" / "bnlab").rglob("*.py"))
]
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Build(NamedTuple):
    """What a call of ``jupyter-book build book`` left behind."""

    html: Path
    status: int
    output: str


def build(
    project: Path, *options: str, source: Path | None = None, results: Path | None = None
) -> Build:
    """Build a checkout's site, with its own package or another, and with some store's results."""
    environment = os.environ | {
        "PYTHONPATH": str(source or project / "src"),
        store.FOLDER_VARIABLE: str(results or store.root()),
        "PYTHONWARNINGS": ",".join(f"default::DeprecationWarning:{name}" for name in MODULES),
    }
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "book", *options]
    result = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    output = _ANSI.sub("", result.stdout + result.stderr)
    return Build(project / "_build" / "html", result.returncode, output)


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


def copy_results(folder: Path) -> Path:
    """Copy a store's lessons and link its runs, so that a test may add to the copy."""
    shutil.copytree(store.root() / "lessons", folder / "lessons")
    (folder / "runs").symlink_to(store.root() / "runs")
    return folder


def stored_lessons(results: Path | None = None) -> set[str]:
    """Return the keys of all lessons that were ever executed: what is new was executed."""
    return {
        path.name for path in ((results or store.root()) / "lessons").iterdir() if path.is_dir()
    }


def stored_runs() -> set[str]:
    """Return the keys of all runs that were ever trained."""
    return {path.name for path in (store.root() / "runs").iterdir() if path.is_dir()}


def soup(page: Path) -> BeautifulSoup:
    """Return a page's parse tree."""
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")
