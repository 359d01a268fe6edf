"""A stored study is what the present code gives, or is refused with the way to renew it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from package import SOURCE, copy_package, python, start
from website import replace

from bnlab import catalogue, recipes, runs
from bnlab import studies as study
from bnlab.recipes import Recipe
from bnlab.site import spot_checks
from bnlab.studies import sweeps
from bnlab.studies.sweeps import SWEEPS, Sweep
from evergreen import store

Course = dict[str, list[runs.Run]]

TINY = Sweep(
    "tiny",
    "Does it work at all?",
    (
        Recipe("baseline", 1, epochs=1),
        Recipe("baseline", 2, epochs=1),
        Recipe("bn_approach_one", 1, epochs=1, learning_rate=0.1),
        Recipe("baseline", 1, epochs=1, learning_rate=1e6),
    ),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored studies that a test may change."""
    copy = tmp_path / "studies"
    shutil.copytree(study.FOLDER, copy)
    monkeypatch.setattr(study, "FOLDER", copy)
    return copy


@pytest.fixture
def tiny(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """A small sweep among the others, of which nothing is stored."""
    monkeypatch.setitem(sweeps.SWEEPS, TINY.name, TINY)
    return TINY


# What is stored.


def test_every_sweep_is_stored_and_nothing_else() -> None:
    assert {path.name for path in study.FOLDER.iterdir()} == {f"{name}.json" for name in SWEEPS}
    assert study.stored() == list(SWEEPS)


@pytest.mark.parametrize("name", SWEEPS)
def test_a_stored_study_matches_the_code_the_data_and_the_versions(name: str) -> None:
    loaded = study.load(name, strict=True)
    assert [result.recipe for result in loaded.results] == list(SWEEPS[name].recipes)
    assert [result.key for result in loaded.results] == runs.keys(
        SWEEPS[name].recipes, loaded.versions
    )


@pytest.mark.parametrize("name", SWEEPS)
def test_every_setting_has_five_seeds(name: str) -> None:
    settings: dict[Recipe, list[int]] = {}
    for recipe in SWEEPS[name].recipes:
        settings.setdefault(dataclasses.replace(recipe, seed=0), []).append(recipe.seed)
    assert {tuple(seeds) for seeds in settings.values()} == {recipes.SEEDS}


@pytest.mark.parametrize("name", ["learning_rates", "fair_baseline", "initial_scales"])
def test_a_stored_study_holds_what_the_course_s_runs_found(name: str, course: Course) -> None:
    of_course = [run for of_network in course.values() for run in of_network]
    checks = spot_checks.check([study.load(name)], of_course)
    assert [check.recipe for check in checks] == [run.recipe for run in of_course]
    assert all(check.difference < 0.05 for check in checks)


@pytest.mark.parametrize("name", SWEEPS)
def test_a_diverged_run_is_stored_as_a_result(name: str) -> None:
    for result in study.load(name).results:
        assert 0 < result.final("test_accuracy") < 1
        assert result.diverged == math.isnan(result.final("loss"))
        if result.diverged:  # the answer to every image is the same class
            assert result.final("accuracy") < 0.11
        assert len(result.history["val_accuracy"]) == result.recipe.epochs


def test_results_are_selected_by_the_recipe_s_fields() -> None:
    loaded = study.load("fair_baseline")
    own = loaded.select(network="baseline", activation="leaky_relu", initializer="he_normal")
    assert [result.recipe for result in own] == [Recipe("baseline", s) for s in recipes.SEEDS]
    relu = loaded.select(activation="relu", seed=3)
    assert {result.recipe.hidden[0] for result in relu} == {"relu"}
    assert {result.recipe.network for result in relu} == set(catalogue.NETWORKS)
    with pytest.raises(ValueError, match=r"fair_baseline has no run with \{'seed': 77\}"):
        loaded.select(seed=77)


# What is refused.


def test_a_wrong_key_is_refused_with_the_command_that_renews(folder: Path) -> None:
    path = folder / "learning_rates.json"
    key = json.loads(path.read_text("utf-8"))["runs"][7]["key"]
    replace(path, key, key[::-1])
    with pytest.raises(study.StudyError, match=r"1 of \d+ runs were trained by other") as error:
        study.load("learning_rates")
    assert str(SWEEPS["learning_rates"].recipes[7]) in str(error.value)
    assert "`make study STUDY=learning_rates`, and commit the file." in str(error.value)


LOAD = """
from bnlab import studies as study

try:
    study.load("fair_baseline", strict={strict})
except study.StudyError as error:
    print(error)
else:
    print("loaded")
"""


@pytest.mark.parametrize(
    ("module", "old", "new", "refused"),
    [
        (
            "training",
            "learning_rate * gradient",
            "2 * learning_rate * gradient",
            lambda recipe: True,
        ),
        (
            "networks",
            "negative_slope=0.3",
            "negative_slope=0.2",
            lambda recipe: recipe.network == "baseline",
        ),
        ("variants", "negative_slope=0.3", "negative_slope=0.2", lambda recipe: recipe.varied),
        ("data", "np.divide(pixels, 255", "np.divide(pixels, 256", lambda recipe: True),
        ("sweeps", "for activation in catalogue.ACTIVATIONS", 'for activation in ("relu",)', None),
    ],
)
def test_a_change_of_the_code_is_noticed(
    tmp_path: Path,
    module: str,
    old: str,
    new: str,
    refused: Callable[[Recipe], bool] | None,
) -> None:
    source = copy_package(tmp_path)
    code = LOAD.format(strict=False)
    assert python(code, source) == "loaded\n"
    replace(source / "bnlab" / f"{module}.py", old, new)
    printed = python(code, source)
    every = SWEEPS["fair_baseline"].recipes
    if refused:
        count = sum(map(refused, every))
        assert f"{count} of {len(every)} runs were trained by other code" in printed
    else:
        assert f"has {len(every)} runs" in printed
    assert "make study STUDY=fair_baseline" in printed


@pytest.mark.parametrize(
    ("library", "told"), [("tensorflow", True), ("keras", True), ("numpy", False)]
)
def test_other_versions_are_told_to_a_reader_and_refused_in_a_build(
    tmp_path: Path, library: str, told: bool
) -> None:
    installed = tmp_path / f"{library}-99.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {library}\nVersion: 99.0\n", "utf-8")
    reader = python(LOAD.format(strict=False), SOURCE, tmp_path)
    build = python(LOAD.format(strict=True), SOURCE, tmp_path)
    assert reader.splitlines()[-1] == "loaded"
    if told:
        assert f"{library} 99.0" in reader
        assert f"{library} 99.0" in build
        assert "make study STUDY=fair_baseline" in build
    else:
        assert reader == build == "loaded\n"


def test_a_missing_and_a_damaged_study_are_explained(folder: Path) -> None:
    path = folder / "fair_baseline.json"
    text = path.read_text("utf-8")
    for damaged in (text[:-100], "[]", text.replace('"test_loss"', '"loss_of_test"')):
        path.write_text(damaged, "utf-8")
        with pytest.raises(
            study.StudyError, match=r"is damaged .*`make study STUDY=fair_baseline`"
        ):
            study.load("fair_baseline")
    path.unlink()
    with pytest.raises(study.StudyError, match=r"is not stored .*`make study STUDY=fair_base"):
        study.load("fair_baseline")
    with pytest.raises(ValueError, match=r"no study 'unfair'\. Choose one of 'learning_rates', "):
        study.load("unfair")


# Making one.


def test_a_sweep_is_trained_stored_and_read_back(
    tiny: Sweep, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study.main(["tiny"])
    assert f"{folder / 'tiny.json'}: 4 runs." in capsys.readouterr().out
    loaded = study.load("tiny", strict=True)
    assert loaded.sweep is tiny
    trained = runs.load_all(tiny.recipes)
    for result, run in zip(loaded.results, trained, strict=True):
        assert (result.recipe, result.key) == (run.recipe, run.key)
        assert result.test_accuracy == pytest.approx(run.test_accuracy, rel=1e-5)
        for metric in runs.METRICS:
            expected = pytest.approx(list(run.history[metric]), rel=1e-5, nan_ok=True)
            assert list(result.history[metric]) == expected
        assert loaded.machines[result.machine] == runs.processor()
    assert [result.diverged for result in loaded.results] == [False, False, False, True]
    assert "NaN" not in (folder / "tiny.json").read_text("utf-8")
    before = (folder / "tiny.json").read_bytes()
    study.main(["tiny"])
    assert (folder / "tiny.json").read_bytes() == before


def test_only_a_sweep_s_own_runs_are_stored(tiny: Sweep) -> None:
    with pytest.raises(ValueError, match="not the runs of the sweep 'tiny'"):
        study.save("tiny", runs.load_all(tiny.recipes[::-1]))


def test_an_unknown_study_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        study.main(["unfair"])
    assert "There is no study 'unfair'" in capsys.readouterr().err


SWEEPING = """
from bnlab import runs
from bnlab.recipes import Recipe

runs.load_all([Recipe("baseline", seed, epochs=2) for seed in range(5)])
"""


def test_an_interrupted_sweep_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path))
    sweep = [Recipe("baseline", seed, epochs=2) for seed in range(5)]
    process = start(SWEEPING, prefix=["setsid"])
    while not any(runs.find(recipe) for recipe in sweep):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {recipe: run for recipe in sweep if (run := runs.find(recipe))}
    assert 0 < len(finished) < len(sweep)
    all_runs = runs.load_all(sweep)
    assert [run.recipe for run in all_runs] == sweep
    for run in all_runs:
        if run.recipe in finished:
            assert run.provenance == finished[run.recipe].provenance


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_scheduler_that_does_not_answer_is_named(tiny: Sweep, tmp_path: Path) -> None:
    address = f"tcp://127.0.0.1:{unused_port()}"
    code = f"from bnlab import study; study.main(['fair_baseline', '--scheduler', {address!r}])"
    process = start(code, EVERGREEN_STORE=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"ClusterError: No Dask scheduler answers at {address}" in errors
    assert "Traceback" not in errors
