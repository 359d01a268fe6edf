"""Whatever disturbs a build, the next one ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from website import (
    Build,
    build,
    copy_project,
    copy_results,
    pages_of,
    replace,
    start_build,
    stored_lessons,
)

from bnlab import recipes, runs
from evergreen import store

pytestmark = pytest.mark.site

BASELINE = Path("lessons") / "baseline.md"
# What a cold build makes; the provenance page alone tells one build from another.
PROVENANCE = {"about.html", "_sources/about.md"}


def site_of(result: Build) -> dict[str, bytes]:
    """Return the files of a site, but for the provenance page, by their names."""
    assert result.status == 0, result.output
    return {name: content for name, content in pages_of(result).items() if name not in PROVENANCE}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in one | other if one.get(name) != other.get(name))


def results_of(folder: Path) -> dict[str, bytes]:
    """Return what the course's runs found, without when and where, by key and file."""
    return {
        f"{runs.key(recipe)}/{name}": (folder / "runs" / runs.key(recipe) / name).read_bytes()
        for recipe in recipes.course()
        for name in ("run.json", "test_probabilities.npy")
    }


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, Path]:
    """A build from nothing: every run trained, every lesson executed."""
    project = copy_project(tmp_path_factory.mktemp("cold") / "project")
    results = project / "_build" / "store"
    return build(project, "-W", "--keep-going", results=results), results


def test_two_cold_builds_are_the_same_but_for_the_provenance_page(
    site: Build, cold: tuple[Build, Path]
) -> None:
    # In continuous integration this checkout's site has just been built from nothing, too.
    result, results = cold
    assert differing(site_of(site), site_of(result)) == []
    assert differing(results_of(store.root()), results_of(results)) == []


def left_over(folder: Path) -> list[str]:
    """Return the commands of the processes that work for a project's copy."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{folder}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended
            continue
    return found


def without_lessons(results: Path) -> None:
    shutil.rmtree(results / "lessons")


def without_two_runs(results: Path) -> None:
    shutil.rmtree(results / "lessons")
    for seed in recipes.SEEDS[-2:]:
        shutil.rmtree(results / "runs" / runs.key(recipes.Recipe("baseline", seed)))


def without_nothing(results: Path) -> None:
    pass


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="This system has no /proc.")
@pytest.mark.parametrize(
    ("prepare", "kills", "longest"),
    [(without_two_runs, 3, 20.0), (without_lessons, 4, 20.0), (without_nothing, 5, 6.0)],
    ids=["training", "executing", "writing"],
)
def test_a_build_killed_at_any_moment_is_completed_by_the_next(
    site: Build,
    tmp_path: Path,
    prepare: Callable[[Path], None],
    kills: int,
    longest: float,
) -> None:
    project = copy_project(tmp_path / "project")
    results = project / "_build" / "store"
    copy_results(results, runs_too=True)
    prepare(results)
    moments = random.Random(42)
    for kill in range(kills):
        process = start_build(project, results=results, start_new_session=True)
        time.sleep(moments.uniform(1.0, longest))
        # One time alone, so that what it has started is left without it; one time with all.
        (os.kill if kill % 2 else os.killpg)(process.pid, signal.SIGKILL)
        process.communicate()
    result = build(project, "-W", "--keep-going", results=results)
    assert differing(site_of(site), site_of(result)) == []
    assert differing(results_of(store.root()), results_of(results)) == []
    for _ in range(100):
        if not left_over(project):
            break
        time.sleep(0.1)
    assert left_over(project) == []
    drafts = [path for path in results.rglob(".*") if path.is_dir()]
    assert drafts == []


@pytest.fixture
def project(site: Build, tmp_path: Path) -> Path:
    """A copy of the project with a store of its own, in which one lesson is stale."""
    folder = copy_project(tmp_path / "project")
    copy_results(folder / "_build" / "store")
    replace(folder / BASELINE, "print(run.log())", f"print(run.log())  # {uuid.uuid4()}")
    return folder


def test_two_builds_at_the_same_time_in_one_checkout_do_no_harm(
    project: Path,
) -> None:
    results = project / "_build" / "store"
    before = stored_lessons(results)
    processes = [start_build(project, results=results) for _ in range(2)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    assert sum("Another build of this checkout is under way" in text for text in outputs) == 1
    assert len(stored_lessons(results) - before) == 1
    together = pages_of(Build(project / "_build" / "html", 0, ""))
    for folder in ("html", ".doctrees", "jupyter_execute"):
        shutil.rmtree(project / "_build" / folder)
    assert differing(together, pages_of(build(project, results=results))) == []


def test_two_checkouts_that_share_a_store_make_each_result_once(
    project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other, symlinks=True)
    results = project / "_build" / "store"
    before = stored_lessons(results)
    processes = [start_build(folder, results=results) for folder in (project, other)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    assert len(stored_lessons(results) - before) == 1
    one, two = (Build(folder / "_build" / "html", 0, "") for folder in (project, other))
    assert differing(site_of(one), site_of(two)) == []


def test_a_damaged_result_is_made_again_and_the_page_is_the_same(
    site: Build, project: Path
) -> None:
    results = project / "_build" / "store"
    first = site_of(build(project, results=results))
    for lesson in results.joinpath("lessons").iterdir():
        if lesson.is_dir():
            outputs = lesson / "outputs.json"
            os.truncate(outputs, outputs.stat().st_size // 2)
    result = build(project, results=results)
    assert "is damaged; it is made again" in result.output
    assert differing(first, site_of(result)) == []


@pytest.fixture
def in_a_namespace() -> list[str]:
    """A command that runs a shell script with mounts of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"]).returncode != 0:
        pytest.skip("This system does not let a test mount a disk of its own.")
    return command


READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"'


def test_a_store_that_may_only_be_read_serves_what_it_has_and_explains_what_it_lacks(
    site: Build, project: Path, in_a_namespace: list[str]
) -> None:
    results = project / "_build" / "store"
    prefix = [*in_a_namespace, READ_ONLY, str(results)]
    lacking = build(project, results=results, prefix=prefix)
    assert lacking.status != 0
    assert "cannot be written to" in lacking.output
    assert "set EVERGREEN_STORE to another folder" in lacking.output
    assert "Traceback" not in lacking.output
    shutil.copy2(Path(__file__).parent.parent / BASELINE, project / BASELINE)
    served = build(project, results=results, prefix=prefix)
    assert differing(site_of(site), site_of(served)) == []
    shutil.rmtree(results / "portable")
    lacking = build(project, results=results, prefix=prefix)
    assert lacking.status != 0
    assert "cannot be written to" in lacking.output
    assert "Traceback" not in lacking.output


FULL = """
runs=$(readlink -f "$0/runs"); mount -t tmpfs -o size=150k tmpfs "$0"; ln -s "$runs" "$0/runs"
"$@" && status=0 || status=$?
for entry in $(find "$0/lessons" "$0/matplotlib" -mindepth 1 -maxdepth 1 -type d); do
  test -f "$entry/manifest.json" || echo "half written: $entry"
done
exit $status
"""


def test_a_full_disk_is_explained_and_leaves_nothing_half_written(
    project: Path, in_a_namespace: list[str]
) -> None:
    results = project / "_build" / "store"
    result = build(project, results=results, prefix=[*in_a_namespace, FULL, str(results)])
    assert result.status != 0
    assert "is full. Free some space" in result.output
    assert "half written" not in result.output
    assert "Traceback" not in result.output


def test_the_first_failing_cell_ends_the_lessons_beside_it(project: Path, tmp_path: Path) -> None:
    marks = tmp_path / "ended"
    replace(project / BASELINE, "print(run.log())", "print(run.no_such_log())")
    replace(
        project / "lessons" / "fashion_mnist.md",
        "from bnlab",
        f"import time; time.sleep(45); open({str(marks)!r}, 'w').close()\nfrom bnlab",
    )
    result = build(project, results=project / "_build" / "store")
    assert result.status != 0
    assert "lessons/baseline.md, code cell" in result.output
    assert "no_such_log" in result.output
    assert result.output.count("LessonError") == 1
    assert not marks.exists()
    assert left_over(project) == []
