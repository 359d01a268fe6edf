"""The lessons as published: notebooks in plain Markdown, and links that lead to them."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import publishing
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from publish import publish
from publishing import Fork, git, links
from website import ROOT, Build, build, soup, stored_lessons

from evergreen import checkout
from evergreen.notebooks import published

pytestmark = pytest.mark.site

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("*.md"))
REPOSITORY = "a-teacher/a-course"
# What a reader must never see: roles, directives, targets, options, cell breaks, comments.
MYST = re.compile(
    r"(?<!`)\{[a-z][\w:.-]*\}`|^\s*(`{3,}|:{3,}|~{3,})\s*\{|^\s*:{3,}"
    r"|^\([\w-]+\)=|^:[\w-]+:|^\+\+\+|^% ",
    re.MULTILINE,
)


def notebook_of(built: Build, lesson: str) -> nbformat.NotebookNode:
    return nbformat.read(built.html / "notebooks" / f"{lesson}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Fork:
    """This checkout as a teacher's fork, built and published as the workflow does it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        patch.setenv("GITHUB_SERVER_URL", "https://github.com")
        patch.delenv("SITE_ADDRESS", raising=False)
        return publishing.fork(tmp_path_factory.mktemp("fork") / "course")


@pytest.mark.parametrize("lesson", LESSONS)
def test_colab_and_binder_open_a_file_of_the_published_branch(fork: Fork, lesson: str) -> None:
    menu = links(fork.site, lesson)
    assert list(menu) == ["Colab", "Binder", "Download"]

    colab = urlsplit(menu["Colab"])
    assert colab.netloc == "colab.research.google.com"
    start = f"/github/{REPOSITORY}/blob/notebooks/"
    assert colab.path.startswith(start)

    binder = urlsplit(menu["Binder"])
    assert binder.netloc == "mybinder.org"
    assert binder.path == f"/v2/gh/{REPOSITORY}/notebooks"
    (opened,) = parse_qs(binder.query)["urlpath"]
    assert opened.startswith("lab/tree/")

    download = (fork.site.html / "lessons" / menu["Download"]).resolve()
    for path in (colab.path.removeprefix(start), opened.removeprefix("lab/tree/")):
        assert path in fork.files
        # Git keeps text as it is here, so the three are one.
        assert git(fork.project, "show", f"notebooks:{path}") == download.read_text("utf-8").strip()


def test_the_published_branch_holds_what_binder_reads(fork: Fork) -> None:
    assert fork.files["binder/postBuild"] == "100755"
    for path in ("binder/requirements.txt", "binder/runtime.txt", "pyproject.toml"):
        assert path in fork.files
    assert not [path for path in fork.files if path.startswith(".github/")]
    locked, binder = (pins(ROOT / name) for name in ("requirements.txt", "binder/requirements.txt"))
    assert {"tensorflow", "jupyterlab", "jupytext", "hatchling"} <= binder.keys()
    assert {name: locked[name] for name in binder.keys() & locked.keys()} == {
        name: binder[name] for name in binder.keys() & locked.keys()
    }


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^ \\]+)", path.read_text("utf-8"), re.MULTILINE))


def test_publishing_is_one_commit_that_leaves_the_checkout_alone(fork: Fork) -> None:
    assert git(fork.project, "rev-list", "--count", "notebooks") == "1"
    assert git(fork.project, "status", "--porcelain") == ""
    assert publish(fork.project) == fork.commit


def test_publishing_refuses_notebooks_of_another_commit(fork: Fork) -> None:
    git(fork.project, "commit", "--quiet", "--allow-empty", "--message", "Later")
    with pytest.raises(SystemExit, match=r"baseline\.ipynb.* were not built from the commit"):
        publish(fork.project)
    git(fork.project, "reset", "--quiet", "--hard", "HEAD~1")
    (fork.project / "_toc.yml").write_text("changed", "utf-8")
    with pytest.raises(SystemExit, match=r"(?s)Commit your changes .*_toc\.yml"):
        publish(fork.project)
    git(fork.project, "checkout", "--", "_toc.yml")


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_first_cell_installs_the_package_at_the_commit_of_the_build(
    fork: Fork, lesson: str
) -> None:
    cells = [c for c in notebook_of(fork.site, lesson).cells if c.cell_type == "code"]
    assert f'commit = "{git(fork.project, "rev-parse", "HEAD")}"' in cells[0].source
    assert f"git+https://github.com/{REPOSITORY}@{{commit}}" in cells[0].source
    assert not cells[0].outputs


def test_without_an_address_every_button_leads_to_a_page_that_helps(
    fork: Fork, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed = stored_lessons()
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    unknown = build(fork.project)
    assert unknown.status == 0, unknown.output
    assert stored_lessons() == executed
    for lesson in LESSONS:
        menu = links(unknown, lesson)
        assert menu["Colab"] == menu["Binder"] == "../run_it_yourself.html"
        assert (unknown.html / "lessons" / menu["Download"]).is_file()
        first = next(c for c in notebook_of(unknown, lesson).cells if c.cell_type == "code")
        assert "pip install ." in first.source
        assert "github" not in first.source


@pytest.mark.address
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_is_valid_executed_and_without_myst(site: Build, lesson: str) -> None:
    notebook = notebook_of(site, lesson)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not MYST.search(cell.source), cell.source
            assert cell.source.strip()
        elif "skip-execution" not in cell.metadata.get("tags", []):
            assert cell.execution_count, cell.source
    assert '"scrapbook"' not in json.dumps(notebook)


def test_the_search_for_myst_would_find_it() -> None:
    for lesson in LESSONS:
        assert MYST.search((ROOT / "lessons" / f"{lesson}.md").read_text("utf-8"))
    for sample in (
        "{math}`x`",
        "{cite:t}`a`",
        ":::{note}",
        "(fig-a)=",
        "```{exercise}",
        ":label: a",
    ):
        assert MYST.search(f"Text\n{sample}\n"), sample
    for sample in ("`{a}`", "$x_{i}$", "```python\nx = {}\n```", "a: b"):
        assert not MYST.search(f"Text\n{sample}\n"), sample


def words(text: str) -> str:
    """Return text as it is compared: without spaces, which differ around tags."""
    return re.sub(r"\s+", "", text)


@pytest.mark.address
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_says_everything_that_its_page_says(site: Build, lesson: str) -> None:
    notebook = notebook_of(site, lesson)
    markdown = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    rendered = BeautifulSoup(MarkdownIt("gfm-like").render(markdown), "html.parser")
    said = words(rendered.get_text())
    article = soup(site.html / "lessons" / f"{lesson}.html").select_one("article.bd-article")
    apart = "summary, .cell_input, .cell_output pre, table, .headerlink, .caption-number"
    for tag in article.select(apart):
        tag.decompose()
    compared = 0
    for tag in article.select("h1, h2, h3, p:not(.claim), pre, li, .caption-text"):
        if tag.find("math") or tag.find("p"):
            continue
        compared += 1
        text = re.sub(r"^\d+(\.\d+)*\.\s*", "", tag.get_text())
        assert words(text) in said, text
    assert compared >= 30
    for figure in article.select("figure img"):
        assert words(figure["alt"]) in said
    formulas = len(article.find_all("math"))
    assert len(re.findall(r"\$\$.+?\$\$|\$.+?\$", markdown, re.DOTALL)) == formulas


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_has_the_code_and_the_pictures_of_its_page(site: Build, lesson: str) -> None:
    cells = notebook_of(site, lesson).cells
    page = soup(site.html / "lessons" / f"{lesson}.html")
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    for block in page.select(".cell_input pre"):
        assert block.get_text().strip() in sources
    shown = [
        (after.source, output.data)
        for cell, after in itertools.pairwise(cells)
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(shown) == len(page.select("article figure img"))
    assert all(re.match(r"\*\*Fig\. \d+\.\d+\.\*\* ", caption) for caption, _ in shown)


@pytest.mark.address
def test_a_link_in_a_notebook_leads_out_of_it(site: Build) -> None:
    """No relative address is left: a notebook is read far from the site."""
    addresses = [
        address
        for lesson in LESSONS
        for cell in notebook_of(site, lesson).cells
        if cell.cell_type == "markdown"
        for address in re.findall(r"\]\(([^)\s]*)\)", cell.source)
    ]
    assert "https://proceedings.mlr.press/v37/ioffe15.html" in addresses
    assert {urlsplit(address).scheme for address in addresses} == {"https"}


def test_where_the_site_is_published_cross_references_lead_to_it(
    fork: Fork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("SITE_ADDRESS", "https://a-teacher.example/course/")
    built = build(fork.project)
    assert built.status == 0, built.output
    text = "\n".join(
        cell.source for cell in notebook_of(built, "baseline").cells if cell.cell_type == "markdown"
    )
    assert "(https://a-teacher.example/course/lessons/bn_approach_one.html)" in text
    assert "(https://a-teacher.example/course/bibliography.html#cite-maas2013rectifier)" in text
    counted = notebook_of(built, "parameter_arithmetic").cells
    itself = "[its page](https://a-teacher.example/course/lessons/parameter_arithmetic.html)"
    assert any(itself in cell.source for cell in counted if cell.cell_type == "markdown")


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/a-teacher/a-course",
        "https://github.com/a-teacher/a-course.git",
        "git@github.com:a-teacher/a-course.git",
        "ssh://git@github.com/a-teacher/a-course.git",
    ],
)
def test_an_origin_on_github_is_the_repository_s_address(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert checkout.repository(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", origin)
    assert checkout.repository(tmp_path) == "https://github.com/a-teacher/a-course"
    configured = "https://github.com/a-school/a-course/"
    assert checkout.repository(tmp_path, configured) == configured.rstrip("/")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a-fork/a-course")
    assert checkout.repository(tmp_path, configured) == "https://github.com/a-fork/a-course"


def test_only_an_address_on_github_is_one_for_colab_and_binder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert checkout.name_on_github("https://github.com/a/b") == "a/b"
    assert checkout.name_on_github("https://git.example.org/a/b") is None
    assert checkout.name_on_github(None) is None
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "https://git.example.org/a/b.git")
    assert checkout.repository(tmp_path) is None


def test_the_install_cell_is_silent_and_changes_nothing_where_the_package_is() -> None:
    cell = published.install_cell("file:///nowhere", "0" * 40)
    names: dict[str, object] = {}
    exec(compile(cell, "cell", "exec"), names)
    assert names["missing"] is False
