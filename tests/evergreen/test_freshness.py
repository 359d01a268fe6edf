"""Again only what can have changed: what an edit executes, and what it writes.

The edits of a group are made one after another on one book. At its end that is compared with
a first build of the same sources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tinybook import ENGINE, TinyBook

from evergreen.lessons import recorder
from evergreen.lessons.opened import Opened, Roots

Edit = Callable[[TinyBook], object]
MakeFolder = pytest.TempPathFactory

WALKS, CHANCES = "lessons/walks", "lessons/chances"
LESSON, MODULE = f"{WALKS}.md", "src/toy/chances.py"
KERNEL = "kernelspec:\n"


def replacing(name: str, old: str, new: str) -> Edit:
    """Return an edit that replaces a text in one of the book's files."""
    return lambda book: book.replace(name, old, new)


def touching(*names: str) -> Edit:
    """Return an edit that changes nothing but the time of some files."""
    return lambda book: [book.path(name).touch() for name in names]


def git(book: TinyBook, *arguments: str) -> None:
    identity = ("-c", "user.name=A test", "-c", "user.email=test@example.org")
    command = ["git", "-C", str(book.folder), *identity, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def commit(book: TinyBook) -> None:
    """Commit the book to a repository that may be new."""
    book.write(".gitignore", "_build\nstore\n__pycache__\n")
    git(book, "init", "--initial-branch", "first")
    git(book, "add", ".")
    git(book, "commit", "--allow-empty", "--message", "The book")


def put_back_older(book: TinyBook) -> None:
    """Edit a lesson and build, then put it back with the time of a file that is older."""
    text = book.read(LESSON)
    book.replace(LESSON, "Where does a walker end", "Where, oh where, does a walker end")
    assert book.update().changed
    book.write(LESSON, text)
    os.utime(book.path(LESSON), (1_000_000_000, 1_000_000_000))


def test_a_build_with_nothing_to_do_executes_and_writes_nothing(book: TinyBook) -> None:
    assert book.update().executed == []
    again = book.update()
    assert (again.executed, again.pages, again.changed) == ([], set(), set())


class TestWhatChangesNoResult:
    """What no result depends on: nothing is executed, and only what shows it is written."""

    @pytest.fixture(scope="class")
    @classmethod
    def book(cls, built_book: TinyBook, tmp_path_factory: MakeFolder) -> TinyBook:
        book = TinyBook(tmp_path_factory.mktemp("nothing") / "book", built_book.store)
        assert book.update().executed == []
        return book

    @pytest.mark.parametrize(
        ("edit", "shown"),
        [
            pytest.param(touching(LESSON, "src/toy/walks.py"), set(), id="touched files"),
            pytest.param(
                replacing(LESSON, "The variance of", "Now, the variance of"),
                {WALKS},
                id="text",
            ),
            pytest.param(
                replacing(LESSON, "Where the walkers end.", "Their ends."),
                {WALKS},
                id="caption",
            ),
            pytest.param(
                replacing(LESSON, "print(crowd)", "# A remark.\nprint(crowd)  # Another."),
                {WALKS},
                id="comment in a cell",
            ),
            pytest.param(
                replacing(LESSON, KERNEL, f"mystnb:\n  execution_timeout: 77\n{KERNEL}"),
                set(),
                id="time limit of a lesson",
            ),
            pytest.param(
                replacing(MODULE, "# Every walk", "# Truly, every walk"), set(), id="comment"
            ),
            pytest.param(replacing(MODULE, "Say how many", "Tell how many"), set(), id="docstring"),
            pytest.param(replacing(MODULE, '"No walk', '"Not one walk'), set(), id="message"),
            pytest.param(
                replacing(MODULE, "abs(end) > steps:", "abs(end) > steps or steps > 999:"),
                set(),
                id="refusal",
            ),
            pytest.param(
                replacing(MODULE, "def ways", "def unused() -> None: ...\n\n\ndef ways"),
                set(),
                id="function that no lesson uses",
            ),
            pytest.param(commit, set(), id="first commit"),
            pytest.param(commit, set(), id="commit without a change"),
            pytest.param(put_back_older, {WALKS}, id="lesson put back with an older time"),
        ],
    )
    def test_executes_nothing(self, book: TinyBook, edit: Edit, shown: set[str]) -> None:
        edit(book)
        result = book.update()
        assert (result.executed, result.changed_pages) == ([], shown)

    def test_nor_does_the_time_limit_of_all_cells(self, book: TinyBook) -> None:
        book.replace("_config.yml", "execute:\n", "execute:\n  timeout: 77\n")
        assert book.update().executed == []

    def test_and_the_site_is_that_of_a_first_build(
        self, book: TinyBook, tmp_path_factory: MakeFolder
    ) -> None:
        folder = tmp_path_factory.mktemp("first") / "book"
        assert book.from_nothing(folder) == book.site()


READING = """
```{code-cell} ipython3
import json
from pathlib import Path

import beside
import toy

print(beside.twice(21))
print(Path("table.csv").read_text())
print(json.loads(Path(toy.__file__).with_name("stored.json").read_text()))
print(sorted(path.name for path in Path("folder").iterdir()))
```
"""


def add_what_is_read(book: TinyBook) -> None:
    """Let a lesson read a module beside it, data, a package's data, a folder, a named file."""
    text = book.read("lessons/chances.md").replace(
        KERNEL, f"evergreen:\n  files: [named.txt]\n{KERNEL}", 1
    )
    book.write("lessons/chances.md", text + READING)
    book.write("lessons/beside.py", "def twice(n):\n    return 2 * n\n\n\ndef unused():\n    ...\n")
    book.write("lessons/table.csv", "1,2\n")
    book.write("lessons/folder/one", "")
    book.write("lessons/named.txt", "before")
    book.write("src/toy/stored.json", "[1]")


class TestWhatChangesAResult:
    """What a result depends on: the lessons that show it are executed, and no others."""

    @pytest.fixture(scope="class")
    @classmethod
    def book(cls, built_book: TinyBook, tmp_path_factory: MakeFolder) -> TinyBook:
        book = TinyBook(tmp_path_factory.mktemp("something") / "book", built_book.store)
        add_what_is_read(book)
        assert book.update().executed == [CHANCES]
        assert book.update().executed == []
        return book

    @pytest.mark.parametrize(
        ("edit", "executed", "shown"),
        [
            pytest.param(
                replacing(LESSON, "print(crowd)", "print(crowd, crowd.seed)"),
                [WALKS],
                "steps away 1",
                id="cell",
            ),
            pytest.param(
                replacing(
                    LESSON,
                    "```{code-cell} ipython3\nfrom toy",
                    "```{code-cell} ipython3\n:tags: [raises-exception]\nfrom toy",
                ),
                [WALKS],
                "",
                id="tag",
            ),
            pytest.param(
                replacing("src/toy/walks.py", "WALKERS = 2_000", "WALKERS = 1_900"),
                [WALKS],
                "1900 walkers",
                id="constant",
            ),
            pytest.param(
                replacing("src/toy/figures.py", "480, 160, 12", "490, 160, 12"),
                [WALKS],
                "",
                id="imported module",
            ),
            pytest.param(
                replacing(MODULE, "} walks", "} of all walks"),
                [CHANCES],
                "of all walks",
                id="text that is shown",
            ),
            pytest.param(
                replacing("lessons/beside.py", "...", "return 0"),
                [],
                "",
                id="what is not used of a module beside the lesson",
            ),
            pytest.param(
                replacing("lessons/beside.py", "2 * n", "200 * n"),
                [CHANCES],
                "4200",
                id="module beside the lesson",
            ),
            pytest.param(
                lambda book: book.write("lessons/named.txt", "after"),
                [CHANCES],
                "",
                id="file named in the front matter",
            ),
            pytest.param(
                lambda book: book.write("lessons/table.csv", "3,4\n"),
                [CHANCES],
                "3,4",
                id="data that the lesson opens",
            ),
            pytest.param(
                lambda book: book.write("lessons/table.csv", "1,2\n"),
                [],
                "",
                id="data that was there before",
            ),
            pytest.param(
                lambda book: book.write("src/toy/stored.json", "[17]"),
                [CHANCES],
                "[17]",
                id="data in a package",
            ),
            pytest.param(
                lambda book: book.write("lessons/folder/two", ""),
                [CHANCES],
                "'two'",
                id="new file in a folder that is listed",
            ),
            pytest.param(
                replacing(
                    "_config.yml",
                    "    language: en",
                    "    language: en\n    evergreen_environment: {TOSSED: 1}",
                ),
                [CHANCES, WALKS],
                "",
                id="variable of the kernels",
            ),
        ],
    )
    def test_executes_the_lessons_that_show_it(
        self, book: TinyBook, edit: Edit, executed: list[str], shown: str
    ) -> None:
        edit(book)
        assert book.update().executed == executed
        for name in executed:
            assert shown in (book.html / f"{name}.html").read_text("utf-8")

    def test_and_the_site_is_that_of_a_first_build(
        self, book: TinyBook, tmp_path_factory: MakeFolder
    ) -> None:
        folder = tmp_path_factory.mktemp("first") / "book"
        assert book.from_nothing(folder) == book.site()


def test_another_version_of_a_library_executes_every_lesson(book: TinyBook, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    (installed / "tossing-1.0.dist-info").mkdir(parents=True)
    found = {"PYTHONPATH": os.pathsep.join(map(str, (book.folder / "src", ENGINE, installed)))}
    assert book.update(environment=found).executed == [CHANCES, WALKS]
    # The book's own package counts by its code.
    (installed / "toy-7.0.dist-info").mkdir()
    assert book.update(environment=found).executed == []


SETTINGS = """
from evergreen.lessons.reading import Formats
from myst_nb.core.config import NbParserConfig
from myst_parser.config.main import MdParserConfig

markdown = MdParserConfig(enable_extensions={"amsmath", "deflist", "dollarmath", "tasklist"})
print(Formats(markdown, NbParserConfig()).digest)
"""


def test_what_was_read_of_a_lesson_is_found_again_by_another_process() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", SETTINGS],
            env=os.environ | {"PYTHONPATH": str(ENGINE), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1


def test_going_back_and_forth_between_branches_finds_the_results_of_each(book: TinyBook) -> None:
    commit(book)
    book.update()
    first = book.site()
    git(book, "checkout", "-b", "second")
    book.replace("src/toy/walks.py", "WALKERS = 2_000", "WALKERS = 1_900")
    git(book, "commit", "--all", "--message", "Fewer walkers")
    assert book.update().executed == [WALKS]
    second = book.site()
    for branch, site in (("first", first), ("second", second)):
        git(book, "checkout", branch)
        assert book.update().executed == []
        assert book.site() == site


def test_a_failed_build_leaves_nothing_to_be_done_again(book: TinyBook) -> None:
    book.replace(LESSON, "crowd.distance - 20) < 2", "crowd.distance - 20) > 2")
    assert "This claim does not hold" in book.refuse()
    book.replace(LESSON, "crowd.distance - 20) > 2", "crowd.distance - 20) < 2")
    assert book.update().executed == []


def test_another_checkout_s_package_is_refused(book: TinyBook, tmp_path: Path) -> None:
    other = TinyBook(tmp_path / "other")
    found = {"PYTHONPATH": os.pathsep.join(map(str, (other.folder / "src", ENGINE)))}
    assert f"The installed package toy lies in {other.folder}" in book.refuse(environment=found)


SHOWING = {
    "text": """
```{code-cell} ipython3
try:
    chances.ways(3, 0)
except ValueError as error:
    print(error)
```
""",
    "traceback": """
```{code-cell} ipython3
:tags: [raises-exception]
chances.ways(3, 0)
```
""",
}


@pytest.mark.parametrize("what", SHOWING)
def test_what_is_said_of_an_error_counts_where_it_is_shown(book: TinyBook, what: str) -> None:
    with book.path("lessons/chances.md").open("a") as lesson:
        lesson.write(SHOWING[what])
    assert book.update().executed == [CHANCES]
    book.replace(MODULE, 'raise ValueError(f"No walk', 'raise ValueError(f"Not one walk')
    assert book.update().executed == [CHANCES]
    assert "Not one walk of 3 steps" in (book.html / "lessons/chances.html").read_text("utf-8")
    book.replace(MODULE, 'ends at {end}.")', 'ends at {end}.")  # A remark.')
    assert book.update().executed == ([CHANCES] if what == "traceback" else [])


MAGIC = """
```{code-cell} ipython3
%%time
import importlib

later = importlib.import_module("toy.later")
```

```{code-cell} ipython3
%run script.py
print(later.VALUE)
!wc -l < counted.txt > written.txt
!cat written.txt *.csv
```
"""


def test_what_a_lesson_runs_without_naming_it_counts(book: TinyBook) -> None:
    with book.path("lessons/chances.md").open("a") as lesson:
        lesson.write(MAGIC)
    book.write("src/toy/later.py", "VALUE = 1\n")
    book.write("lessons/script.py", "print('first')\n")
    book.write("lessons/counted.txt", "one\n")
    book.write("lessons/table.csv", "1,2\n")
    assert book.update().executed == [CHANCES]
    assert book.update().executed == []
    book.replace("src/toy/later.py", "VALUE = 1", "VALUE = 2")
    assert book.update().executed == [CHANCES]
    book.write("lessons/script.py", "print('second')\n")
    assert book.update().executed == [CHANCES]
    for file in ("counted.txt", "table.csv"):  # which another program reads
        book.write(f"lessons/{file}", "three\nlines\nnow\n")
        assert book.update().executed == [CHANCES]
    page = (book.html / "lessons/chances.html").read_text("utf-8")
    assert "second" in page


def test_a_module_in_another_encoding_counts(tmp_path: Path) -> None:
    roots = Roots({"": tmp_path})
    module = Opened(recorder.CODE, "", "umlaut.py")
    seen = []
    for text in ("NAME = 'schön'", "NAME = 'schön'  # ja", "NAME = 'grün'", "NAME = grün?"):
        path = tmp_path / "umlaut.py"
        path.write_bytes(f"# -*- coding: latin-1 -*-\n{text}\n".encode("latin-1"))
        seen.append(roots.now(module))
    first, remark, other, broken = seen
    assert remark == first
    assert len({first, other, broken}) == 3


def test_of_the_engine_only_what_makes_outputs_counts(tmp_path: Path) -> None:
    engine = Path(shutil.copytree(ENGINE / "evergreen", tmp_path / "evergreen"))

    def digest() -> str:
        code = "from evergreen.lessons import keys; print(keys.engine())"
        command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": tmp_path}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    def edit(module: str) -> None:
        path = engine / module
        path.write_text(f"{path.read_text('utf-8')}\nprint('loaded')\n", "utf-8")

    before = digest()
    edit("look/markup.py")
    edit("pages/formulas.py")
    assert digest().splitlines()[-1:] == before.splitlines()
    edit("lessons/streams.py")
    assert digest().splitlines()[-1:] != before.splitlines()
