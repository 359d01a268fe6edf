"""What is trained, and what of it is refused, when the code that trains it changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path

import pytest
from website import (
    ROOT,
    Build,
    build,
    copy_project,
    copy_results,
    replace,
    soup,
    stored_lessons,
    stored_runs,
)

from bnlab import catalogue, recipes, runs

pytestmark = pytest.mark.copies

# The pages with code, by name.
WITH_CODE = {
    path.relative_to(ROOT).with_suffix("").as_posix().removeprefix("book/"): text
    for path in (*ROOT.glob("lessons/*.md"), *ROOT.glob("book/*.md"))
    if "file_format: mystnb" in (text := path.read_text("utf-8"))
}
ALL = {name for name in WITH_CODE if name.startswith("lessons/")}
# One lesson for each way to come by results, as short as there is, and the two that are named.
FEW = {"lessons/fashion_mnist", "lessons/baseline"} | {
    min((name for name in ALL if way in WITH_CODE[name]), key=lambda name: len(WITH_CODE[name]))
    for way in ("runs.load(", "runs.load_seeds(", "studies.load(")
}
LESSONS = {name: text for name, text in WITH_CODE.items() if name not in ALL - FEW}


def having(code: str) -> set[str]:
    """Return the names of the pages in whose code a text stands."""
    return {name for name, text in LESSONS.items() if code in text}


@pytest.fixture(scope="module")
def built(site: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with few lessons, built once, and beside it what came out."""
    assert site.status == 0
    folder = copy_project(tmp_path_factory.mktemp("truth") / "project")
    leave_out(folder, ALL - FEW)
    copy_results(folder / "_build" / "store")
    assert rebuild(folder).status == 0
    shutil.copytree(folder, folder.with_name("unchanged"), symlinks=True)
    return folder


@pytest.fixture
def project(built: Path) -> Path:
    """The built copy as it was, at the place where it was built. A test may change it."""
    shutil.rmtree(built)
    shutil.copytree(built.with_name("unchanged"), built, symlinks=True)
    return built


def rebuild(project: Path) -> Build:
    """Build the changed copy, with a copy of the results."""
    return build(project, results=project / "_build" / "store")


def executed(project: Path) -> set[str]:
    """Build again, and return the names of the lessons that were executed for it."""
    results = project / "_build" / "store"
    before = stored_lessons(results)
    result = rebuild(project)
    assert result.status == 0, result.output
    after = stored_lessons(results)
    return {after[key] for key in after.keys() - before.keys()}


def never_seen(path: Path) -> None:
    """Add a comment that no store can know, however often these tests have run."""
    path.write_text(f"{path.read_text('utf-8')}# {uuid.uuid4()}\n", "utf-8")


@pytest.fixture
def own_runs(project: Path) -> Path:
    """The project's copy, with a copy of the runs that a test may add to."""
    results = project / "_build" / "store"
    (results / "runs").unlink()
    shutil.rmtree(results)
    copy_results(results, runs_too=True)
    return project


def shown_results(project: Path) -> dict[str, str]:
    """Return the home page's row of results for each network, by its title."""
    table = soup(project / "_build/html/index.html").select_one("table.dataframe")
    rows = table.select("tbody tr")
    return {row.find("th").get_text(): row.get_text() for row in rows}


def leave_out(project: Path, names: set[str]) -> None:
    """Take lessons out of the contents."""
    toc = project / "_toc.yml"
    lines = toc.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.strip().removeprefix("- file: ") not in names]
    assert len(kept) == len(lines) - len(names)
    toc.write_text("".join(kept), "utf-8")


def studying() -> set[str]:
    """Return the names of the lessons that show stored studies."""
    return {name for name in having("studies.load(") if name.startswith("lessons/")}


def test_editing_a_network_refuses_the_stored_studies_before_anything_is_trained(
    own_runs: Path,
) -> None:
    trained = stored_runs(own_runs / "_build" / "store")
    replace(own_runs / "src/bnlab/networks.py", "negative_slope=0.3", "negative_slope=0.25")
    refused = rebuild(own_runs)
    assert refused.status != 0
    assert "StudyError: Of the stored study learning_rates " in refused.output
    assert "runs were trained by other code or on other data" in refused.output
    assert "make study STUDY=learning_rates" in refused.output
    assert stored_runs(own_runs / "_build" / "store") == trained


def test_a_stored_number_that_its_code_does_not_give_fails_the_build(own_runs: Path) -> None:
    path = own_runs / "src/bnlab/studies/learning_rates.json"
    text = path.read_text("utf-8")
    # It may have been trained with another NumPy than what this Python has.
    (key,) = runs.keys([recipes.Recipe("baseline")], json.loads(text)["about"]["versions"])
    line = next(line for line in text.splitlines() if key in line)
    shown = f'"test_accuracy": {json.loads(line.rstrip(","))["test_accuracy"]}'
    replace(path, line, line.replace(shown, '"test_accuracy": 0.5'))
    failed = rebuild(own_runs)
    assert failed.status != 0
    # A number so far off is also one that needs its roundings.
    assert "StudyError: The stored study learning_rates " in failed.output


def test_editing_a_network_trains_it_alone_and_executes_what_shows_it(own_runs: Path) -> None:
    results = own_runs / "_build" / "store"
    leave_out(own_runs, studying())
    assert rebuild(own_runs).status == 0
    before, trained = shown_results(own_runs), stored_runs(results)
    for path in ("src/bnlab/networks.py", "lessons/baseline.md"):  # which must say the same
        replace(own_runs / path, "negative_slope=0.3", "negative_slope=0.25")
    again = executed(own_runs)
    assert again >= (having("runs.load(") | having("runs.load_seeds(")) - studying()
    assert not again & {name for name in LESSONS if name.endswith(("fashion_mnist", "how_fast"))}
    new = [
        json.loads((results / "runs" / key / "run.json").read_text("utf-8"))["recipe"]
        for key in stored_runs(results) - trained
    ]
    assert sorted(recipe["seed"] for recipe in new) == sorted(recipes.SEEDS)
    assert {recipe["network"] for recipe in new} == {"baseline"}
    after = shown_results(own_runs)
    titles = [catalogue.find(name).title for name in catalogue.NETWORKS]
    assert [after[title] == before[title] for title in titles] == [False, True, True]


def test_editing_the_figures_trains_nothing_and_executes_what_draws(project: Path) -> None:
    trained = stored_runs()
    leave_out(project, studying())
    never_seen(project / "src/bnlab/figures/style.py")
    replace(project / "src/bnlab/figures/style.py", "SIZE = (6.4, 4.0)", "SIZE = (6.4, 4.1)")
    page = project / "_build/html/lessons/baseline.html"
    before = {tag["src"] for tag in soup(page).select("article img")}
    assert executed(project) == having("figures.use_style()") - studying()
    assert before - {tag["src"] for tag in soup(page).select("article img")}
    assert stored_runs() == trained


def test_the_lock_and_the_installed_versions_are_named(project: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed" / f"seaborn-{uuid.uuid4().int}.dist-info"
    installed.mkdir(parents=True)
    version = installed.name.removeprefix("seaborn-").removesuffix(".dist-info")
    (installed / "METADATA").write_text(f"Name: seaborn\nVersion: {version}\n", "utf-8")
    # Each lesson is executed again. A part of the contents needs one.
    leave_out(project, FEW - {"lessons/fashion_mnist"})
    lock = project / "requirements.txt"
    never_seen(lock)
    trained, results = stored_runs(), project / "_build" / "store"
    sources = os.pathsep.join(map(str, (installed.parent, project / "src")))
    result = build(project, source=Path(sources), results=results)
    assert result.status == 0, result.output
    assert stored_runs() == trained
    about = soup(project / "_build/html/about.html").get_text()
    assert hashlib.sha256(lock.read_bytes()).hexdigest() in about
    assert version in about
