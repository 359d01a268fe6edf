"""A page is never older than its code, and a failure is never a page."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable
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

# The pages with code, and those of them that draw.
LESSONS = [
    path
    for path in (*ROOT.glob("lessons/*.md"), *ROOT.glob("book/*.md"))
    if "file_format: mystnb" in path.read_text("utf-8")
]
DRAWING = [path for path in LESSONS if "figures.use_style()" in path.read_text("utf-8")]
BASELINE = Path("lessons") / "baseline.md"
CLAIM = "    total == model.count_params(),"


@pytest.fixture
def project(site: Build, tmp_path: Path) -> Path:
    """A copy of the project that was built once and may be changed."""
    assert site.status == 0
    folder = copy_project(tmp_path / "project")
    copy_results(folder / "_build" / "store")
    assert rebuild(folder).status == 0
    return folder


def rebuild(project: Path) -> Build:
    """Build the changed copy, with a copy of the results."""
    return build(project, results=project / "_build" / "store")


def executed(project: Path) -> int:
    """Build again, and count the lessons that were executed for it."""
    results = project / "_build" / "store"
    before = stored_lessons(results)
    result = rebuild(project)
    assert result.status == 0, result.output
    return len(stored_lessons(results) - before)


def test_a_failing_cell_fails_the_build_and_is_named(project: Path) -> None:
    replace(project / BASELINE, "layers = arithmetic.count", "layers = arithmetic.miscount")
    result = rebuild(project)
    assert result.status != 0
    assert "lessons/baseline.md, code cell 3 (line " in result.output
    assert "AttributeError" in result.output
    assert "miscount" in result.output


def test_a_false_claim_fails_the_build_and_is_named(project: Path) -> None:
    replace(project / BASELINE, CLAIM, CLAIM.replace("==", "!="))
    result = rebuild(project)
    assert result.status != 0
    assert "lessons/baseline.md, code cell 4" in result.output
    assert "This claim does not hold" in result.output


def test_a_cell_that_writes_to_stderr_fails_the_build(project: Path) -> None:
    replace(
        project / BASELINE,
        CLAIM,
        f"    print('careful', file=__import__('sys').stderr) or\n{CLAIM}",
    )
    result = rebuild(project)
    assert result.status != 0
    assert "wrote to stderr" in result.output


def test_a_lesson_that_is_not_python_fails_the_build(project: Path) -> None:
    replace(project / BASELINE, "layers = arithmetic", "layers == = arithmetic")
    result = rebuild(project)
    assert result.status != 0
    assert "lessons/baseline" in result.output


def test_a_failed_build_is_mended_by_the_next(project: Path) -> None:
    original = (project / BASELINE).read_text("utf-8")
    replace(project / BASELINE, CLAIM, CLAIM.replace("==", "!="))
    assert rebuild(project).status != 0
    (project / BASELINE).write_text(original, "utf-8")
    assert executed(project) == 0


def test_editing_prose_executes_nothing(project: Path) -> None:
    replace(project / BASELINE, "How well does", "Just how well does")
    assert executed(project) == 0
    assert "Just how well does" in (project / "_build/html/lessons/baseline.html").read_text(
        "utf-8"
    )


def test_editing_a_cell_executes_that_lesson_alone(project: Path) -> None:
    replace(project / BASELINE, "print(run.log())", f"print(run.log().upper())  # {uuid.uuid4()}")
    assert executed(project) == 1
    page = soup(project / "_build/html/lessons/baseline.html")
    assert any("VAL_ACCURACY" in tag.get_text() for tag in page.select(".cell_output pre"))


def test_touching_a_file_executes_nothing(project: Path) -> None:
    (project / "src/bnlab/figures.py").touch()
    (project / BASELINE).touch()
    assert executed(project) == 0


def never_seen(path: Path) -> None:
    """Add a comment that no store can know, however often these tests have run."""
    path.write_text(f"{path.read_text('utf-8')}# {uuid.uuid4()}\n", "utf-8")


def edit_notebook(project: Path) -> None:
    replace(project / "src/bnlab/notebook.py", "0.7160", "0.7161")
    never_seen(project / "src/bnlab/notebook.py")


def edit_arithmetic(project: Path) -> None:
    replace(project / "src/bnlab/arithmetic.py", '·{outputs}"', '×{outputs}"')
    never_seen(project / "src/bnlab/arithmetic.py")


@pytest.mark.parametrize(
    ("edit", "shown"), [(edit_notebook, "0.7161"), (edit_arithmetic, "784×300 + 300")]
)
def test_editing_a_module_shows_on_the_pages_that_import_it(
    project: Path, edit: Callable[[Path], None], shown: str
) -> None:
    trained = stored_runs()
    edit(project)
    assert executed(project) >= 1
    assert shown in (project / "_build/html/lessons/baseline.html").read_text("utf-8")
    assert stored_runs() == trained


def test_a_deleted_lesson_leaves_no_page_and_a_new_one_joins(project: Path) -> None:
    (project / "lessons/tensorboard.md").rename(project / "lessons/another.md")
    replace(
        project / "lessons/another.md", "# TensorBoard", "# Another lesson {cite}`he2015delving`"
    )
    replace(project / "_toc.yml", "lessons/tensorboard", "lessons/another")
    replace(project / "lessons/comparison.md", "{doc}`tensorboard`", "{doc}`another`")
    assert executed(project) == 0
    html = project / "_build" / "html"
    assert not (html / "lessons/tensorboard.html").exists()
    another = soup(html / "lessons/another.html")
    assert len(another.select("div.cell_output")) >= len(another.select("div.cell")) / 2
    for page in ("index.html", "about.html", "lessons/another.html"):
        assert "Another lesson" in (html / page).read_text("utf-8")
        assert "tensorboard.html" not in (html / page).read_text("utf-8")


def test_a_new_title_shows_on_every_page(project: Path) -> None:
    replace(project / BASELINE, "# The baseline network", "# The plain network")
    assert executed(project) == 0
    for page in (project / "_build" / "html").rglob("[a-z]*.html"):
        if "_static" not in page.parts:
            assert "The plain network" in page.read_text("utf-8"), page
            assert "The baseline network" not in soup(page).select_one("nav.bd-links").get_text()


def test_a_new_citation_joins_the_bibliography(project: Path) -> None:
    page = project / "_build/html/bibliography.html"
    assert "Keras" not in soup(page).select_one("article").get_text()
    replace(project / BASELINE, "How well does", "How well {cite}`chollet2015keras` does")
    assert executed(project) == 0
    assert "Keras" in soup(page).select_one("article").get_text()


def git(project: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A test", "-c", "user.email=test@example.org")
    subprocess.run(["git", "-C", project, *identity, *arguments], check=True, capture_output=True)


def test_going_back_and_forth_between_branches_finds_the_results_of_each(project: Path) -> None:
    page = project / "_build/html/lessons/baseline.html"
    (project / ".gitignore").write_text("_build\n__pycache__\n", "utf-8")
    git(project, "init", "--initial-branch", "first")
    git(project, "add", ".")
    git(project, "commit", "--message", "First")
    git(project, "checkout", "-b", "second")
    edit_notebook(project)
    git(project, "commit", "--all", "--message", "Second")
    first = page.read_bytes()
    assert executed(project) >= 1
    second = page.read_bytes()
    assert second != first
    for branch, shown in (("first", first), ("second", second)):
        git(project, "checkout", branch)
        assert executed(project) == 0
        assert page.read_bytes() == shown


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


ON_STUDIES = ("what_bn_buys", "batch_size")


def leave_out_the_studies(project: Path) -> None:
    """Take away the lessons that show stored studies, and what leads to them."""
    for name in ON_STUDIES:
        (project / "lessons" / f"{name}.md").unlink()
        replace(project / "_toc.yml", f"      - file: lessons/{name}\n", "")
    names = "|".join(ON_STUDIES)
    for page in (*project.glob("lessons/*.md"), *project.glob("book/*.md")):
        text = page.read_text("utf-8")
        text = re.sub(rf"{{doc}}`(lessons/)?({names})`", "another lesson", text)
        text = re.sub(rf":link: lessons/({names})", ":link: lessons/comparison", text)
        page.write_text(text, "utf-8")


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
    key = runs.key(recipes.Recipe("baseline"))
    text = path.read_text("utf-8")
    line = next(line for line in text.splitlines() if key in line)
    shown = f'"test_accuracy": {json.loads(line.rstrip(","))["test_accuracy"]}'
    replace(path, line, line.replace(shown, '"test_accuracy": 0.5'))
    failed = rebuild(own_runs)
    assert failed.status != 0
    assert "StudyError: The stored study learning_rates is not what its code gives" in failed.output
    assert "Baseline, seed 42 has 0.5 as its stored test accuracy" in failed.output


def test_editing_a_network_trains_it_alone_and_executes_what_shows_it(own_runs: Path) -> None:
    results = own_runs / "_build" / "store"
    leave_out_the_studies(own_runs)
    assert rebuild(own_runs).status == 0
    before, trained = shown_results(own_runs), stored_runs(results)
    replace(own_runs / "src/bnlab/networks.py", "negative_slope=0.3", "negative_slope=0.25")
    assert executed(own_runs) == len(LESSONS) - len(ON_STUDIES)
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
    never_seen(project / "src/bnlab/figures.py")
    replace(project / "src/bnlab/figures.py", "SIZE = (6.4, 4.0)", "SIZE = (6.4, 4.1)")
    page = project / "_build/html/lessons/baseline.html"
    before = {tag["src"] for tag in soup(page).select("article img")}
    assert executed(project) == len(DRAWING)
    assert before - {tag["src"] for tag in soup(page).select("article img")}
    assert stored_runs() == trained


def test_another_version_of_a_library_executes_every_lesson_and_its_lock_is_named(
    project: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "installed" / f"seaborn-{uuid.uuid4().int}.dist-info"
    installed.mkdir(parents=True)
    version = installed.name.removeprefix("seaborn-").removesuffix(".dist-info")
    (installed / "METADATA").write_text(f"Name: seaborn\nVersion: {version}\n", "utf-8")
    lock = project / "requirements.txt"
    never_seen(lock)
    trained, results = stored_runs(), project / "_build" / "store"
    before = stored_lessons(results)
    sources = os.pathsep.join(map(str, (installed.parent, project / "src")))
    result = build(project, source=Path(sources), results=results)
    assert result.status == 0, result.output
    assert len(stored_lessons(results) - before) == len(LESSONS)
    assert stored_runs() == trained
    about = soup(project / "_build/html/about.html").get_text()
    assert hashlib.sha256(lock.read_bytes()).hexdigest() in about
    assert version in about


def test_a_file_that_a_lesson_names_counts_as_its_code(project: Path) -> None:
    (project / "lessons" / "numbers.csv").write_text(f"{uuid.uuid4()}\n", "utf-8")
    replace(project / BASELINE, "kernelspec:", "bnlab:\n  files: [numbers.csv]\nkernelspec:")
    assert executed(project) == 1
    assert executed(project) == 0
    (project / "lessons" / "numbers.csv").write_text(f"{uuid.uuid4()}\n", "utf-8")
    assert executed(project) == 1
    (project / "lessons" / "numbers.csv").unlink()
    result = rebuild(project)
    assert result.status != 0
    assert "lessons/baseline: a file that its front matter names cannot be read" in result.output


def test_another_checkout_s_package_is_refused(project: Path, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "other")
    result = build(other, source=project / "src")
    assert result.status != 0
    assert "not in this checkout" in result.output
