"""The package in a process of its own: as it ships, or as a changed copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from website import ROOT

SOURCE = ROOT / "src"
PACKAGE = SOURCE / "bnlab"


def copy_package(folder: Path) -> Path:
    """Copy the package's modules, link its data, and return the folder to import it from."""
    ignored = shutil.ignore_patterns("__pycache__", "fashion_mnist")
    copy = Path(shutil.copytree(PACKAGE, folder / "bnlab", ignore=ignored))
    (copy / "fashion_mnist").mkdir()
    for file in (PACKAGE / "fashion_mnist").iterdir():
        (copy / "fashion_mnist" / file.name).symlink_to(file)
    return folder


def start(
    code: str, *paths: Path, prefix: Sequence[str] = (), **environment: str | Path
) -> subprocess.Popen[str]:
    """Start a process that finds modules in some folders first, by default in ``src``.

    The prefix is a command that is given the process's own command to run.
    """
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", code],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(map(str, paths or (SOURCE,)))}
        | {name: str(value) for name, value in environment.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    """Wait for a process to succeed, and return what it printed."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return printed


def python(code: str, *paths: Path, **environment: str | Path) -> str:
    """Run a process as :func:`start` does, and return what it printed."""
    return output(start(code, *paths, **environment))
