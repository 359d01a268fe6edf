"""The site as it was built: whole, linked, described, and saying what the runs say.

What is asked of a lesson holds for whatever is on its page, so that a teacher may write, add and
take out lessons. To stay are the first page with its table of results, and the reference part.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pickle
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from support.contents import EXECUTED, PAGES
from website import (
    ROOT,
    Build,
    build,
    pages,
    pages_of,
    parsed,
    soup,
    stored_lessons,
    stored_runs,
)

import bnlab
from bnlab import arithmetic, catalogue, data, recipes, runs
from evergreen import store


def text_of(site: Build, name: str) -> str:
    article = parsed(site.html / f"{name}.html").select_one("article.bd-article")
    assert article is not None
    return re.sub(r"\s+", " ", article.get_text(" "))


def test_the_build_succeeds_without_a_warning(site: Build) -> None:
    assert site.status == 0, site.output
    assert "WARNING" not in site.output
    assert not re.search(r"(bnlab|evergreen).*Warning", site.output)


def test_every_page_of_the_contents_is_written(site: Build) -> None:
    written = {path.relative_to(site.html).as_posix() for path in pages(site)}
    assert {f"{name}.html" for name in PAGES} <= written


def test_what_is_kept_of_a_page_holds_nothing_of_the_others(site: Build) -> None:
    """Each build reads what the last one kept of every page."""
    kept = sorted((site.html.parent / ".doctrees").rglob("*.doctree"))
    assert len(kept) >= len(PAGES)
    for path in kept:
        page = pickle.loads(path.read_bytes())
        assert all(node.document is page for node in page.findall()), path


@pytest.mark.parametrize("name", EXECUTED)
def test_a_page_shows_the_outputs_of_its_cells_and_no_error(site: Build, name: str) -> None:
    executed = nbformat.read(site.html.parent / "jupyter_execute" / f"{name}.ipynb", as_version=4)
    showing = [
        cell
        for cell in executed.cells
        if cell.cell_type == "code"
        and not {"remove-cell", "remove-output"} & set(cell.metadata.get("tags", []))
        and any("scrapbook" not in output.get("metadata", {}) for output in cell.outputs)
    ]
    page = parsed(site.html / f"{name}.html")
    assert len(page.select("div.cell_output")) == len(showing)
    assert not page.select(".traceback, .stderr")


@pytest.mark.parametrize("name", EXECUTED)
def test_a_solution_is_folded_executed_and_leads_to_its_exercise(site: Build, name: str) -> None:
    page = parsed(site.html / f"{name}.html")
    exercises = {f"#{exercise['id']}" for exercise in page.select("div.exercise")}
    for solution in page.select("div.solution"):
        assert "dropdown" in solution["class"]
        assert solution.select_one(".admonition-title a")["href"] in exercises
        if solution.select("div.cell"):
            assert solution.select("div.cell_output"), "the solution was not executed"


def test_every_picture_says_what_it_shows(site: Build) -> None:
    for path in pages(site):
        for picture in parsed(path).select("article img"):
            alt = picture.get("alt", "").strip()
            assert " " in alt, f"{path}: {picture} has no description, or a file's name"
            caption = (picture.find_parent("figure") or picture).find("figcaption")
            assert caption is None or caption.get_text(strip=True), f"{path}: an empty caption"


def test_every_link_and_every_picture_leads_somewhere(site: Build) -> None:
    targets = {path: parsed(path) for path in pages(site)}
    names = {
        path: {tag["id"] for tag in page.select("[id]")}
        | {tag["name"] for tag in page.select("a[name]")}
        for path, page in targets.items()
    }
    broken = []
    for path, page in targets.items():
        for tag in page.select("[href]:not(base), [src]"):
            link = urlsplit(tag.get("href") or tag.get("src") or "")
            if link.scheme or link.netloc:
                continue
            target = (path.parent / unquote(link.path)).resolve() if link.path else path
            if target.is_dir():
                target /= "index.html"
            fragment = unquote(link.fragment)
            if not target.is_file() or (
                fragment and target in names and fragment not in names[target]
            ):
                broken.append((path.name, tag.get("href") or tag.get("src")))
    assert not broken


def test_no_page_asks_another_host(site: Build) -> None:
    for path in pages(site):
        page = parsed(path)
        for tag in page.select("script[src], link[href], img[src], iframe[src], source[src]"):
            address = tag.get("src") or tag.get("href")
            rel = tag.get("rel") or []
            assert not urlsplit(address).netloc or "canonical" in rel, f"{path.name}: {tag}"
    for path in site.html.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text("utf-8")), path


def test_formulas_are_mathml_and_none_is_left_as_latex(site: Build) -> None:
    for path in pages(site):
        page = soup(path)
        assert not page.select("div.math > :not(math), span.math > :not(math)")
        for code in page.select("article pre, article code"):
            code.decompose()
        assert not re.search(r"\$[^$]*\\[a-z]+|\\frac|\\(mathrm|hat|sqrt)\b", page.get_text()), path


def printed(site: Build, beginning: str) -> Iterator[str]:
    """Yield what the site's cells print and begin with these words."""
    for name in EXECUTED:
        for block in parsed(site.html / f"{name}.html").select(".cell_output pre"):
            if block.get_text().startswith(beginning):
                yield block.get_text()


def test_a_log_on_a_page_is_that_of_a_stored_run(site: Build) -> None:
    logs = set()
    for path in (store.root() / "runs").glob("*/run.json"):
        record = json.loads(path.read_text("utf-8"))
        recipe = recipes.Recipe(**record.pop("recipe"))
        logs.add(runs.Result(recipe=recipe, key=path.parent.name, **record).log())
    assert {log.strip() for log in printed(site, "Epoch 1/")} <= logs


def test_a_summary_of_a_network_counts_as_the_package_does(site: Build) -> None:
    for summary in printed(site, "Model: "):
        name = summary.split('"')[1]
        if name in catalogue.NETWORKS:
            total = arithmetic.totals(arithmetic.count(name))
            shown = re.findall(r"params: ([\d,]+)", summary)
            expected = (total.total, total.trainable, total.non_trainable)
            assert shown == [f"{count:,}" for count in expected], summary


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_the_first_page_shows_the_store_s_means_and_spreads(
    site: Build, course: dict[str, list[runs.Run]], network: str
) -> None:
    table = parsed(site.html / f"{PAGES[0]}.html").select_one("table.dataframe")
    assert table is not None
    rows = {
        row.find("th").get_text(): [cell.get_text() for cell in row.find_all("td")]
        for row in table.select("tbody tr")
    }
    expected = [
        f"{spread.mean:.1%} ± {spread.sd:.1%}"
        for spread in (runs.spread(course[network], m) for m in ("val_accuracy", "test_accuracy"))
    ]
    assert rows[catalogue.find(network).title] == expected


def test_the_provenance_page_names_what_made_the_numbers(site: Build) -> None:
    text = text_of(site, "about")
    assert data.digest() in text
    for recipe in recipes.course():
        assert str(recipe) in text
        assert runs.key(recipe)[:12] in text
    for name in EXECUTED:
        title = parsed(site.html / f"{name}.html").select_one("article h1").get_text(strip=True)
        assert re.sub(r"^\d+\.\s*|#$", "", title) in text


def test_no_page_but_provenance_names_this_machine(site: Build) -> None:
    for path in pages(site):
        if path.name != "about.html":
            assert f"{ROOT}/" not in path.read_text("utf-8"), path
        # The committed benchmark may have been made on this very machine.
        if path.name not in ("about.html", "how_fast.html"):
            assert runs.processor() not in path.read_text("utf-8"), path


PUBLIC = [
    *("evergreen.claims", "evergreen.errors", "evergreen.progress"),
    *("evergreen.sources", "evergreen.store"),
    *(
        module.name
        for module in pkgutil.walk_packages(bnlab.__path__, "bnlab.")
        if not re.search(r"\.(_|site\b)", module.name)
    ),
]
"""The modules that lessons may import. What :mod:`bnlab.site` has is for the build."""


def public(owner: ModuleType | type) -> Iterator[tuple[str, object]]:
    """Yield what a module or class defines for others, by name: functions, classes, properties."""
    for name, value in vars(owner).items():
        own = getattr(value, "__module__", owner.__name__) == owner.__name__
        if isinstance(owner, ModuleType) and not own:
            continue
        if name.startswith("_") or not (
            inspect.isroutine(value) or isinstance(value, type | property)
        ):
            continue
        yield f"{owner.__name__}.{name}", value
        if isinstance(value, type) and isinstance(owner, ModuleType):
            yield from ((f"{owner.__name__}.{n}", v) for n, v in public(value))


@pytest.fixture(scope="module")
def documented(site: Build) -> list[object]:
    """All functions, classes and members that some page documents."""
    found = [parsed(site.html / f"{name}.html").select("dl.py > dt[id]") for name in PAGES]
    return [located(tag["id"]) for tags in found for tag in tags]


def located(name: str) -> object:
    """Return what has a full name; a package may have something else by the name of a module."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        owner, _, last = name.rpartition(".")
        return getattr(located(owner), last)


@pytest.mark.parametrize("module", PUBLIC)
def test_the_reference_documents_all_that_a_module_offers(
    documented: list[object], module: str
) -> None:
    offered = public(importlib.import_module(module))
    assert [name for name, value in offered if not any(value is one for one in documented)] == []


@pytest.mark.address
def test_there_is_a_sitemap_where_the_address_is_known(site: Build) -> None:
    assert (site.html / "sitemap.xml").exists() == bool(os.environ.get("SITE_ADDRESS"))


def test_a_second_build_changes_nothing_and_executes_nothing(site: Build) -> None:
    before, lessons, trained = pages_of(site), stored_lessons(), stored_runs()
    again = build(ROOT)
    assert again.status == 0
    after = pages_of(again)
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()
    assert stored_lessons() == lessons
    assert stored_runs() == trained
