"""Execute the lessons before the pages are read, and only those whose results are stale.

MyST-NB's own cache knows the cells only, and would go on showing what an older module printed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from evergreen import checkout, sources, store, timeline
from evergreen.errors import EvergreenError
from evergreen.lessons import cleanroom, contents, failures, folds
from evergreen.lessons.cells import Code, code_of, has_ipython_syntax
from evergreen.lessons.keys import OUTPUTS, Lesson, Project
from evergreen.lessons.outputs import prepare
from evergreen.lessons.reading import (
    Document,
    Formats,
    LessonError,
    code_cells,
    documents,
    embed_attachments,
)
from evergreen.sources import Codebase, Found
from evergreen.state import Kept, watch_each
from evergreen.stopping import stopping

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config


_log = logging.getLogger(__name__)


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

FILES: Kept[dict[str, list[str]]] = Kept("files of lessons")
"""The files of the project that each lesson reads besides packages, from the lesson's folder."""

NOW: Kept[dict[str, str]] = Kept("lessons now")
"""Digests of what each lesson's outputs and its cells' options give to pages."""

# Parsing lessons and following code takes a while, so a build keeps what it has found. None
# stands for a document that is no lesson.
_CODES: Kept[dict[str, Code | None]] = Kept("codes")
_USES: Kept[dict[str, Found]] = Kept("what code uses")
_LEFT_OUT: Kept[list[str]] = Kept("lessons left out")
# Digests of what the lessons' pages showed besides their own files, as they were written.
_SHOWN: Kept[dict[str, str]] = Kept("lessons shown")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_event("evergreen-prepare")
    app.connect("config-inited", _leave_execution_to_us)
    # After MyST-NB has made its configuration (priority 500).
    app.connect("builder-inited", _prepare, priority=900)
    watch_each(app, _SHOWN, lambda app: NOW.of(app.env))


class Lessons:
    """The lessons of a build, for those who prepare something for them.

    Parameters
    ----------
    project : Project
    lessons : sequence of Lesson

    Attributes
    ----------
    left_out : dict of str to str
        Lessons that this build leaves out, with the reason.
    """

    def __init__(self, project: Project, lessons: Sequence[Lesson]) -> None:
        self._project = project
        self._lessons = lessons
        self.left_out: dict[str, str] = {}

    def leave_out(self, name: str, why: str) -> None:
        """Leave a lesson out of this build, as if the contents did not name it.

        Parameters
        ----------
        name : str
            Its document name.
        why : str
            For the build's log.
        """
        self.left_out[name] = why

    def programs(self) -> dict[str, str]:
        """Return the cells of each lesson as one Python program, by the lesson's name."""
        return {lesson.document.name: lesson.code.script for lesson in self._lessons}

    def importing(self, module: str) -> list[str]:
        """Return the names of the lessons that import a module, directly or through others."""
        path = self._project.find(module)
        return [lesson.document.name for lesson in self._lessons if path in lesson.depends.modules]


def read(
    text: str, *, name: str, path: str, key: str, formats: Formats, display_lines: int
) -> nbformat.NotebookNode | None:
    """Return a lesson as a notebook with its stored outputs: MyST-NB's reader for it."""
    document = Document(name, Path(path), text)
    notebook = formats.parse(document)
    if notebook is None:
        raise LessonError(f"{document.file} changed while the book was built. Build again.")
    for cell, stored in zip(code_cells(notebook), outputs(key), strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in stored["outputs"]]
        cell.execution_count = stored["execution_count"]
    embed_attachments(notebook)
    if has_ipython_syntax(notebook):
        # As a kernel says of itself; for Python, such a cell is full of errors.
        notebook.metadata.language_info = nbformat.from_dict(
            {"name": "python", "pygments_lexer": "ipython3"}
        )
    failures.refuse_stderr(document, notebook, formats)
    for cell in code_cells(notebook):
        cell.outputs = [output for output in cell.outputs if not failures.is_stderr(output)]
    prepare(document, notebook)
    folds.fold(notebook, display_lines)
    return notebook


def outputs(key: str) -> list[dict[str, Any]]:
    """Return the ``outputs`` and the ``execution_count`` of each code cell, from the store."""
    return json.loads((_entry(key) / "outputs.json").read_text("utf-8"))


def _leave_execution_to_us(app: Sphinx, config: Config) -> None:
    with stopping():
        _refuse_settings(config)
    config.nb_execution_mode = "off"
    # As Jupyter shows an output's Markdown: with formulas and tables.
    if "nb_render_markdown_format" not in config.overrides:
        config.nb_render_markdown_format = "myst"
    for name in ("code-cell", "raw-cell"):
        app.add_directive(name, Misplaced, override=True)


def _refuse_settings(config: Config) -> None:
    for name, here in (("excludepatterns", "exclude_patterns"), ("in_temp", "run_in_temp")):
        if config[f"nb_execution_{name}"]:
            raise LessonError(
                f"_config.yml sets {here} for executing (execute: {here}:), which has no effect: "
                "every lesson is executed in its own folder, so that it shows what its code gives. "
                "Take the setting out; a cell with the tag skip-execution is not executed."
            )


class Misplaced(SphinxDirective):
    """A code cell where MyST-NB takes none for a cell, and would leave it out."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Refuse it."""
        file = self.env.doc2path(self.env.docname, base=False)
        raise LessonError(
            f"{file}, line {self.lineno}: This code cell is not executed. A cell must not stand "
            "inside another directive, a list or a quotation, and its file must begin with the "
            "front matter of a lesson (file_format: mystnb). To put cells into an exercise or a "
            "solution, use {exercise-start} or {solution-start}; to show a result in another "
            "directive, glue it in a cell before, and write {glue:} there."
        )


@stopping()
def _prepare(app: Sphinx) -> None:
    """Execute what is stale, and let MyST-NB read the lessons from the store."""
    cleanroom.remove_abandoned(_built(app))
    env: Any = app.env
    sources.recall(_USES.read(env, {}))
    aside = tuple(sorted(app.config.evergreen_aside.items()))
    project, formats = _project(app), Formats(env.myst_config, env.mystnb_config, aside)
    lessons = _lessons(app, project, formats)
    prepared = Lessons(project, lessons)
    keys = {lesson.document.name: lesson.depends.key for lesson in lessons}
    stale = [lesson for lesson in lessons if OUTPUTS.find(lesson.depends.key) is None]
    last = _LEFT_OUT.read(env, [])
    likely = [lesson for lesson in stale if lesson.document.name not in last]
    with contextlib.ExitStack() as kernels:
        warm_at = None
        # A single lesson would wait for what it may not need.
        if len(likely) > 1:
            # It takes a while to load, and most builds execute nothing.
            from evergreen.lessons.execution import warmed

            warm_at = kernels.enter_context(warmed(project, _built(app)))
        app.emit("evergreen-prepare", prepared, allowed_exceptions=(EvergreenError,))
        for name, why in prepared.left_out.items():
            contents.leave_out(app, name)
            keys.pop(name, None)
            _log.info("%s is left out of this build: %s", name, why)
        if stale := [lesson for lesson in stale if lesson.document.name in keys]:
            from evergreen.lessons.execution import execute_all

            note = functools.partial(timeline.note, app, timeline.EXECUTING)
            keys |= execute_all(stale, project, formats, _built(app), note, warm_at)
    _LEFT_OUT.write(env, sorted(prepared.left_out))
    lessons = [lesson for lesson in lessons if lesson.document.name in keys]
    readers = {
        str(lesson.document.path): formats.reader(
            f"{__name__}.{read.__name__}",
            lesson.document,
            key=keys[lesson.document.name],
            display_lines=app.config.evergreen_display_lines,
        )
        for lesson in lessons
    }
    env.mystnb_config = formats.notebooks.copy(
        custom_formats=formats.notebooks.custom_formats | readers
    )
    _USES.write(env, sources.remembered())
    shown = {lesson.document.name: lesson.code.shown for lesson in lessons}
    files = {it.document.name: project.files_of(it, keys[it.document.name]) for it in lessons}
    FILES.write(env, files)
    EXECUTIONS.write(env, {name: _execution(key) for name, key in keys.items()})
    NOW.write(env, {name: sources.digest(key, shown[name]) for name, key in keys.items()})


def _lessons(app: Sphinx, project: Project, formats: Formats) -> list[Lesson]:
    """Return the book's lessons."""
    remembered = _CODES.read(app.env, {})
    codes: dict[str, Code | None] = {}
    lessons = []
    # What an earlier state of the engine has found in a text may be found otherwise now.
    found_by = sources.digest(formats.digest, Codebase(["evergreen"]).state(), *project.packages)
    for document in documents(app):
        text = sources.digest(document.path.suffix, document.text, found_by)
        code = remembered.get(text)
        if text not in remembered or (code and code.loads_code):
            notebook = formats.parse(document)
            code = code_of(document, notebook, formats, project.packages) if notebook else None
        codes[text] = code
        if code:
            lessons.append(Lesson(document, code, project.depends(document, code)))
    _CODES.write(app.env, codes)
    return lessons


def _project(app: Sphinx) -> Project:
    """Return the book's project, as the build has it.

    Raises
    ------
    LessonError
        If this book would be shown with the results of another checkout's package.
    """
    folder, packages = checkout.folder(app), app.config.evergreen_packages
    for package in packages:
        own, used = folder / "src" / package, sources.root_of(package)
        if own.is_dir() and own != used.resolve():
            raise LessonError(
                f"The installed package {package} lies in {used}, not in this checkout, so its "
                "results would not be this book's. Install this one: pip install --no-deps -e ."
            )
    environment = app.config.evergreen_environment
    return Project(
        folder,
        packages,
        {name: value if value is None else str(value) for name, value in environment.items()},
        without=[_built(app), store.root(), folder / ".git"],
        distributions=[app.config.evergreen_distribution],
        preloaded=_preloaded(app.config, folder),
    )


def _preloaded(config: Config, project: Path) -> list[str]:
    """Return the modules that kernels begin with."""
    for name in config.evergreen_preload:
        package = name.partition(".")[0]
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise LessonError(
                f"The setting evergreen_preload names {name}, which is not installed. Install "
                "it, or take it out."
            )
        file = Path(spec.origin or "").resolve()
        if package in (*config.evergreen_packages, "evergreen") or (
            file.is_relative_to(project.resolve())
            and not file.is_relative_to(sysconfig.get_path("purelib"))
        ):
            raise LessonError(
                f"The setting evergreen_preload names {name}, which is the book's own code, and "
                "a build has to see which lesson loads that. Name installed libraries only."
            )
    return list(config.evergreen_preload)


def _built(app: Sphinx) -> Path:
    """Return the folder of what builds have made."""
    return Path(app.doctreedir).parent


def _execution(key: str) -> Execution:
    stored = json.loads((_entry(key) / "execution.json").read_text("utf-8"))
    return Execution(key, stored["seconds"], stored["finished"])


def _entry(key: str) -> Path:
    entry = OUTPUTS.find(key)
    if entry is None:
        raise LessonError(f"A lesson's outputs vanished from {OUTPUTS.folder} during the build.")
    return entry
