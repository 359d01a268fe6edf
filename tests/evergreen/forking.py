"""A process that has imported what every build needs, and forks for each build it is asked for.

Importing Sphinx and its extensions costs twice what a build with nothing to do costs else.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "src"
PROGRAM = Path(sys.executable).with_name("jupyter-book")
LOADED = (
    "jupyter_book.cli.main",
    "jupyter_book.sphinx",
    "myst_nb.sphinx_ext",
    "sphinx.builders.html",
    "sphinx_book_theme",
    "sphinx_comments",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_external_toc",
    "sphinx_jupyterbook_latex",
    "sphinx_thebe",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
)
"""What a build imports whatever the book says; all else is imported as ever."""


class Builder:
    """Runs ``jupyter-book`` as often as asked, one run at a time.

    The runs share what Python draws once for a process, the order of sets among it.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            env=os.environ | {"PYTHONPATH": str(ENGINE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> tuple[int, str]:
        """Run ``jupyter-book`` in a folder.

        Returns
        -------
        tuple of int and str
            Its exit status, and what it printed, stdout and stderr.
        """
        printed = folder.parent / f"{folder.name}.printed"
        asked = json.dumps([list(arguments), str(folder), dict(environment), str(printed)])
        print(asked, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline()), printed.read_text("utf-8")


@functools.cache
def builder() -> Builder:
    """Return this process's builder, which ends with it."""
    return Builder()


def serve() -> None:
    """Fork for each line of the input, and say how that ended."""
    engine = importlib.import_module("evergreen")
    parts = [part.name for part in pkgutil.walk_packages(engine.__path__, "evergreen.")]
    for module in (*LOADED, *parts):
        importlib.import_module(module)
    gc.freeze()  # A collection in a child would copy what it looks at.
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(*json.loads(line))
            break
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(arguments: list[str], folder: str, environment: dict[str, str], printed: str) -> None:
    """Be what the command is that somebody types, from here on."""
    for target, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        source = os.open(path, flags, 0o644)
        os.dup2(source, target)
        os.close(source)
    os.dup2(1, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.argv = [str(PROGRAM), *arguments]
    importlib.import_module("jupyter_book.cli.main").main()


if __name__ == "__main__":
    serve()
