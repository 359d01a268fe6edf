"""Execute stale lessons side by side, each in a kernel of its own, and store their outputs.

The first cell that fails ends all of them, so its message need not wait for the others. A false
claim does not: other data or another network may make many false, and an author wants them all.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from jupyter_client.manager import AsyncKernelManager
from sphinx.util import logging

from evergreen.claims import ClaimError
from evergreen.lessons import cleanroom, failures, kernels, recorder, streams, warm
from evergreen.lessons.keys import OUTPUTS, Lesson, Project
from evergreen.lessons.reading import Document, Formats, LessonError, code_cells, option
from evergreen.progress import Progress

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def warmed(project: Project, built: Path) -> Iterator[Path | None]:
    """Load what lessons load in a process that kernels can be forked from, if that is possible.

    It loads beside what the block does first.

    Parameters
    ----------
    project : Project
    built : pathlib.Path
        The folder of what builds of the book have made.

    Yields
    ------
    pathlib.Path or None
        Where kernels are forked, see :mod:`evergreen.lessons.warm`.
    """
    with cleanroom.scratch(built) as scratch:
        if not warm.possible(scratch):
            yield None
            return
        environment = cleanroom.environment(project.environment, project.packages)
        with (
            kernels.lifeline() as stdin,
            warm.loaded(scratch, project.preloaded, environment, stdin) as warm_at,
        ):
            yield warm_at


def execute_all(
    lessons: list[Lesson],
    project: Project,
    formats: Formats,
    built: Path,
    note: Callable[[str, float, float], None],
    warm_at: Path | None,
) -> dict[str, str]:
    """Execute lessons, as many at a time as there are cores, and store what each shows.

    Parameters
    ----------
    lessons : list of Lesson
    project : Project
    formats : Formats
    built : pathlib.Path
        The folder of what builds of the book have made.
    note : callable
        Told of each lesson when it ran: name, begin and end in seconds since 1970.
    warm_at : pathlib.Path or None
        Where kernels can be forked, see :func:`warmed`.

    Returns
    -------
    dict of str to str
        The key of each lesson's outputs, by document name.

    Raises
    ------
    LessonError
        As soon as a cell fails, takes too long, or writes to stderr. What was executed
        until then is kept; the other kernels are ended. If claims are false, once all lessons
        are executed; the others are kept.
    StoreError
        If the outputs cannot be kept.
    """
    work = _Work(project, formats, built, note, warm_at)
    cells = sum(len(lesson.code.cells) for lesson in lessons)
    with (
        concurrent.futures.ThreadPoolExecutor(min(len(lessons), os.cpu_count() or 1)) as pool,
        Progress(
            "Executing", total=cells, step="cell", parts=len(lessons), part="lesson"
        ) as progress,
    ):
        # Later lessons compute more, and what takes long must not come last.
        futures = {pool.submit(work.execute, lesson): lesson for lesson in reversed(lessons)}
        waiting = set(futures)
        false: dict[str, list[str]] = {}
        try:
            while waiting:
                finished, waiting = concurrent.futures.wait(
                    waiting, timeout=0.5, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in finished:
                    try:
                        future.result()
                    except failures.FalseClaimsError as error:
                        false[futures[future].document.name] = error.claims
                progress.show(work.cells, len(lessons) - len(waiting), work.names())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            work.end()
            raise
    if false:
        in_order = [false.get(lesson.document.name, []) for lesson in lessons]
        raise failures.of_claims([claim for claims in in_order for claim in claims])
    return {lesson.document.name: future.result() for future, lesson in futures.items()}


def kept(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """Return what is stored of an executed notebook: each code cell's count and outputs."""
    return [
        {"execution_count": cell.execution_count, "outputs": cell.outputs}
        for cell in code_cells(notebook)
    ]


class _Work:
    """The kernels at work, for the progress line and for ending them together."""

    def __init__(
        self,
        project: Project,
        formats: Formats,
        built: Path,
        note: Callable[[str, float, float], None],
        warm_at: Path | None,
    ) -> None:
        self.cells = 0
        self._project = project
        self._formats = formats
        self._environment = cleanroom.environment(project.environment, project.packages)
        self._built = built
        self._note = note
        self._lock = threading.Lock()
        self._running: dict[str, nbclient.NotebookClient] = {}
        self._ended = False
        self._warm_at = warm_at

    def names(self) -> list[str]:
        """Return the names of the lessons under way."""
        with self._lock:
            return sorted(self._running)

    def end(self) -> None:
        """Kill every kernel, and those that start later, with all that they have started."""
        with self._lock:
            self._ended = True
            clients = list(self._running.values())
        for client in clients:
            _kill(client)

    def execute(self, lesson: Lesson) -> str:
        """Execute a lesson, store what it shows, and return under which key."""
        started, began = time.perf_counter(), time.time()
        document = lesson.document
        notebook = self._formats.parse(document)
        records: list[recorder.Record] = []
        mentioned = self._project.mentioned(lesson)
        if any(lesson.code.cells):
            records = self._run(document, notebook, self._warm_at)
            variables = [item.path for item in records if item.kind == recorder.SET]
            if variables and self._warm_at is not None:
                # Maybe for what it then loads, which was loaded already.
                _log.info(
                    "%s sets %s, so it is executed again in a kernel that has loaded nothing.",
                    document.file,
                    ", ".join(variables),
                )
                notebook = self._formats.parse(document)
                records = self._run(document, notebook, None)
            records = [item for item in records if item.kind != recorder.SET]
            # What a command has written it did not read.
            records += [file for file in mentioned if file.state == recorder.state(file.path)]
            failures.refuse_false_claims(document, notebook)
            failures.refuse_stderr(document, notebook, self._formats)
        failures.refuse_changed(document, records)
        if self._project.depends(document, lesson.code).first != lesson.depends.first:
            raise LessonError(
                f"Code that {document.file} uses changed while it was executed. Build again."
            )
        key = self._project.note(lesson, records)
        execution = {
            "lesson": document.name,
            "seconds": time.perf_counter() - started,
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

        def write(folder: Path) -> None:
            (folder / "outputs.json").write_text(json.dumps(kept(notebook), indent=1), "utf-8")
            (folder / "execution.json").write_text(json.dumps(execution), "utf-8")

        OUTPUTS.make(key, write)
        self._note(document.name, began, time.time())
        return key

    def _run(
        self, document: Document, notebook: nbformat.NotebookNode, warm_at: Path | None
    ) -> list[recorder.Record]:
        """Execute a notebook, and return what its kernel has recorded."""
        with cleanroom.scratch(self._built) as scratch:
            self._run_in(document, notebook, scratch, kernels.manager(scratch, warm_at))
            return recorder.read(scratch / "records")

    def _run_in(
        self,
        document: Document,
        notebook: nbformat.NotebookNode,
        scratch: Path,
        manager: AsyncKernelManager,
    ) -> None:
        seconds = self._formats.time_limit(document, notebook)
        client = nbclient.NotebookClient(
            notebook,
            km=manager,
            timeout=seconds,
            startup_timeout=600,  # on a machine that is busy
            allow_errors=option(
                notebook,
                "execution_allow_errors",
                self._formats.notebooks.execution_allow_errors,
            ),
            allow_error_names=[ClaimError.__name__],  # see failures.refuse_false_claims
            resources={"metadata": {"path": str(document.folder)}},
            record_timing=False,
            # By then all outputs are here, and TensorFlow takes a second to leave.
            shutdown_kernel="immediate",
        )
        at_work = failures.AtWork(document, notebook, seconds)

        def begin(**_: object) -> None:
            with self._lock:
                self._running[document.name] = client
                ended = self._ended
            if ended:
                _kill(client)

        def count(**_: object) -> None:
            with self._lock:
                self.cells += 1

        client.on_notebook_start = begin
        client.on_cell_execute = at_work.begin
        client.on_cell_executed = count
        environment = self._environment | kernels.variables(self._project, scratch)
        try:
            with at_work, kernels.lifeline() as stdin:
                client.execute(cleanup_kc=True, env=environment, stdin=stdin)
            for cell in code_cells(notebook):
                cell.outputs = streams.merged(cell.outputs)
        finally:
            client.km = manager  # nbclient asks it again as Python ends
            with self._lock:
                self._running.pop(document.name, None)


def _kill(client: nbclient.NotebookClient) -> None:
    # Not through Jupyter's own ways, which ask the event loop of the client's thread.
    if client.km is not None and client.km.provisioner is not None:
        # It may have ended, or not begun.
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.killpg(client.km.provisioner.pid, signal.SIGKILL)
