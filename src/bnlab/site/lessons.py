"""Execute the lessons before the pages are read, and only those whose results are stale.

A lesson's outputs are stored under the digest of its code cells, of every module of this
package that they import, directly or through others, and of the installed libraries.
Prose does not count: edit it, and no kernel starts. MyST-NB's own cache knows the cells
only, and would go on showing what an older module printed.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import functools
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbclient
import nbclient.exceptions
import nbformat
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from sphinx.util import logging
from tqdm import tqdm

from bnlab import data, recipes, runs, sources, store

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CELL_TIMEOUT = 900
"""Seconds that one cell may take before the build gives up."""

# Tags that change what executing a cell does.
_EXECUTION_TAGS = {"raises-exception", "skip-execution"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

_store = store.Store("lessons")
_log = logging.getLogger(__name__)


class LessonError(Exception):
    """A lesson failed; the message names the lesson, the cell and the error."""


class Execution(NamedTuple):
    """How a lesson was executed.

    Attributes
    ----------
    key : str
        Digest of all that the outputs depend on.
    seconds : float
        Wall time of all cells together, in seconds.
    finished : str
        ISO 8601, UTC.
    """

    key: str
    seconds: float
    finished: str


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # After MyST-NB has made its configuration (priority 500).
    app.connect("builder-inited", _prepare_or_stop, priority=900)
    app.connect("env-get-outdated", _outdated)


def executions(env: BuildEnvironment) -> dict[str, Execution]:
    """Return how each lesson of this build was executed, by document name."""
    return dict(env.bnlab_executions)  # type: ignore[attr-defined]


def read(text: str, *, path: str, key: str, config: MdParserConfig) -> nbformat.NotebookNode:
    """Return a lesson as a notebook with its stored outputs: MyST-NB's reader for it."""
    notebook = _parse(text, path, config)
    entry = _store.find(key)
    if entry is None:
        raise LessonError(f"The outputs of {path} vanished from {_store.folder} during the build.")
    outputs = json.loads((entry / "outputs.json").read_text("utf-8"))
    for cell, stored in zip(_code_cells(notebook), outputs, strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in stored["outputs"]]
        cell.execution_count = stored["execution_count"]
    return notebook


def lesson_key(notebook: nbformat.NotebookNode) -> str:
    """Return the digest of everything that a lesson's outputs depend on.

    Raises
    ------
    SyntaxError
        If a cell is not Python.
    """
    cells = [
        (cell.source, sorted(_EXECUTION_TAGS & set(cell.metadata.get("tags", []))))
        for cell in _code_cells(notebook)
    ]
    # IPython's own syntax (%magic, !command, name?) imports nothing of this package.
    code = "\n".join(
        line
        for source, _ in cells
        for line in source.splitlines()
        if not line.lstrip().startswith(("%", "!", "?")) and not line.rstrip().endswith("?")
    )
    modules = sorted(sources.imported(code))
    return sources.digest(
        json.dumps(cells),
        *(part for name in modules for part in (name, sources.path_of(name).read_bytes())),
        _environment(),
    )


@functools.cache
def _environment() -> str:
    installed = {
        (distribution.metadata["Name"], distribution.version)
        for distribution in importlib.metadata.distributions()
    }
    return json.dumps([platform.python_version(), sorted(installed)])


def _prepare_or_stop(app: Sphinx) -> None:
    """Prepare the lessons, or end the build with the one message that matters.

    Leaving Python is the only way past Jupyter Book's own report, which would bury the
    message under fifty lines of its own call stack.
    """
    try:
        _prepare(app)
    except (data.DataError, runs.TrainingError, store.StoreError, LessonError) as error:
        sys.exit(f"\n{type(error).__name__}: {error}")


def _prepare(app: Sphinx) -> None:
    """Train and execute what is stale, and let MyST-NB read the lessons from the store."""
    _check_checkout(app)
    env = app.env
    config = env.myst_config  # type: ignore[attr-defined]
    readers: dict[str, tuple[str, dict[str, Any], bool]] = {}
    keys: dict[str, str] = {}
    stale: dict[str, tuple[Path, nbformat.NotebookNode]] = {}
    for name in app.config.external_site_map:
        path = Path(env.doc2path(name))
        if path.suffix != ".md" or not path.is_file():
            continue
        text = path.read_text("utf-8")
        if not is_myst_markdown_notebook(text):
            continue
        notebook = _parse(text, str(path), config)
        try:
            keys[name] = lesson_key(notebook)
        except SyntaxError as error:
            raise LessonError(f"{name}: a cell is not Python: {error}") from error
        readers[str(path)] = (
            f"{__name__}.{read.__name__}",
            {"path": str(path), "key": keys[name], "config": config},
            False,
        )
        if _store.find(keys[name]) is None:
            stale[name] = (path, notebook)
    env.mystnb_config = env.mystnb_config.copy(custom_formats=readers)  # type: ignore[attr-defined]
    runs.load_all(recipes.course())
    if stale:
        _execute_all(stale, keys)
    env.bnlab_executions = {name: _execution(key) for name, key in keys.items()}  # type: ignore[attr-defined]


def _check_checkout(app: Sphinx) -> None:
    """Refuse to show this book with the results of another checkout's package."""
    source = Path(app.srcdir).resolve().parent / "src" / "bnlab"
    if source.is_dir() and source != sources.PACKAGE.resolve():
        raise LessonError(
            f"The installed package bnlab lies in {sources.PACKAGE}, not in this checkout, so its "
            "results would not be this book's. Install this one: pip install --no-deps -e ."
        )


def _outdated(_app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    """Name the lessons that show other outputs than the ones their key stands for now."""
    shown = getattr(env, "bnlab_shown", {})
    keys = {name: execution.key for name, execution in executions(env).items()}
    env.bnlab_shown = keys  # type: ignore[attr-defined]
    return [name for name, key in keys.items() if name in env.found_docs and shown.get(name) != key]


def _execution(key: str) -> Execution:
    entry = _store.find(key)
    if entry is None:
        raise LessonError(f"A lesson's outputs vanished from {_store.folder} during the build.")
    return Execution(key, **json.loads((entry / "execution.json").read_text("utf-8")))


def _execute_all(
    stale: dict[str, tuple[Path, nbformat.NotebookNode]], keys: dict[str, str]
) -> None:
    workers = min(len(stale), os.cpu_count() or 1)
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    progress = tqdm(total=len(stale), desc="Executing", unit="lesson", dynamic_ncols=True)
    with pool, progress:
        waiting = {
            pool.submit(
                _store.make, keys[name], functools.partial(_execute_into, name, path, notebook)
            ): name
            for name, (path, notebook) in stale.items()
        }
        for future in concurrent.futures.as_completed(waiting):
            try:
                future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            progress.set_postfix_str(waiting[future])
            progress.update()


def _execute_into(name: str, path: Path, notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Execute a lesson's cells and write their outputs into a folder."""
    started = time.perf_counter()
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        # The kernel warns of every connection over TCP, this one on loopback included.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    try:
        client.execute(env=_kernel_environment())
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
        for cell in _code_cells(notebook)
    ]
    (folder / "outputs.json").write_text(json.dumps(outputs, indent=1), "utf-8")
    execution = {
        "seconds": time.perf_counter() - started,
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    (folder / "execution.json").write_text(json.dumps(execution), "utf-8")


def _kernel_environment() -> dict[str, str]:
    paths = [str(sources.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        # The same digits on every machine of a kind, however many cores it has.
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "PYTHONHASHSEED": "0",
        # A reader's own Matplotlib settings or font cache must not change a figure.
        "MPLCONFIGDIR": str(store.root() / "matplotlib"),
        # A progress bar's last state is not a result.
        "TQDM_DISABLE": "1",
    }


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


def _parse(text: str, path: str, config: MdParserConfig) -> nbformat.NotebookNode:
    return read_myst_markdown_notebook(text, config=config, add_source_map=True, path=path)


def _code_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")
