"""Execute the lessons before the pages are read, and only those whose results are stale.

A lesson's outputs are stored under the digest of its code cells, of every module of the
book's packages that they import, directly or through others, and of the installed libraries.
Prose does not count: edit it, and no kernel starts. MyST-NB's own cache knows the cells
only, and would go on showing what an older module printed.
"""

from __future__ import annotations

import functools
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from evergreen import sources, store
from evergreen.errors import EvergreenError
from evergreen.lessons import execution
from evergreen.lessons.execution import LessonError
from evergreen.state import Kept

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

# Tags that change what executing a cell does.
_EXECUTION_TAGS = {"raises-exception", "skip-execution"}

_store = store.Store("lessons")


class Code(NamedTuple):
    """What a lesson's outputs depend on, of all that stands in its file.

    Attributes
    ----------
    cells : list of tuple
        Each code cell's source and those of its tags that change its execution.
    files : list of str
        Further files that the cells read, relative to the lesson's folder. The front matter
        names them: ``evergreen: files: []``.
    """

    cells: list[tuple[str, list[str]]]
    files: list[str]


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


EXECUTIONS: Kept[dict[str, Execution]] = Kept("executions")
"""How each lesson was executed, by document name."""

_CODES: Kept[dict[str, Code]] = Kept("codes")
_KEYS: Kept[dict[str, str]] = Kept("keys")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_event("evergreen-prepare")
    # After MyST-NB has made its configuration (priority 500).
    app.connect("builder-inited", _prepare_or_stop, priority=900)
    app.connect("env-get-outdated", _outdated)


class Lessons:
    """The lessons of a build, for those who prepare something for them.

    Parameters
    ----------
    modules : mapping of str to set of str
        The modules that each lesson imports, directly or through others, by document name.
    """

    def __init__(self, modules: Mapping[str, set[str]]) -> None:
        self._modules = modules

    def importing(self, module: str) -> list[str]:
        """Return the names of the lessons that import a module, directly or through others."""
        return [name for name, modules in self._modules.items() if module in modules]


def read(text: str, *, path: str, key: str, config: MdParserConfig) -> nbformat.NotebookNode:
    """Return a lesson as a notebook with its stored outputs: MyST-NB's reader for it."""
    notebook = _parse(text, path, config)
    for cell, stored in zip(execution.code_cells(notebook), outputs(key), strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in stored["outputs"]]
        cell.execution_count = stored["execution_count"]
    return notebook


def outputs(key: str) -> list[dict[str, Any]]:
    """Return the ``outputs`` and the ``execution_count`` of each code cell, from the store."""
    return json.loads((_entry(key) / "outputs.json").read_text("utf-8"))


def lesson_key(code: Code, folder: Path, packages: Iterable[str]) -> str:
    """Return the digest of everything that a lesson's outputs depend on.

    Parameters
    ----------
    code : Code
    folder : pathlib.Path
        The lesson's folder.
    packages : iterable of str
        The import packages whose modules count.

    Raises
    ------
    SyntaxError
        If a cell is not Python.
    OSError
        If a named file cannot be read.
    """
    modules = _imported(code, packages)
    read = {name: sources.path_of(name) for name in sorted(modules)}
    read |= {name: folder / name for name in code.files}
    return sources.digest(
        json.dumps(code.cells),
        *(part for name, path in read.items() for part in (name, path.read_bytes())),
        sources.module_digest(execution.__name__),
        _environment(),
    )


def _imported(code: Code, packages: Iterable[str]) -> set[str]:
    # IPython's own syntax (%magic, !command, name?) imports nothing of these packages.
    return sources.imported(
        "\n".join(
            line
            for source, _ in code.cells
            for line in source.splitlines()
            if not line.lstrip().startswith(("%", "!", "?")) and not line.rstrip().endswith("?")
        ),
        packages,
    )


@functools.cache
def _environment() -> str:
    # The folder of an installed distribution's metadata is named after it and its version.
    # Reading the metadata of them all would take half a second of every build.
    installed = {path.name for folder in sys.path for path in Path(folder).glob("*-info")}
    return json.dumps([platform.python_version(), sorted(installed)])


def _prepare_or_stop(app: Sphinx) -> None:
    """Prepare the lessons, or end the build with the one message that matters.

    Leaving Python is the only way past Jupyter Book's own report, which would bury the
    message under fifty lines of its own call stack.
    """
    try:
        _prepare(app)
    except EvergreenError as error:
        sys.exit(f"\n{type(error).__name__}: {error}")


def _prepare(app: Sphinx) -> None:
    """Train and execute what is stale, and let MyST-NB read the lessons from the store."""
    _check_checkout(app)
    env, packages = app.env, app.config.evergreen_packages
    config = env.myst_config  # type: ignore[attr-defined]
    readers: dict[str, tuple[str, dict[str, Any], bool]] = {}
    keys: dict[str, str] = {}
    stale: list[execution.Stale] = []
    # Parsing the lessons takes a while, so a build keeps what it found in them.
    remembered = _CODES.read(env, {})
    codes: dict[str, Code] = {}
    modules: dict[str, set[str]] = {}
    for name in app.config.external_site_map:
        # Sphinx itself does not know a new page's file yet.
        path = Path(app.srcdir) / f"{name.removesuffix('.md')}.md"
        if not path.is_file():
            continue
        text = path.read_text("utf-8")
        if not is_myst_markdown_notebook(text):
            continue
        text_key = sources.digest(text)
        code = remembered.get(text_key) or _code(_parse(text, str(path), config))
        codes[text_key] = code
        try:
            keys[name] = lesson_key(code, path.parent, packages)
            modules[name] = _imported(code, packages)
        except SyntaxError as error:
            raise LessonError(f"{name}: a cell is not Python: {error}") from error
        except OSError as error:
            raise LessonError(
                f"{name}: a file that its front matter names cannot be read: {error}"
            ) from error
        readers[str(path)] = (
            f"{__name__}.{read.__name__}",
            {"path": str(path), "key": keys[name], "config": config},
            False,
        )
        if _store.find(keys[name]) is None:
            notebook = _parse(text, str(path), config)
            stale.append(execution.Stale(name, path, notebook, keys[name]))
    _CODES.write(env, codes)
    env.mystnb_config = env.mystnb_config.copy(custom_formats=readers)  # type: ignore[attr-defined]
    app.emit("evergreen-prepare", Lessons(modules), allowed_exceptions=(EvergreenError,))
    if stale:
        execution.execute_all(stale, _store, packages)
    EXECUTIONS.write(env, {name: _execution(key) for name, key in keys.items()})


def _check_checkout(app: Sphinx) -> None:
    """Refuse to show this book with the results of another checkout's package."""
    for package in app.config.evergreen_packages:
        own = Path(app.srcdir).resolve().parent / "src" / package
        used = sources.root_of(package)
        if own.is_dir() and own != used.resolve():
            raise LessonError(
                f"The installed package {package} lies in {used}, not in this checkout, so its "
                "results would not be this book's. Install this one: pip install --no-deps -e ."
            )


def _outdated(_app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    """Name the lessons that show other outputs than the ones their key stands for now."""
    shown = _KEYS.read(env, {})
    keys = {name: execution.key for name, execution in EXECUTIONS.of(env).items()}
    _KEYS.write(env, keys)
    return [name for name, key in keys.items() if name in env.found_docs and shown.get(name) != key]


def _execution(key: str) -> Execution:
    stored = json.loads((_entry(key) / "execution.json").read_text("utf-8"))
    return Execution(key, stored["seconds"], stored["finished"])


def _entry(key: str) -> Path:
    entry = _store.find(key)
    if entry is None:
        raise LessonError(f"A lesson's outputs vanished from {_store.folder} during the build.")
    return entry


def _code(notebook: nbformat.NotebookNode) -> Code:
    cells = [
        (cell.source, sorted(_EXECUTION_TAGS & set(cell.metadata.get("tags", []))))
        for cell in execution.code_cells(notebook)
    ]
    return Code(cells, list(notebook.metadata.get("evergreen", {}).get("files", [])))


def _parse(text: str, path: str, config: MdParserConfig) -> nbformat.NotebookNode:
    return read_myst_markdown_notebook(text, config=config, add_source_map=True, path=path)
