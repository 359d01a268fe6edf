"""A kernel that was forked from a process with loaded libraries is like any other kernel."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from pathlib import Path

import psutil
import pytest
from tinybook import TinyBook

from evergreen.lessons import warm

CELL = "\n```{code-cell} ipython3"
SURROUNDINGS = f"""{CELL}
---
mystnb:
  image:
    alt: A rising line.
---
import os
import sys
import tempfile

import matplotlib.pyplot as plt

print(sorted(os.environ), len(sys.path), sys.path.index(""), sys.flags)
print(__name__, os.getpgrp() == os.getpid())
print(os.path.samefile(tempfile.gettempdir(), os.environ["TMPDIR"]), plt.get_backend())
print(sys.stdin.read(), sorted(name for name in globals() if name[0] != "_"))
_ = plt.plot([1, 2])
```
"""
KIND = "print('of', sys.orig_argv[2].rpartition('.')[2])\n```\n"
# What it chooses, the library reads when it is loaded.
CHOOSES = f"""{CELL}
import inspect
import os
import sys

os.environ["TQDM_DESC"] = "chosen"
from tqdm import tqdm

print(inspect.signature(tqdm.__init__).parameters["desc"].default)
{KIND}"""
SHADOWED = f"{CELL}\nimport sys\n\nimport tinycss2\n\nprint(tinycss2.mine)\n{KIND}"

LINE = "    language: en\n"


def add(book: TinyBook, lesson: str, cell: str) -> None:
    with book.path(f"lessons/{lesson}.md").open("a") as file:
        file.write(cell)


def shown(book: TinyBook, lesson: str) -> str:
    """Return what a lesson's page shows, without what the site puts around it."""
    return book.read(f"_build/html/lessons/{lesson}.html").split("<article")[1]


def test_a_forked_kernel_has_the_surroundings_of_any_other(book: TinyBook, tmp_path: Path) -> None:
    alone = TinyBook(tmp_path / "alone", book.store)
    for one in (alone, book):
        add(one, "chances", SURROUNDINGS)
    add(book, "walks", f"{CELL}\nimport sys\n\n{KIND}")
    assert alone.update().executed == ["lessons/chances"]
    assert book.update().executed == ["lessons/chances", "lessons/walks"]
    assert "of warm" in shown(book, "walks")
    assert shown(book, "chances") == shown(alone, "chances")


def test_what_a_lesson_decides_before_it_loads_a_library_counts(book: TinyBook) -> None:
    book.replace("_config.yml", LINE, f"{LINE}    evergreen_preload: [tqdm, tinycss2]\n")
    add(book, "chances", CHOOSES)
    add(book, "walks", f"{CELL}\nimport sys\n\n{KIND}")
    log = book.update().output
    assert "lessons/chances.md sets TQDM_DESC, so it is executed again" in log
    assert "chosen\nof kernel" in shown(book, "chances")
    assert "of warm" in shown(book, "walks")
    # A file beside the lessons comes before what is installed under its name.
    book.write("lessons/tinycss2.py", "mine = 7\n")
    for lesson in ("chances", "walks"):
        add(book, lesson, SHADOWED)
    book.update()
    assert all("7\nof kernel" in shown(book, lesson) for lesson in ("chances", "walks"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("toy.walks", "is the book's own code"), ("not_there.at_all", "is not installed")],
)
def test_only_installed_libraries_are_loaded_beforehand(
    book: TinyBook, name: str, said: str
) -> None:
    book.replace("_config.yml", LINE, f"{LINE}    evergreen_preload: [{name}]\n")
    assert f"evergreen_preload names {name}, which {said}" in book.refuse()


def test_a_loaded_librarys_messages_go_where_the_lessons_go() -> None:
    handler = logging.StreamHandler(warm.Current("stderr"))
    with contextlib.redirect_stderr(io.StringIO()) as lesson:
        handler.emit(logging.makeLogRecord({"msg": "careful"}))
    assert lesson.getvalue() == "careful\n"


SITE = """
import psutil
from sphinx.util import logging

from evergreen.errors import EvergreenError


def setup(app):
    app.connect("evergreen-prepare", prepare)


def prepare(app, lessons):
    for child in psutil.Process().children():
        if "evergreen.lessons.warm" in child.cmdline():
            logging.getLogger(__name__).info("loading in %s.", child.pid)
    raise EvergreenError("The data are not there.")
"""


@pytest.mark.parametrize("stale", [["walks", "chances"], ["walks"]])
def test_kernels_load_while_a_book_prepares_and_end_if_that_fails(
    book: TinyBook, stale: list[str]
) -> None:
    book.write("src/toy/site.py", SITE)
    book.replace("_config.yml", "      - evergreen\n", "      - evergreen\n      - toy.site\n")
    for lesson in stale:
        add(book, lesson, f"{CELL}\nprint(1)\n```\n")
    said = book.refuse()
    assert "The data are not there." in said
    loading = [int(number) for number in re.findall(r"loading in (\d+)\.", said)]
    assert len(loading) == (len(stale) > 1)
    assert not any(map(psutil.pid_exists, loading))
