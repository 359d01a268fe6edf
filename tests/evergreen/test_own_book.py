"""Somebody else's book: what the page "Use the engine for your own book" says, done."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import grimp
import pytest
from bs4 import BeautifulSoup
from tinybook import TinyBook

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "book" / "engine.md"
EXAMPLES = ROOT / "book" / "examples"


def _name(requirement: str) -> str:
    """Return a distribution's name as it is compared, without the versions behind it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~]", requirement)[0]).lower()


def commands() -> list[list[str]]:
    """Return the words of each command on the page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the project's wheel installs, where TensorFlow cannot be imported."""
    folder = tmp_path_factory.mktemp("engine")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    built = subprocess.run([*command, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "installed")  # as an installer does
    for name in ("tensorflow", "keras"):
        (folder / "installed" / f"{name}.py").write_text("raise ImportError\n", "utf-8")
    return folder / "installed"


class OwnBook(TinyBook):
    """The page's three files in a folder of their own, built by the page's command."""

    forks = False

    def __init__(self, folder: Path, engine: Path) -> None:
        super().__init__(folder, source=EXAMPLES / "three_files")
        self.store = folder / "_build" / "store"
        self._engine = engine

    def start(
        self, *options: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        (build,) = (words for words in commands() if words[0].endswith("jupyter-book"))
        variables = {n: v for n, v in os.environ.items() if not n.startswith("EVERGREEN_")}
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("jupyter-book")), *build[1:], *options],
            cwd=self.folder,
            env=variables | {"PYTHONPATH": str(self._engine)} | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def text(self) -> str:
        """Return the text of the built lesson."""
        page = BeautifulSoup((self.html / "sevens.html").read_text("utf-8"), "html.parser")
        article = page.find("article")
        assert article is not None
        return " ".join(article.get_text().split())


@pytest.fixture
def book(engine: Path, tmp_path: Path) -> OwnBook:
    return OwnBook(tmp_path / "games of chance", engine)


@pytest.fixture(scope="module")
def built(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> OwnBook:
    """The book, built once, with every warning an error. No test changes it."""
    book = OwnBook(tmp_path_factory.mktemp("built") / "games of chance", engine)
    assert book.update("-W", "--keep-going").executed == ["sevens"]
    return book


def test_three_files_are_a_book(built: OwnBook) -> None:
    sources = {path.name for path in built.folder.iterdir()} - {"_build"}
    assert sources == {"_config.yml", "_toc.yml", "sevens.md"}
    assert re.search(r"Of 10000 rolls, 1[67]\.\d% show seven\.", built.text())
    assert "Checked One roll in six shows seven." in built.text()


def test_a_page_has_its_formulas_and_its_colours(built: OwnBook) -> None:
    page = (built.html / "sevens.html").read_text("utf-8")
    assert "<mfrac>" in page
    assert '<span class="kn">import</span>' in page
    style = (built.html / "_static" / "site" / "style.css").read_text("utf-8")
    for theme in ("light", "dark"):
        assert f"html[data-theme={theme}]{{" in style


def test_a_page_keeps_nothing_of_what_runs_code_elsewhere(built: OwnBook) -> None:
    assert "thebe" not in (built.html / "sevens.html").read_text("utf-8").lower()


def test_a_second_build_executes_nothing_and_changes_nothing(built: OwnBook) -> None:
    again = built.update()
    assert (again.executed, again.changed) == ([], set())


def test_prose_executes_nothing_and_a_false_claim_ends_the_build(book: OwnBook) -> None:
    book.update()
    book.replace("sevens.md", "show seven.", "come to seven.")
    assert book.update().executed == []
    assert "come to seven." in book.text()
    book.replace("sevens.md", "1 / 6)", "1 / 5)")
    message = book.refuse()
    assert "sevens.md, code cell 2 (line " in message
    assert "This claim does not hold" in message


def test_a_module_beside_the_lesson_is_followed(book: OwnBook) -> None:
    for name in ("dice.py", "sevens.md"):
        shutil.copyfile(EXAMPLES / "module" / name, book.path(name))
    assert book.update("-W", "--keep-going").executed == ["sevens"]
    page = book.text()
    book.replace("dice.py", '"""Rolls of two dice."""', '"""Two dice, rolled often."""')
    book.replace("dice.py", "SIDES = 6", "SIDES = 6  # of a die")
    assert book.update().executed == []
    book.replace("dice.py", "Random(seed)", "Random(2 * seed)")
    assert book.update().executed == ["sevens"]
    assert book.text() != page
    book.replace("dice.py", "SIDES = 6", "SIDES = 8")
    assert "This claim does not hold" in book.refuse()


def test_the_example_with_a_module_is_the_same_page() -> None:
    """Only the first cell differs, which the page shows."""
    first_cell = re.compile(r"```{code-cell}\n.*?```", re.DOTALL)
    three_files, module = (
        first_cell.sub("", (EXAMPLES / name / "sevens.md").read_text("utf-8"), count=1)
        for name in ("three_files", "module")
    )
    assert three_files == module


def test_the_page_installs_what_the_engine_requires_and_no_more() -> None:
    """The extra ``book``, and those of the package's own requirements that the engine imports."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    graph = grimp.build_graph("evergreen", include_external_packages=True, cache_dir=None)
    distributions = importlib.metadata.packages_distributions()
    imported = {
        _name(distribution)
        for module in graph.modules
        for distribution in distributions.get(module, [])
    }
    book = project["optional-dependencies"]["book"]
    needed = imported - {_name(requirement) for requirement in book}
    required = book + [need for need in project["dependencies"] if _name(need) in needed]
    everything, _, listed = (words[2:] for words in commands() if words[1:2] == ["install"])
    assert everything[0].startswith("bnlab[book] @ ")
    assert sorted(listed) == sorted(required)
