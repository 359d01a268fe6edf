"""A stored study is what the present code gives, or is refused with the way to renew it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from package import SOURCE, copy_package, python, start
from website import ROOT, replace

from bnlab import data, runs, studies
from bnlab.recipes import Recipe, is_varied
from bnlab.site import prepare
from bnlab.studies import __main__ as command
from bnlab.studies import files, kept, perturbed, roundings, sweeps
from bnlab.studies.results import (
    ACCURACIES,
    LIMIT,
    TIMES,
    Rounding,
    between_seeds,
    by_setting,
    range_of,
    sensitive,
    setting,
)
from bnlab.studies.sweeps import SWEEPS, Sweep
from evergreen import store

TINY = Sweep(
    "tiny",
    "Does it work at all?",
    (
        Recipe("baseline", 1, 1, 1024, 0.03),
        Recipe("baseline", 2, 1, 1024, 0.03),
        Recipe("baseline", 1, 1, 1024, 1e6),
    ),
)


def copy_of_the_studies(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Copy the stored studies into a folder, and let that be where they are read and written."""
    folder.mkdir()
    for name in SWEEPS:
        shutil.copy(files.path_of(name), folder)
    patch.setattr(files, "FOLDER", folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored studies that a test may change."""
    return copy_of_the_studies(tmp_path / "studies", monkeypatch)


@pytest.fixture
def single_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in one process at a time, which loads its libraries and compiles a network once."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small sweep that was trained and stored."""
    with pytest.MonkeyPatch.context() as patch:
        copy = copy_of_the_studies(tmp_path_factory.mktemp("made") / "studies", patch)
        patch.setitem(sweeps.SWEEPS, TINY.name, TINY)
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        command.main([TINY.name])
    return copy / "tiny.json"


@pytest.fixture
def tiny(folder: Path, made: Path, single_core: None, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """This sweep among the others, stored."""
    monkeypatch.setitem(sweeps.SWEEPS, TINY.name, TINY)
    shutil.copy(made, folder)
    return TINY


# What is stored.


def test_every_sweep_is_stored_and_nothing_else() -> None:
    assert {path.stem for path in files.FOLDER.glob("*.json")} == set(SWEEPS)
    assert studies.stored() == list(SWEEPS)


@pytest.mark.parametrize("name", SWEEPS)
def test_a_stored_study_matches_the_code_the_data_and_the_lock(name: str) -> None:
    loaded = studies.load(name)
    assert [result.recipe for result in loaded.results] == list(SWEEPS[name].recipes)
    assert [result.key for result in loaded.results] == runs.keys(
        SWEEPS[name].recipes, loaded.versions
    )
    lock = (ROOT / "requirements.txt").read_text("utf-8").split()
    for library in files.STRICT:
        assert f"{library}=={loaded.versions[library]}" in lock


@pytest.mark.parametrize("name", SWEEPS)
def test_every_setting_has_every_seed(name: str) -> None:
    of_sweep = sweeps.find(name).seeds
    assert len(of_sweep) >= len(sweeps.SEEDS)
    for seeds in by_setting(studies.load(name).results).values():
        assert tuple(result.recipe.seed for result in seeds) == of_sweep


def test_runs_that_several_studies_hold_are_the_same_in_each() -> None:
    found: dict[Recipe, list[str]] = {}
    for name in SWEEPS:
        for result in studies.load(name).results:
            alike = dataclasses.replace(result, study=None)
            found.setdefault(result.recipe, []).append(repr(alike))
    assert max(map(len, found.values())) > 1
    assert all(len(set(alike)) == 1 for alike in found.values())


@pytest.mark.parametrize("name", SWEEPS)
def test_a_study_that_is_read_and_saved_is_the_same_file(name: str, folder: Path) -> None:
    before = files.path_of(name).read_bytes()
    assert files.save(studies.load(name)).read_bytes() == before


@pytest.mark.parametrize("name", SWEEPS)
def test_a_diverged_run_is_stored_as_a_result(name: str) -> None:
    for result in studies.load(name).results:
        assert 0 < result.final("test_accuracy") < 1
        assert result.diverged == math.isnan(result.final("loss"))
        if result.diverged:  # the answer to every image is the same class
            assert result.final("accuracy") < 0.11
        assert len(result.history["val_accuracy"]) == result.recipe.epochs


def test_results_are_selected_by_the_recipe_s_fields() -> None:
    loaded = studies.load("fair_baseline")
    own = loaded.select(network="baseline", activation="leaky_relu", initializer="he_normal")
    assert [result.recipe for result in own] == [Recipe("baseline", s, 10) for s in sweeps.SEEDS]
    relu = loaded.select(activation="relu", seed=3)
    assert {result.recipe.hidden[0] for result in relu} == {"relu"}
    assert {result.recipe.network for result in relu} == set(loaded.networks)
    with pytest.raises(ValueError, match=r"fair_baseline has no run with \{'seed': 77\}"):
        loaded.select(seed=77)


# Where rounding decides how a run ends.


def test_pixels_are_rounded_differently_in_the_last_bit_alone() -> None:
    usual, other = data.load().test.pixels, perturbed.read_images("pixels").test.pixels
    assert other.dtype == usual.dtype
    assert np.all(np.abs(other - usual) <= np.spacing(usual))
    assert 0.1 < np.mean(other != usual) < 0.9
    assert np.array_equal(perturbed.read_images("weights").test.pixels, usual)


def ends_of(result: runs.Result, **changes: object) -> Rounding:
    ends = {metric: result.final(metric) for metric in ACCURACIES}
    return Rounding(
        **{"recipe": result.recipe, "kind": "pixels", "machine": "", "diverged": False}
        | ends
        | changes
    )


def test_a_setting_is_sensitive_where_rounding_moves_a_run_far_or_lets_it_diverge() -> None:
    results = studies.load("fair_baseline").results
    calm, moved, lost = results[0], results[5], results[10]
    assert len({setting(result.recipe) for result in (calm, moved, lost)}) == 3
    found = sensitive(
        results,
        [
            ends_of(calm, test_accuracy=calm.test_accuracy + 0.9 * LIMIT),
            ends_of(moved, train_accuracy=moved.train_accuracy - 0.1),
            ends_of(lost, diverged=True),
        ],
    )
    assert found == {setting(moved.recipe), setting(lost.recipe)}


def test_two_roundings_count_by_how_far_they_are_from_each_other() -> None:
    results = studies.load("fair_baseline").results
    one = results[0]
    step = 0.6 * max(LIMIT, TIMES * between_seeds(results[:5], "test_accuracy"))
    either_way = [
        ends_of(one, test_accuracy=one.test_accuracy + sign * step, kind=kind)
        for sign, kind in ((1, "pixels"), (-1, "weights"))
    ]
    assert sensitive(results, either_way[:1]) == set()
    assert sensitive(results, either_way) == {setting(one.recipe)}


def test_what_another_seed_would_do_too_makes_no_setting_sensitive() -> None:
    loaded = studies.load("batch_sizes")
    seeds = loaded.select(
        network="baseline", standardized=False, batch_size=1024, learning_rate=1e-3
    )
    _, low, _, high, _ = sorted(seeds, key=lambda result: result.test_accuracy)
    assert high.test_accuracy - low.test_accuracy > 5 * LIMIT
    as_another_seed = ends_of(low, test_accuracy=high.test_accuracy)
    assert sensitive(loaded.results, [as_another_seed]) == set()


def test_a_seed_that_ends_far_off_does_not_hide_that_rounding_decides() -> None:
    loaded = studies.load("fair_baseline")
    first, *others = loaded.results[:5]
    far_off = dataclasses.replace(first, test_accuracy=0.5)
    end = ends_of(first, test_accuracy=0.8)
    assert sensitive([far_off, *others], [end]) == {setting(first.recipe)}


@pytest.mark.parametrize("name", SWEEPS)
def test_rounding_is_tried_where_seeds_differ_and_where_they_differ_much_with_every_seed(
    name: str,
) -> None:
    loaded = studies.load(name)
    tried: dict[Recipe, list[int]] = {}
    for rounding in loaded.roundings:
        seeds = tried.setdefault(setting(rounding.recipe), [])
        seeds += [rounding.recipe.seed] * (rounding.kind == roundings.KINDS[0])
    for of_setting, results in by_setting(loaded.results).items():
        apart = max(range_of(results, metric) for metric in ACCURACIES)
        seeds = loaded.sweep.seeds
        expected = seeds if apart > roundings.WIDE else seeds[:1]
        assert tried.get(of_setting, []) == (list(expected) if apart > LIMIT else [])


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("batch_noise", {"layer_norm": True, "batch_size": 1024}),
        ("learning_rates", {"network": "baseline", "standardized": False, "learning_rate": 0.3}),
    ],
)
def test_the_settings_that_end_differently_on_another_processor_are_marked(
    name: str, chosen: dict[str, object]
) -> None:
    assert all(result.sensitive for result in studies.load(name).select(**chosen))


def test_the_course_s_own_settings_are_not_sensitive() -> None:
    for network in sweeps.NETWORKS:
        own = studies.load("learning_rates").select(network=network, learning_rate=1e-3)
        assert not any(result.sensitive for result in own)


# What is refused.


def test_a_wrong_key_is_refused_with_the_command_that_renews(folder: Path) -> None:
    path = folder / "learning_rates.json"
    key = json.loads(path.read_text("utf-8"))["runs"][7]["key"]
    replace(path, key, key[::-1])
    with pytest.raises(studies.StudyError, match=r"1 of \d+ runs were trained by other") as error:
        studies.load("learning_rates")
    assert str(SWEEPS["learning_rates"].recipes[7]) in str(error.value)
    assert "`make study STUDY=learning_rates`, and commit the file." in str(error.value)


def test_a_build_names_all_studies_that_do_not_fit(folder: Path) -> None:
    wrong = ("learning_rates", "fair_baseline")
    for name in wrong:
        path = folder / f"{name}.json"
        key = json.loads(path.read_text("utf-8"))["runs"][0]["key"]
        replace(path, key, key[::-1])
    with pytest.raises(studies.StudyError) as error:
        prepare.stored_studies(SimpleNamespace(), {"lessons/one"})
    assert all(f"`make study STUDY={name}`" in str(error.value) for name in wrong)


LOAD = """
from bnlab import studies

try:
    studies.load("fair_baseline", strict={strict})
except studies.StudyError as error:
    print(error)
else:
    print("loaded")
"""


def changed_package(folder: Path, old: str, new: str) -> Path:
    """Copy the package, replace a text in the one module that has it, and return the source."""
    source = copy_package(folder)
    (module,) = (path for path in source.glob("bnlab/**/*.py") if old in path.read_text("utf-8"))
    replace(module, old, new)
    return source


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ("learning_rate * gradient", "2 * learning_rate * gradient", lambda recipe: True),
        (
            "layers.LeakyReLU(negative_slope=0.3),\n            layers.Dense(100",
            "layers.LeakyReLU(negative_slope=0.2),\n            layers.Dense(100",
            lambda recipe: recipe == Recipe("baseline", recipe.seed),
        ),
        ("lambda: layers.LeakyReLU(negative_slope=0.3)", "lambda: layers.LeakyReLU()", None),
        ("np.divide(pixels, 255", "np.divide(pixels, 256", lambda recipe: True),
    ],
)
def test_a_change_of_the_code_is_noticed(
    tmp_path: Path, old: str, new: str, refused: Callable[[Recipe], bool] | None
) -> None:
    source = changed_package(tmp_path, old, new)
    every = SWEEPS["fair_baseline"].recipes
    count = sum(map(refused or is_varied, every))
    assert count > 0
    printed = python(LOAD.format(strict=False), source)
    assert f"{count} of {len(every)} runs were trained by other code" in printed
    assert "make study STUDY=fair_baseline" in printed


def test_a_change_of_the_sweep_is_noticed(tmp_path: Path) -> None:
    source = changed_package(
        tmp_path, 'ACTIVATIONS = ("leaky_relu", "relu")', 'ACTIVATIONS = ("relu",)'
    )
    printed = python(LOAD.format(strict=False), source)
    assert f"has {len(SWEEPS['fair_baseline'].recipes)} runs" in printed
    assert "make study STUDY=fair_baseline" in printed
    assert "`python -m bnlab.studies --add fair_baseline`" in printed


def test_other_roundings_are_noticed_and_need_no_run_of_the_study(tmp_path: Path) -> None:
    source = changed_package(tmp_path, "np.nextafter(", "2 * np.nextafter(")
    printed = python(LOAD.format(strict=False), source)
    assert "`python -m bnlab.studies --roundings fair_baseline`" in printed
    assert "make study" not in printed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SEEDS = (PAGE_SEED, 1, 2, 3, 4)", "SEEDS = (PAGE_SEED, 5)"),
        ("    epochs: int = 10\n", "    epochs: int = 3\n"),
    ],
)
def test_other_choices_for_the_course_leave_every_study_valid(
    tmp_path: Path, old: str, new: str
) -> None:
    printed = python(LOAD.format(strict=False), changed_package(tmp_path, old, new))
    assert printed.splitlines()[-1] == "loaded"


@pytest.mark.parametrize(
    ("library", "told"), [("tensorflow", True), ("keras", True), ("numpy", False)]
)
def test_other_versions_are_told_to_a_reader_and_refused_in_a_build(
    tmp_path: Path, library: str, told: bool
) -> None:
    for name, version in (studies.load("fair_baseline").versions | {library: "99.0"}).items():
        installed = tmp_path / f"{name}-{version}.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n", "utf-8")
    reader = python(LOAD.format(strict=False), SOURCE, tmp_path)
    build = python(LOAD.format(strict=True), SOURCE, tmp_path)
    assert reader.splitlines()[-1] == "loaded"
    if told:
        assert f"{library} 99.0" in reader
        assert f"{library} 99.0" in build
        assert "`make environment`" in build
        assert "make study STUDY=fair_baseline" in build
    else:
        assert reader == build == "loaded\n"


def test_a_missing_and_a_damaged_study_are_explained(folder: Path) -> None:
    path = folder / "fair_baseline.json"
    text = path.read_text("utf-8")
    for damaged in (text[:-100], "[]", text.replace('"test_loss"', '"loss_of_test"')):
        path.write_text(damaged, "utf-8")
        with pytest.raises(
            studies.StudyError, match=r"is damaged .*`make study STUDY=fair_baseline`"
        ):
            studies.load("fair_baseline")
    path.unlink()
    with pytest.raises(studies.StudyError, match=r"is not stored .*`make study STUDY=fair_base"):
        studies.load("fair_baseline")
    with pytest.raises(ValueError, match=r"no study 'unfair'\. Choose one of 'learning_rates', "):
        studies.load("unfair")


# Making one.


def test_a_sweep_is_trained_stored_and_read_back(
    tiny: Sweep, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = studies.load("tiny", strict=True)
    assert loaded.sweep is tiny
    trained = runs.load_all(tiny.recipes)
    for result, run in zip(loaded.results, trained, strict=True):
        assert (result.recipe, result.key) == (run.recipe, run.key)
        assert result.test_accuracy == pytest.approx(run.test_accuracy, rel=1e-5)
        for metric in runs.METRICS:
            expected = pytest.approx(list(run.history[metric]), rel=1e-5, nan_ok=True)
            assert list(result.history[metric]) == expected
        assert loaded.machines[result.machine] == runs.processor()
    assert [result.diverged for result in loaded.results] == [False, False, True]
    assert not any(result.sensitive for result in loaded.results)
    tried = {rounding.recipe for rounding in loaded.roundings}
    assert tried == {tiny.recipes[0], tiny.recipes[2]}
    of_first = {rounding.kind: rounding for rounding in loaded.roundings[:2]}
    assert set(of_first) == set(roundings.KINDS)
    for rounding in of_first.values():
        assert rounding.test_accuracy == pytest.approx(trained[0].test_accuracy, abs=0.002)
    assert "NaN" not in (folder / "tiny.json").read_text("utf-8")

    before = (folder / "tiny.json").read_bytes()
    command.main(["tiny"])
    assert f"{folder / 'tiny.json'}: 3 runs." in capsys.readouterr().out
    assert (folder / "tiny.json").read_bytes() == before
    files.save(dataclasses.replace(loaded, roundings=()))
    with pytest.raises(studies.StudyError, match="--roundings tiny"):
        studies.load("tiny")
    command.main(["--roundings", "tiny"])
    assert (folder / "tiny.json").read_bytes() == before


def alter(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the content of a study's file in place."""
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def test_a_sweep_that_has_grown_keeps_what_fits_of_any_study_and_trains_only_the_rest(
    tiny: Sweep, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(folder / "tiny.json", lambda content: content["runs"][0].update(train_loss=0.4321))
    before = studies.load("tiny")
    new = Recipe("baseline", 3, 1, 1024, 0.03)
    grown = Sweep("grown", "Does it still work?", (new, *tiny.recipes))
    monkeypatch.setitem(sweeps.SWEEPS, "grown", grown)
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path / "empty"))
    command.main(["--add", "grown"])
    loaded = studies.load("grown", strict=True)
    assert [result.recipe for result in loaded.results] == list(grown.recipes)
    assert [recipe for recipe in grown.recipes if runs.find(recipe)] == [new]
    assert loaded.results[0].key == runs.key(new)
    assert loaded.results[1].train_loss == 0.4321
    assert [dataclasses.replace(result, study="tiny") for result in loaded.results[1:3]] == list(
        before.results[:2]
    )
    assert set(before.roundings[-2:]) <= set(loaded.roundings)
    assert loaded.machines == {runs.machine(): runs.processor()}


def test_a_run_of_another_key_is_not_kept(tiny: Sweep, folder: Path) -> None:
    path = folder / "tiny.json"
    before = path.read_bytes()
    alter(path, lambda content: content["runs"][0].update(key="another", train_loss=0.4321))
    found = kept.fitting("tiny")
    assert set(found.results) == set(tiny.recipes[1:])
    assert {rounding.recipe for rounding in found.roundings} == {tiny.recipes[2]}
    command.main(["--add", "tiny"])
    assert path.read_bytes() == before


def test_roundings_by_other_code_are_not_kept(tiny: Sweep, folder: Path) -> None:
    path = folder / "tiny.json"
    before = path.read_bytes()
    alter(path, lambda content: content["about"].update(roundings="another"))
    found = kept.fitting("tiny")
    assert set(found.results) == set(tiny.recipes)
    assert found.roundings == ()
    command.main(["--add", "tiny"])
    assert path.read_bytes() == before


def test_only_a_sweep_s_own_runs_are_stored(tiny: Sweep) -> None:
    with pytest.raises(ValueError, match="not the runs of the sweep 'tiny'"):
        kept.of_runs("tiny", runs.load_all(tiny.recipes[::-1]))


def test_an_unknown_study_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["unfair"])
    assert "There is no study 'unfair'" in capsys.readouterr().err


SWEEPING = """
from bnlab import runs
from bnlab.recipes import Recipe, is_varied
from bnlab.site import prepare

runs.load_all([Recipe("baseline", seed, epochs=1) for seed in range(4)])
"""


def test_an_interrupted_sweep_goes_on_where_it_stopped(
    tmp_path: Path, single_core: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path))
    sweep = [Recipe("baseline", seed, epochs=1) for seed in range(4)]
    process = start(SWEEPING, prefix=["setsid"])
    while not any(runs.find_all(sweep).values()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {recipe: run for recipe, run in runs.find_all(sweep).items() if run}
    assert 0 < len(finished) < len(sweep)
    all_runs = runs.load_all(sweep)
    assert [run.recipe for run in all_runs] == sweep
    for run in all_runs:
        if run.recipe in finished:
            assert run.provenance == finished[run.recipe].provenance


def test_a_scheduler_that_does_not_answer_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(SystemExit, match=r"ClusterError: No Dask scheduler answers at tcp://"):
        command.main(["fair_baseline", "--scheduler", "tcp://127.0.0.1:1"])
