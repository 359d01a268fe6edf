"""How the build starts a lesson's kernel; :mod:`evergreen.lessons.kernel` is its program."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from evergreen.lessons import recorder, warm
from evergreen.lessons.keys import Project

# A socket's name has at most 103 bytes on macOS, and 107 on Linux.
_LONGEST = 100


class _OnlyKernel(KernelSpecManager):
    """Knows one kernel, whatever is installed on this machine under its name."""

    def __init__(self, program: list[str]) -> None:
        super().__init__()
        self._program = program

    def get_kernel_spec(self, _name: str) -> KernelSpec:
        # The kernel warns of every connection over TCP, one on loopback included.
        return KernelSpec(
            argv=[*self._program, "-f", "{connection_file}", "--log-level=ERROR"],
            display_name="Python 3",
            language="python",
        )


def manager(scratch: Path, warm_at: Path | None) -> AsyncKernelManager:
    """Return the manager of a new kernel.

    Parameters
    ----------
    scratch : pathlib.Path
        An empty folder for its connection. Sockets in the file system need no network, and
        nobody else can speak to them.
    warm_at : pathlib.Path or None
        Where it can be forked, see :mod:`evergreen.lessons.warm`.
    """
    plain = [sys.executable, "-m", warm.KERNEL]
    connection = scratch / "kernel.json"
    possible = sys.platform != "win32" and len(os.fsencode(connection)) < _LONGEST
    return AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=_OnlyKernel(warm.command(warm_at) if warm_at else plain),
        connection_file=str(connection),
        transport="ipc" if possible else "tcp",
    )


@contextlib.contextmanager
def lifeline() -> Iterator[int]:
    """Open a pipe whose end is the standard input of a kernel; when it closes, the kernel dies.

    It also closes when this process dies, in whatever way.
    """
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def variables(project: Project, scratch: Path) -> dict[str, str]:
    """Return the variables of one kernel: its folder, and what it is to note of a project."""
    return {
        "TMPDIR": str(scratch),
        "IPYTHONDIR": str(scratch / "ipython"),
        recorder.VARIABLE: recorder.describe(
            scratch / "records", project.roots.folders.values(), project.without
        ),
    }
