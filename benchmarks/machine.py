"""The machine that is measured on, and a process as it looks from outside."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bnlab import runs

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results.json"


class BenchmarkError(Exception):
    """Something that was to be measured did not work; the message says what, and how."""


class Measured(NamedTuple):
    """A process that succeeded.

    Attributes
    ----------
    seconds : float
        Wall time from start to end.
    cpu_seconds : float
        Of it and of the processes that it waited for.
    peak_gib : float
        Peak memory of the largest single one of these processes. A process starts out with
        the peak of the one that starts it, so measure from a small one.
    output : str
        What it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_gib: float
    output: str


def measure(
    command: Sequence[str | Path], folder: Path = ROOT, **environment: str | Path
) -> Measured:
    """Run a command in a folder, with more environment variables, and measure it.

    Raises
    ------
    BenchmarkError
        If it ends with another status than 0. The message has the end of what it wrote.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=os.environ | {name: str(value) for name, value in environment.items()},
            stdout=output,
            stderr=errors,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            said = (output.read() + errors.read())[-3000:]
            raise BenchmarkError(
                f"`{' '.join(map(str, command))}` ended with {process.returncode}:\n{said}"
            )
        return Measured(
            seconds,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 2**20,  # Linux counts it in KiB
            output.read(),
        )


def about() -> dict[str, Any]:
    """Describe when and on what something is measured; names neither host nor folder."""
    pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "commit": _commit(),
        "processor": runs.processor(),
        "memory_gib": round(pages * page_size / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # The results are written while we measure: they do not count as a change.
        changed = git("status", "--porcelain", "--", ":/", f":!{RESULTS.relative_to(ROOT)}")
        return git("rev-parse", "HEAD") + (" with uncommitted changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown (not a git checkout)"


def limit(what: str, value: float, at_most: float, unit: str) -> dict[str, Any]:
    """Hold a value against a limit."""
    return {
        "what": what,
        "value": value,
        "at_most": at_most,
        "unit": unit,
        "kept": value <= at_most,
    }
