"""The course's lessons as published: notebooks in plain Markdown that say what the pages say."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from support.contents import FILES, NOTEBOOKS
from website import ROOT, Build, soup

# What a reader must never see: roles, directives, targets, options, cell breaks, comments.
MYST = re.compile(
    r"(?<!`)\{[a-z][\w:.-]*\}`|^\s*(`{3,}|:{3,}|~{3,})\s*\{|^\s*:{3,}"
    r"|^\([\w-]+\)=|^:[\w-]+:|^\+\+\+|^% ",
    re.MULTILINE,
)


def notebook_of(built: Build, name: str) -> nbformat.NotebookNode:
    """Return the notebook that a page's menu offers."""
    (link,) = soup(built.html / f"{name}.html").select('a[href$=".ipynb"]:not([href^="http"])')
    path = (built.html / name).parent / link["href"]
    return nbformat.read(path.resolve(), as_version=4)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_executed_and_without_myst(site: Build, name: str) -> None:
    notebook = notebook_of(site, name)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not MYST.search(cell.source), cell.source
            assert cell.source.strip()
        elif "skip-execution" not in cell.metadata.get("tags", []):
            assert cell.execution_count, cell.source
    assert '"scrapbook"' not in json.dumps(notebook)


def test_the_search_for_myst_would_find_it() -> None:
    for name in NOTEBOOKS:
        assert MYST.search(FILES[name].read_text("utf-8"))
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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_says_everything_that_its_page_says(site: Build, name: str) -> None:
    notebook = notebook_of(site, name)
    markdown = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    rendered = BeautifulSoup(MarkdownIt("gfm-like").render(markdown), "html.parser")
    said = words(rendered.get_text())
    article = soup(site.html / f"{name}.html").select_one("article.bd-article")
    apart = "summary, .cell_input, .cell_output pre, table, .headerlink, .caption-number"
    for tag in article.select(apart):
        tag.decompose()
    for tag in article.select("h1, h2, h3, p:not(.claim), pre, li, .caption-text"):
        if tag.find("math") or tag.find("p"):
            continue
        text = re.sub(r"^\d+(\.\d+)*\.\s*", "", tag.get_text())
        assert words(text) in said, text
    for figure in article.select("figure img"):
        assert words(figure["alt"]) in said
    formulas = len(article.find_all("math"))
    assert len(re.findall(r"\$\$.+?\$\$|\$.+?\$", markdown, re.DOTALL)) == formulas


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_has_the_code_and_the_pictures_of_its_page(site: Build, name: str) -> None:
    cells = notebook_of(site, name).cells
    page = soup(site.html / f"{name}.html")
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
    assert all(re.match(r"\*\*Fig\. \d+(\.\d+)?\*\* ", caption) for caption, _ in shown)


def test_a_link_in_a_notebook_leads_out_of_it_or_to_another(site: Build) -> None:
    """No address is left that is relative to the page: a notebook is read far from the site."""
    addresses = [
        address
        for name in NOTEBOOKS
        for cell in notebook_of(site, name).cells
        if cell.cell_type == "markdown"
        for address in re.findall(r"\]\(([^)\s]*)\)", cell.source)
    ]
    assert addresses
    for address in addresses:
        beside = (site.html / "notebooks" / address).is_file()
        assert urlsplit(address).scheme in ("https", "http") or beside, address


def test_binder_installs_the_versions_of_the_lock() -> None:
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)
    locked, binder = (pins(ROOT / name) for name in ("requirements.txt", "binder/requirements.txt"))
    assert {"tensorflow", "jupyterlab", "jupytext", "hatchling"} <= binder.keys()
    assert {name: locked[name] for name in binder.keys() & locked.keys()} == {
        name: binder[name] for name in binder.keys() & locked.keys()
    }


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^ \\]+)", path.read_text("utf-8"), re.MULTILINE))
