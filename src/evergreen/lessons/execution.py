"""Execute stale lessons side by side, each in a kernel of its own, and store their outputs.

The first cell that fails ends all of them, so its message need not wait for the others.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbclient
import nbclient.exceptions
import nbformat

from evergreen import sources, store
from evergreen.errors import EvergreenError
from evergreen.progress import Progress

CELL_TIMEOUT = 900
"""Seconds that one cell may take before the build gives up."""

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class LessonError(EvergreenError):
    """A lesson failed; the message names the lesson, the cell and the error."""


class Stale(NamedTuple):
    """A lesson to execute: its document name, source file, notebook, and the outputs' key."""

    name: str
    path: Path
    notebook: nbformat.NotebookNode
    key: str


def code_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    """Return a notebook's code cells."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def execute_all(lessons: list[Stale], outputs: store.Store, packages: Iterable[str]) -> None:
    """Execute lessons, as many at a time as there are cores, and store what each shows.

    Parameters
    ----------
    lessons : list of Stale
    outputs : evergreen.store.Store
        Where to put what they show.
    packages : iterable of str
        Import packages that the kernels must find where this process does.

    Raises
    ------
    LessonError
        As soon as a cell fails, takes too long, or writes to stderr. What was executed
        until then is kept; the other kernels are ended.
    StoreError
        If the outputs cannot be kept.
    """
    environment = _kernel_environment(packages)
    kernels = _Kernels()
    pool = concurrent.futures.ThreadPoolExecutor(min(len(lessons), os.cpu_count() or 1))
    cells = sum(len(list(code_cells(lesson.notebook))) for lesson in lessons)
    with (
        pool,
        Progress(
            "Executing", total=cells, step="cell", parts=len(lessons), part="lesson"
        ) as progress,
    ):
        waiting = {
            pool.submit(
                outputs.make,
                lesson.key,
                functools.partial(_execute_into, lesson, kernels, environment),
            )
            # Later lessons compute more, and what takes long must not come last.
            for lesson in reversed(lessons)
        }
        try:
            while waiting:
                finished, waiting = concurrent.futures.wait(
                    waiting, timeout=0.5, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in finished:
                    future.result()
                progress.show(kernels.cells, len(lessons) - len(waiting), kernels.names())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            kernels.end()
            raise


class _Kernels:
    """The kernels at work, for the progress line and for ending them together."""

    def __init__(self) -> None:
        self.cells = 0
        self._lock = threading.Lock()
        self._running: dict[str, nbclient.NotebookClient] = {}
        self._ended = False

    def run(self, name: str, client: nbclient.NotebookClient, environment: dict[str, str]) -> None:
        """Execute a notebook, unless all were ended."""

        def count(**_: object) -> None:
            with self._lock:
                self.cells += 1

        def begin(**_: object) -> None:
            with self._lock:
                self._running[name] = client
                ended = self._ended
            if ended:
                self._kill(client)

        client.on_cell_executed = count
        client.on_notebook_start = begin
        try:
            client.execute(env=environment)
        finally:
            with self._lock:
                self._running.pop(name, None)

    def names(self) -> list[str]:
        """Return the names of the notebooks under way."""
        with self._lock:
            return sorted(self._running)

    def end(self) -> None:
        """Kill every kernel, and those that start later, with all that they have started."""
        with self._lock:
            self._ended = True
            clients = list(self._running.values())
        for client in clients:
            self._kill(client)

    def _kill(self, client: nbclient.NotebookClient) -> None:
        # Not through Jupyter's own ways, which ask the event loop of the client's thread.
        if client.km is not None and client.km.provisioner is not None:
            # It may have ended, or not begun.
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.killpg(client.km.provisioner.pid, signal.SIGKILL)


def _execute_into(
    lesson: Stale, kernels: _Kernels, environment: dict[str, str], folder: Path
) -> None:
    """Execute a lesson's cells and write their outputs into a folder."""
    started = time.perf_counter()
    name, notebook = lesson.name, lesson.notebook
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        # The kernel warns of every connection over TCP, this one on loopback included.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(lesson.path.parent)}},
        record_timing=False,
        # Else it depends on the moment whether a cell's text comes in one piece or in two.
        coalesce_streams=True,
        # By then all outputs are here, and TensorFlow takes a second to leave.
        shutdown_kernel="immediate",
    )
    try:
        # A killed kernel leaves its temporary files behind.
        with tempfile.TemporaryDirectory(prefix="evergreen-") as temporary:
            kernels.run(name, client, environment | {"TMPDIR": temporary})
    except nbclient.exceptions.CellExecutionError as error:
        raise LessonError(_failure(name, notebook, str(error))) from None
    except nbclient.exceptions.CellTimeoutError as error:
        raise LessonError(_failure(name, notebook, f"{error}")) from None
    except nbclient.exceptions.DeadKernelError as error:
        raise LessonError(_failure(name, notebook, f"The kernel died: {error}")) from None
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise LessonError(
                    f"{_place(name, notebook, index)} wrote to stderr, which a reader should "
                    f"never see:\n\n{cell.source}\n\n{output.text}"
                )
    outputs = [
        {"execution_count": cell.execution_count, "outputs": cell.outputs}
        for cell in code_cells(notebook)
    ]
    (folder / "outputs.json").write_text(json.dumps(outputs, indent=1), "utf-8")
    execution = {
        "lesson": name,
        "seconds": time.perf_counter() - started,
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    (folder / "execution.json").write_text(json.dumps(execution), "utf-8")


def _kernel_environment(packages: Iterable[str]) -> dict[str, str]:
    folders = (str(sources.root_of(package).parent) for package in packages)
    paths = [*dict.fromkeys(folders), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        store.FOLDER_VARIABLE: str(store.root()),
        # The same digits on every machine of a kind, however many cores it has.
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "MPLCONFIGDIR": str(_matplotlib_folder()),
        # A progress bar's last state is not a result.
        "TQDM_DISABLE": "1",
    }


def _matplotlib_folder() -> Path:
    """Return a folder with Matplotlib's list of fonts, and without a reader's own settings.

    Made beforehand and whole: a kernel that is killed while it writes the list would leave
    a lock behind, of which every later kernel would complain.
    """
    versions = sources.versions(["matplotlib"])

    def write(folder: Path) -> None:
        # By way of another folder, since of a full disk Matplotlib would only warn.
        with tempfile.TemporaryDirectory() as listed:
            subprocess.run(
                [sys.executable, "-c", "import matplotlib.font_manager"],
                env=os.environ | {"MPLCONFIGDIR": listed},
                capture_output=True,
                check=True,
            )
            for path in Path(listed).glob("*.json"):
                shutil.copyfile(path, folder / path.name)

    key = sources.digest(json.dumps(versions), sys.prefix)
    return store.Store("matplotlib").make(key, write)


def _failure(name: str, notebook: nbformat.NotebookNode, error: str) -> str:
    """Describe a failed cell: the one that was executed last."""
    index = max(
        (
            index
            for index, cell in enumerate(notebook.cells)
            if cell.cell_type == "code" and (cell.execution_count or cell.outputs)
        ),
        default=0,
    )
    return f"{_place(name, notebook, index)} failed:\n\n{_ANSI.sub('', error)}"


def _place(name: str, notebook: nbformat.NotebookNode, index: int) -> str:
    line = notebook.metadata.get("source_map", {index: 0})[index] + 1
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    return f"{name}.md, code cell {number} (line {line})"
