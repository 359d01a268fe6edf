"""The site as it was built: whole, linked, described, and saying what the runs say."""

from __future__ import annotations

import os
import pickle
import re
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from website import ROOT, Build, build, pages, pages_of, soup, stored_lessons, stored_runs

from bnlab import arithmetic, catalogue, data, recipes, runs

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("*.md"))


def text_of(site: Build, name: str) -> str:
    article = soup(site.html / f"{name}.html").select_one("article.bd-article")
    assert article is not None
    return re.sub(r"\s+", " ", article.get_text(" "))


def test_the_build_succeeds_without_a_warning(site: Build) -> None:
    assert site.status == 0, site.output
    assert "WARNING" not in site.output
    assert not re.search(r"(bnlab|evergreen).*Warning", site.output)


def test_every_page_of_the_contents_is_written(site: Build) -> None:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    names = [contents["root"]]
    names += [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    assert {f"lessons/{lesson}" for lesson in LESSONS} <= set(names)
    for name in names:
        assert (site.html / f"{name}.html").is_file(), name


def test_what_is_kept_of_a_page_holds_nothing_of_the_others(site: Build) -> None:
    """Each build reads what the last one kept of every page."""
    kept = sorted((site.html.parent / ".doctrees").rglob("*.doctree"))
    assert len(kept) >= len(LESSONS)
    for path in kept:
        page = pickle.loads(path.read_bytes())
        assert all(node.document is page for node in page.findall()), path


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_shows_the_outputs_of_its_cells(site: Build, lesson: str) -> None:
    page = soup(site.html / "lessons" / f"{lesson}.html")
    cells = page.select("div.cell")
    assert len(cells) >= 5
    assert len(page.select("div.cell_output")) >= len(cells) / 2
    assert not page.select(".traceback, .stderr")
    assert page.select("figure img, .cell_output img")
    assert page.select("p.claim")


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_exercises_whose_solutions_are_folded(site: Build, lesson: str) -> None:
    page = soup(site.html / "lessons" / f"{lesson}.html")
    exercises = page.select("div.exercise")
    solutions = page.select("div.solution")
    assert 2 <= len(exercises) <= 3
    assert len(solutions) == len(exercises)
    for solution in solutions:
        assert "dropdown" in solution["class"]
        assert solution.select("div.cell_output"), "the solution was not executed"


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_ends_with_a_summary(site: Build, lesson: str) -> None:
    page = soup(site.html / "lessons" / f"{lesson}.html")
    assert page.select("section")[-1]["id"] == "summary"


def test_every_picture_says_what_it_shows(site: Build) -> None:
    pictures = 0
    for path in pages(site):
        for picture in soup(path).select("article img"):
            pictures += 1
            assert len(picture.get("alt", "")) >= 60, f"{path}: {picture}"
            figure = picture.find_parent("figure")
            assert figure is not None, f"{path}: {picture} has no caption"
            assert figure.find("figcaption").get_text(strip=True)
    assert pictures >= 2 * len(LESSONS)


def test_every_link_and_every_picture_leads_somewhere(site: Build) -> None:
    targets = {path: soup(path) for path in pages(site)}
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
        page = soup(path)
        for tag in page.select("script[src], link[href], img[src], iframe[src], source[src]"):
            address = tag.get("src") or tag.get("href")
            rel = tag.get("rel") or []
            assert not urlsplit(address).netloc or "canonical" in rel, f"{path.name}: {tag}"
    for path in site.html.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text("utf-8")), path


def test_formulas_are_mathml_and_none_is_left_as_latex(site: Build) -> None:
    formulas = 0
    for path in pages(site):
        page = soup(path)
        formulas += len(page.find_all("math"))
        for code in page.select("article pre, article code"):
            code.decompose()
        assert not re.search(r"\$[^$]*\\[a-z]+|\\frac|\\(mathrm|hat|sqrt)\b", page.get_text()), path
    assert formulas >= 10


def test_the_baselines_page_shows_its_run(site: Build) -> None:
    run = runs.find(recipes.Recipe("baseline"))
    assert run is not None
    page = soup(site.html / "lessons" / "baseline.html")
    assert any(run.log() in block.get_text() for block in page.select(".cell_output pre"))
    glued = [tag.get_text() for tag in page.select(".pasted-text")]
    for shown in (
        f"{run.final('val_accuracy'):.1%}",
        f"{run.history['val_accuracy'][0]:.1%}",
        f"{run.test_accuracy:.1%}",
        str(-(-(60_000 - data.VALID_SIZE) // run.recipe.batch_size)),
    ):
        assert shown in glued


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_the_home_page_shows_the_store_s_means_and_spreads(site: Build, network: str) -> None:
    stored = [runs.find(recipes.Recipe(network, seed)) for seed in recipes.SEEDS]
    table = soup(site.html / "index.html").select_one("table.dataframe")
    assert table is not None
    rows = {
        row.find("th").get_text(): [cell.get_text() for cell in row.find_all("td")]
        for row in table.select("tbody tr")
    }
    expected = [
        f"{spread.mean:.1%} ± {spread.sd:.1%}"
        for spread in (runs.spread(stored, m) for m in ("val_accuracy", "test_accuracy"))
    ]
    assert rows[catalogue.find(network).title] == expected


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_each_network_s_page_shows_keras_s_counts(site: Build, network: str) -> None:
    total = arithmetic.totals(arithmetic.count(network))
    text = text_of(site, f"lessons/{network}")
    assert f"Total params: {total.total:,}" in text
    assert f"Trainable params: {total.trainable:,}" in text
    assert f"Non-trainable params: {total.non_trainable:,}" in text


def test_the_arithmetic_is_written_out(site: Build) -> None:
    text = text_of(site, "lessons/parameter_arithmetic").replace(",", "")
    for number in (3136, 1200, 400, 4736, 266610, 271346, 2368, 268978, 270946, 268578):
        assert str(number) in text, number


def test_the_provenance_page_names_what_made_the_numbers(site: Build) -> None:
    text = text_of(site, "about")
    assert data.digest() in text
    for recipe in recipes.course():
        assert str(recipe) in text
        assert runs.key(recipe)[:12] in text
    for lesson in LESSONS:
        title = soup(site.html / "lessons" / f"{lesson}.html").find("h1").get_text(strip=True)
        assert re.sub(r"^\d+\.\s*|#$", "", title) in text


def test_no_page_but_provenance_names_this_machine(site: Build) -> None:
    for path in pages(site):
        if path.name != "about.html":
            assert f"{ROOT}/" not in path.read_text("utf-8"), path
        # The committed benchmark may have been made on this very machine.
        if path.name not in ("about.html", "how_fast.html"):
            assert runs.processor() not in path.read_text("utf-8"), path


def test_the_reference_documents_every_public_function(site: Build) -> None:
    documented = {
        tag["id"]
        for page in ("reference", "reference_layers", "reference_studies", "machinery")
        for tag in soup(site.html / f"{page}.html").select("dt[id]")
    }
    for name in ("data.load", "training.fit", "runs.load_all", "arithmetic.count", "claims.claim"):
        assert f"bnlab.{name}" in documented


@pytest.mark.address
def test_there_is_a_sitemap_where_the_address_is_known(site: Build) -> None:
    assert (site.html / "sitemap.xml").exists() == bool(os.environ.get("SITE_ADDRESS"))


def test_a_second_build_changes_nothing_and_executes_nothing(site: Build) -> None:
    before, lessons, trained = pages_of(site), stored_lessons(), stored_runs()
    again = build(ROOT)
    assert again.status == 0
    after = pages_of(again)
    assert [name for name in before | after if before.get(name) != after.get(name)] == []
    assert stored_lessons() == lessons
    assert stored_runs() == trained
