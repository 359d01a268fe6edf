"""The lessons as notebooks, on the branch that Colab and Binder open, and links that lead there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from tinybook import ENGINE, TinyBook

from evergreen import checkout
from evergreen.notebooks import providing

REPOSITORY = "a-teacher/walks"
ON_GITHUB = {
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_SERVER_URL": "https://github.com",
    "SITE_ADDRESS": "",
}
NOWHERE = {"GITHUB_REPOSITORY": "", "SITE_ADDRESS": ""}
LESSONS = ("lessons/walks", "lessons/chances", "more/walks")
READING = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
  language: python
evergreen:
  files: [numbers.txt]  # the other is seen as it is opened
---

# Walks in a file

```{code-cell} ipython3
from pathlib import Path

import beside

print(beside.total(Path("numbers.txt"), Path("../../data/more.txt")))
```
"""
BESIDE = """from deeper import numbers

def total(*paths):
    return sum(sum(numbers(path)) for path in paths)
"""
DEEPER = "def numbers(path):\n    return map(int, path.read_text().split())\n"


def git(book: TinyBook, *arguments: str) -> str:
    who = ("-c", "user.name=A teacher", "-c", "user.email=teacher@example.org")
    command = ["git", *who, *arguments]
    result = subprocess.run(command, cwd=book.folder, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def publish(book: TinyBook, *options: str) -> subprocess.CompletedProcess[str]:
    """Publish the built notebooks with Python alone, as a job without the environment does."""
    return subprocess.run(
        [sys.executable, "-S", "-m", "evergreen.notebooks.branch", *options],
        cwd=book.folder,
        env=os.environ | {"PYTHONPATH": str(ENGINE)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def published(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book in a repository on GitHub, built and on its branch."""
    if shutil.which("git") is None:
        pytest.skip("There is no git.")
    book = TinyBook(tmp_path_factory.mktemp("published") / "a book", built_book.store)
    book.write("book/more/walks.md", READING)
    book.write("book/more/numbers.txt", "1 2 3\n")
    book.write("book/more/beside.py", BESIDE)
    book.write("book/more/deeper.py", DEEPER)
    book.write("data/more.txt", "4 5\n")
    book.write(".github/workflows/build.yml", "name: Build\n")
    book.write(".gitignore", "_build\nstore\n__pycache__\n")
    book.replace(
        "_toc.yml",
        "      - file: lessons/chances",
        "      - file: lessons/chances\n      - file: more/walks",
    )
    options = "evergreen_distribution: toy-walks\n    evergreen_help_page: claims"
    book.replace("_config.yml", "    language: en\n", f"    language: en\n    {options}\n")
    git(book, "init", "--quiet")
    git(book, "add", "--all")
    git(book, "commit", "--quiet", "--message", "The book")
    book.update(environment=ON_GITHUB)
    result = publish(book)
    assert result.returncode == 0, result.stderr
    return book


def menu(book: TinyBook, lesson: str) -> dict[str, str]:
    """Return the launch menu of a built page: what each entry says, and where it leads."""
    page = BeautifulSoup(book.read(f"_build/html/{lesson}.html"), "html.parser")
    (launch,) = page.select(".dropdown-launch-buttons")
    return {link.get_text(strip=True): link["href"] for link in launch.select("a")}


def notebook(book: TinyBook, lesson: str) -> nbformat.NotebookNode:
    page = book.html / lesson
    return nbformat.read((page.parent / menu(book, lesson)["Download"]).resolve(), as_version=4)


def code(book: TinyBook, lesson: str) -> list[str]:
    return [c.source for c in notebook(book, lesson).cells if c.cell_type == "code"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_colab_and_binder_open_a_file_of_the_published_branch(
    published: TinyBook, lesson: str
) -> None:
    links = menu(published, lesson)
    assert list(links) == ["Colab", "Binder", "Download"]
    colab, binder = urlsplit(links["Colab"]), urlsplit(links["Binder"])
    start = f"/github/{REPOSITORY}/blob/notebooks/"
    assert (colab.netloc, colab.path[: len(start)]) == ("colab.research.google.com", start)
    assert (binder.netloc, binder.path) == ("mybinder.org", f"/v2/gh/{REPOSITORY}/notebooks")
    (opened,) = parse_qs(binder.query)["urlpath"]
    download = (published.html / lesson).parent / links["Download"]
    for path in (colab.path.removeprefix(start), opened.removeprefix("lab/tree/")):
        # Git keeps text as it is here, so the three are one.
        assert git(published, "show", f"notebooks:{path}") == download.read_text("utf-8").strip()


def test_lessons_with_one_file_name_have_a_notebook_each(published: TinyBook) -> None:
    found = {
        path.relative_to(published.html).as_posix() for path in published.html.rglob("*.ipynb")
    }
    assert found == {
        "notebooks/lessons/walks.ipynb",
        "notebooks/more/walks.ipynb",
        "notebooks/chances.ipynb",
    }


def test_publishing_is_one_commit_that_leaves_the_checkout_alone(published: TinyBook) -> None:
    commit = git(published, "rev-parse", "notebooks")
    assert git(published, "rev-list", "--count", "notebooks") == "1"
    assert git(published, "status", "--porcelain") == ""
    files = git(published, "ls-tree", "-r", "--name-only", "notebooks").splitlines()
    assert {"_config.yml", "data/more.txt"} <= {*files}
    assert not [path for path in files if path.startswith(".github/")]
    assert publish(published).stdout.strip() == commit


def test_publishing_refuses_notebooks_of_another_commit(published: TinyBook) -> None:
    git(published, "commit", "--quiet", "--allow-empty", "--message", "Later")
    assert "were not built from the commit" in publish(published).stderr
    git(published, "reset", "--quiet", "--hard", "HEAD~1")
    published.write("_toc.yml", "changed")
    assert re.search(r"(?s)Commit your changes .*_toc\.yml", publish(published).stderr)
    git(published, "checkout", "--", "_toc.yml")


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_first_cell_installs_the_package_at_the_commit_of_the_build(
    published: TinyBook, lesson: str
) -> None:
    first = code(published, lesson)[0]
    assert f'commit = "{git(published, "rev-parse", "HEAD")}"' in first
    assert f"git+https://github.com/{REPOSITORY}@{{commit}}" in first
    assert 'distribution("toy-walks")' in first


def test_files_come_from_the_commit_that_was_built(published: TinyBook) -> None:
    raw = f"https://raw.githubusercontent.com/{REPOSITORY}/{git(published, 'rev-parse', 'HEAD')}"
    fetching = code(published, "more/walks")[1]
    for path in ("book/more/numbers.txt", "data/more.txt", "book/more/deeper.py"):
        assert f"{raw}/{path}" in fetching


def test_without_an_address_buttons_lead_to_a_page_that_helps_and_nothing_is_executed(
    published: TinyBook,
) -> None:
    built = published.update(environment=NOWHERE)
    assert built.executed == []
    for lesson in LESSONS:
        links = menu(published, lesson)
        assert links["Colab"] == links["Binder"] == "../claims.html"
        assert "pip install ." in code(published, lesson)[0]
        assert "github" not in code(published, lesson)[0]
    assert "repository's address" in publish(published).stderr


def run(lesson: nbformat.NotebookNode, folder: Path, *, skip: int) -> nbformat.NotebookNode:
    """Run a notebook in a folder, without its first cells."""
    lesson.cells = [c for c in lesson.cells if c.cell_type == "code"][skip:]
    for cell in lesson.cells:
        cell.outputs = []
    folder.mkdir(parents=True, exist_ok=True)
    # The tests' own packages install nothing.
    NotebookClient(lesson, resources={"metadata": {"path": str(folder)}}).execute()
    return lesson


def test_a_notebook_runs_alone_in_a_folder_with_the_files_of_the_published_site(
    published: TinyBook, tmp_path: Path
) -> None:
    site = published.html.as_uri()
    published.update(environment=NOWHERE | {"SITE_ADDRESS": site})
    assert f"{site}/_files/data/more.txt" in code(published, "more/walks")[1]
    for _ in range(2):  # the second time the files are there
        ran = run(notebook(published, "more/walks"), tmp_path / "downloads", skip=1)
        assert ran.cells[-1].outputs[0].text == "15\n"
    assert [path.name for path in tmp_path.iterdir()] == ["downloads"]


def test_a_notebook_that_cannot_fetch_its_files_says_where_it_runs(
    published: TinyBook, tmp_path: Path
) -> None:
    published.update(environment=NOWHERE)
    with pytest.raises(Exception, match=r"numbers\.txt: open it in the folder book/more of a"):
        run(notebook(published, "more/walks"), tmp_path, skip=1)
    run(notebook(published, "more/walks"), published.path("book/more"), skip=1)


def test_references_lead_to_the_site_or_else_to_the_other_notebook(published: TinyBook) -> None:
    published.replace("lessons/chances.md", "Of all walks", "As {doc}`walks` says: of all walks")
    published.update(environment=NOWHERE)
    prose = "\n".join(c.source for c in notebook(published, "lessons/chances").cells)
    assert "[How far a walk leads](lessons/walks.ipynb)" in prose
    prose = "\n".join(c.source for c in notebook(published, "lessons/walks").cells)
    assert "](https://doi.org/10.1038/072294b0)" in prose
    assert {urlsplit(link).scheme for link in re.findall(r"\]\(([^)\s]*)\)", prose)} == {"https"}
    published.update(environment=NOWHERE | {"SITE_ADDRESS": "https://example.org/walks/"})
    prose = "\n".join(c.source for c in notebook(published, "lessons/chances").cells)
    assert "[How far a walk leads](https://example.org/walks/lessons/walks.html)" in prose
    git(published, "checkout", "--", "lessons")


def test_solutions_are_folded_in_jupyterlab_and_in_colab(published: TinyBook) -> None:
    found = notebook(published, "lessons/walks")
    headings = [cell for cell in found.cells if cell.source.startswith("#")]
    solutions = [cell for cell in headings if "Solution" in cell.source]
    folded = found.metadata.colab.collapsed_sections
    assert folded == [cell.metadata["id"] for cell in solutions] != []
    for cell in headings:
        assert cell.metadata.get("jp-MarkdownHeadingCollapsed", False) == (cell in solutions)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_is_valid_executed_and_says_what_its_page_says(
    published: TinyBook, lesson: str
) -> None:
    found = notebook(published, lesson)
    nbformat.validate(found)
    assert '"scrapbook"' not in json.dumps(found)
    assert all(c.execution_count for c in found.cells if c.cell_type == "code")
    markdown = "\n\n".join(c.source for c in found.cells if c.cell_type == "markdown")
    rendered = BeautifulSoup(MarkdownIt("gfm-like").render(markdown), "html.parser")
    said = re.sub(r"\s", "", rendered.get_text())
    page = BeautifulSoup(published.read(f"_build/html/{lesson}.html"), "html.parser").article
    for apart in page.select(".cell_output, .headerlink, summary"):
        apart.decompose()
    for paragraph in page.select("h1, h2, p"):
        if not paragraph.find("math"):
            text = re.sub(r"^\d+\.\s*|\s", "", paragraph.get_text())
            assert text in said


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/a-teacher/walks",
        "https://github.com/a-teacher/walks.git",
        "git@github.com:a-teacher/walks.git",
        "ssh://git@github.com/a-teacher/walks.git",
    ],
)
@pytest.mark.skipif(shutil.which("git") is None, reason="There is no git.")
def test_an_origin_on_github_is_the_repository_s_address(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert checkout.repository(tmp_path) is None
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "remote", "add", "origin", origin], cwd=tmp_path, check=True)
    assert checkout.repository(tmp_path) == "https://github.com/a-teacher/walks"
    configured = "https://github.com/a-school/walks/"
    assert checkout.repository(tmp_path, configured) == configured.rstrip("/")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a-fork/walks")
    assert checkout.repository(tmp_path, configured) == "https://github.com/a-fork/walks"


def test_only_an_address_on_github_is_one_for_colab_and_binder() -> None:
    assert checkout.name_on_github("https://github.com/a/b") == "a/b"
    assert checkout.name_on_github("https://git.example.org/a/b") is None
    assert checkout.name_on_github(None) is None


def test_the_install_cell_is_silent_and_changes_nothing_where_the_package_is() -> None:
    names: dict[str, object] = {}
    exec(providing.install("pytest", "file:///nowhere", "0" * 40), names)
    assert names["missing"] is False
