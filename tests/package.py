"""The packages in a process of their own: as they ship, or as a changed copy."""

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
DATA = PACKAGE / "fashion_mnist"


def copy_package(folder: Path) -> Path:
    """Copy both packages' modules, link the data, and return the folder to import them from."""
    ignored = shutil.ignore_patterns("__pycache__", DATA.name)
    shutil.copytree(SOURCE, folder, ignore=ignored, dirs_exist_ok=True)
    copy = folder / PACKAGE.name / DATA.name
    copy.mkdir()
    for file in DATA.iterdir():
        (copy / file.name).symlink_to(file)
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
