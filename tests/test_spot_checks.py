"""A build trains a few stored runs again, and fails where they are not what is stored."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from website import Build, soup

from bnlab import recipes, runs, studies
from bnlab.recipes import Recipe
from bnlab.site import rounding, spot_checks
from bnlab.site.prepare import WEEK_VARIABLE
from bnlab.studies import Measured
from bnlab.studies.results import Stored, Study, by_setting, rounded, setting
from bnlab.studies.sweeps import NETWORKS, NEW_SEEDS, SEEDS, Sweep
from evergreen import sources

HERE, THERE = "this kind of machine", "another kind"
MEAN, SD = 0.85, 0.002
"""Of test accuracies, and about what the course's networks have."""


@pytest.fixture(scope="module")
def stored_studies() -> list[Study]:
    return [studies.load(name) for name in studies.stored()]


def values(recipe: Recipe, accuracy: float | Sequence[float]) -> dict[str, object]:
    """Return what is measured of a run: one accuracy, or those of validation and test."""
    valid, test = np.broadcast_to(accuracy, 2).tolist()
    return {
        "recipe": recipe,
        "key": str(recipe),
        "history": dict.fromkeys(runs.METRICS, (valid,) * recipe.epochs),
        **dict.fromkeys(runs.FINAL, test),
    }


Accuracies = Sequence[float] | np.ndarray


def study_of(*settings: Accuracies, machine: str = THERE, sensitive: bool = False) -> Study:
    """Return a study whose settings have these stored accuracies, one for each seed."""
    results = tuple(
        Stored(
            **values(Recipe("baseline", seed, 2, number), accuracy),
            study="made_up",
            seconds=1.0,
            machine=machine,
            sensitive=sensitive,
        )
        for number, accuracies in enumerate(settings, start=1)
        for seed, accuracy in zip(SEEDS, accuracies, strict=False)
    )
    sweep = Sweep("made_up", "Which?", tuple(result.recipe for result in results))
    return Study(sweep, {"keras": "1"}, {}, "2026-11-25T00:00:00+00:00", results, ())


def trained(*settings: Accuracies) -> list[runs.Run]:
    """Return runs of such settings that this machine trained."""
    return [
        runs.Run(
            **values(result.recipe, (result.final("val_accuracy"), result.test_accuracy)),
            provenance={"machine": HERE, "versions": {"keras": "1"}},
            folder=Path(),
        )
        for result in study_of(*settings).results
    ]


# Which runs are trained again.


def comparable(stored: Sequence[Study]) -> set[tuple[Recipe, ...]]:
    """Return the settings, each with all its seeds, that may be trained again."""
    course = set(map(setting, recipes.course()))
    found = {
        tuple(result.recipe for result in seeds)
        for study in stored
        for seeds in by_setting(study.results).values()
        if not any(result.sensitive or result.diverged for result in seeds)
    }
    return {seeds for seeds in found if setting(seeds[0]) not in course}


def test_the_week_chooses_a_setting_with_all_its_seeds_and_each_has_its_turn(
    stored_studies: list[Study],
) -> None:
    # In a few studies each setting's turn comes soon.
    some = [
        study for study in stored_studies if study.sweep.name in ("fair_baseline", "best_rungs")
    ]
    chosen = [spot_checks.sample(some, str(week)) for week in range(500)]
    assert chosen[0] == spot_checks.sample(some, "0")
    assert {len(seeds) for seeds in comparable(some)} == {len(SEEDS), len(NEW_SEEDS)}
    assert set(map(tuple, chosen)) == comparable(some)


def test_the_week_chooses_among_all_studies(stored_studies: list[Study]) -> None:
    chosen = {tuple(spot_checks.sample(stored_studies, str(week))) for week in range(200)}
    assert len(chosen) > 10
    assert chosen <= comparable(stored_studies)
    # No study is left out, but one whose settings another has.
    alone = [study for study in stored_studies if chosen & comparable([study])]
    assert comparable(alone) == comparable(stored_studies)


def test_what_is_stored_chooses_too(stored_studies: list[Study]) -> None:
    chosen = spot_checks.sample(stored_studies, "2026-W47")
    assert chosen == spot_checks.sample(list(map(studies.load, studies.stored())), "2026-W47")
    first = stored_studies[0]
    others = []
    for result in first.results[:20]:
        changed = dataclasses.replace(result, test_loss=result.test_loss + 1)
        results = tuple(changed if one == result else one for one in first.results)
        changed_study = dataclasses.replace(first, results=results)
        others.append(spot_checks.sample([changed_study, *stored_studies[1:]], "2026-W47"))
    assert any(other != chosen for other in others)


def test_a_build_that_is_no_weekly_one_trains_nothing_again(stored_studies: list[Study]) -> None:
    assert spot_checks.sample(stored_studies, None) == []


def test_of_no_studies_nothing_is_trained_again() -> None:
    assert spot_checks.sample([], "2026-W47") == []
    assert spot_checks.check([], []) == []


def test_in_time_each_setting_of_what_is_measured_beside_has_its_turn(
    stored_studies: list[Study],
) -> None:
    found = [spot_checks.sample_measured(stored_studies, str(week)) for week in range(200)]
    settings = {
        (measurement.name, tuple(one.recipe for one in seeds))
        for measurement, seeds in filter(None, found)
    }
    assert {tuple(recipe.seed for recipe in seeds) for _, seeds in settings} == {SEEDS}
    assert {(name, recipe) for name, seeds in settings for recipe in seeds} == {
        (measurement.name, one.recipe)
        for measurement in studies.MEASUREMENTS
        for one in measurement.load()
    }


def test_without_a_week_or_its_study_nothing_is_measured_again(
    stored_studies: list[Study],
) -> None:
    assert spot_checks.sample_measured(stored_studies, None) is None
    assert spot_checks.sample_measured([], "2026-W47") is None


# On the kind of machine that made the stored runs.


def test_on_the_same_kind_of_machine_every_digit_repeats() -> None:
    again = [MEAN + 1e-9, MEAN + SD]
    study = study_of([rounded(value) for value in again], machine=HERE)
    (found,) = spot_checks.check([study], trained(again))
    assert found.allowed == 0
    assert found.studies == ["made_up"]


@pytest.mark.parametrize("digit", [1e-5, 1e-3])
def test_on_the_same_kind_of_machine_a_single_digit_is_an_error(digit: float) -> None:
    again = [MEAN, MEAN + SD]
    study = study_of(again, machine=HERE)
    last = study.results[-1]
    for changed in (
        dataclasses.replace(last, train_loss=last.train_loss + digit),
        dataclasses.replace(last, history=last.history | {"loss": (digit, MEAN + SD)}),
    ):
        wrong = dataclasses.replace(study, results=(study.results[0], changed))
        with pytest.raises(studies.StudyError, match=r"every digit repeats .*`make study STUDY="):
            spot_checks.check([wrong], trained(again))


def test_on_the_same_kind_of_machine_a_run_that_diverged_diverges_again() -> None:
    lost = study_of([float("nan")] * 2, machine=HERE)
    (found,) = spot_checks.check([lost], trained([float("nan")] * 2))
    assert found.allowed == 0
    with pytest.raises(studies.StudyError, match="every digit repeats"):
        spot_checks.check([lost], trained([MEAN] * 2))


def test_with_other_libraries_digits_need_not_repeat() -> None:
    stored = [MEAN, MEAN + SD, MEAN - SD]
    study = study_of(stored, machine=HERE)
    other = dataclasses.replace(study, versions={"keras": "2"})
    again = trained([MEAN + 1e-4, MEAN + SD - 2e-4, MEAN - SD])
    assert fails(study, again)
    assert not fails(other, again)


# On another kind.


def share_of_failing_builds(rate: float, correlation: float) -> float:
    """Return how many of 500 builds fail at an error rate, if nothing but chance differs.

    A run trained again correlates with the stored one: not at all if rounding does to it what
    another seed does.
    """
    generator = np.random.default_rng(0)
    size = (4, 5, 2)  # four settings, five seeds, two metrics
    failed = 0
    for _ in range(500):
        of_seed, there, here = generator.normal(0, 0.1, (3, *size))
        common = 0.5 + np.sqrt(correlation) * of_seed
        there, here = (common + np.sqrt(1 - correlation) * noise for noise in (there, here))
        failed += fails(study_of(*there), trained(*here), rate)
    return failed / 500


def test_by_chance_as_many_builds_fail_as_is_said() -> None:
    assert 0.02 < share_of_failing_builds(0.05, correlation=0) < 0.08
    assert share_of_failing_builds(rounding.ERROR_RATE, correlation=0) == 0


def test_the_less_rounding_does_the_fewer_builds_fail_by_chance() -> None:
    assert share_of_failing_builds(0.05, correlation=0.9) < 0.05


def fails(study: Study, again: list[runs.Run], rate: float = rounding.ERROR_RATE) -> bool:
    try:
        spot_checks.check([study], again, rate)
    except studies.StudyError:
        return True
    return False


@pytest.mark.parametrize("images", [0, 1, 20, 60])
def test_rounding_that_moves_a_few_images_fails_no_build(images: int) -> None:
    generator = np.random.default_rng(1)
    for _ in range(200):
        stored = np.round(generator.normal(MEAN, SD, (4, 5)), 4)
        moved = generator.integers(-images, images, (4, 5), endpoint=True) / 10_000
        assert not fails(study_of(*stored), trained(*(stored + moved)))


def test_a_run_that_ends_badly_here_fails_no_build() -> None:
    stored = np.random.default_rng(2).normal(MEAN, SD, 5)
    again = stored.copy()
    again[2] = 0.69
    assert not fails(study_of(stored), trained(again))


@pytest.mark.parametrize("seed", range(5))
def test_a_single_wrong_number_is_found_and_named(seed: int) -> None:
    generator = np.random.default_rng(seed)
    again = generator.normal(MEAN, SD, 5)
    stored = again + generator.normal(0, SD, 5)
    stored[seed] = 0.5
    named = f"baseline.*seed {SEEDS[seed]} has 0.5 as its stored"
    with pytest.raises(studies.StudyError, match=f"(?i){named}"):
        spot_checks.check([study_of(stored)], trained(again))


@pytest.mark.parametrize("shift", [-0.02, 0.02])
def test_a_mean_that_is_two_points_off_is_found(shift: float) -> None:
    generator = np.random.default_rng(3)
    again = generator.normal(MEAN, SD, (4, 5))
    stored = again + generator.normal(0, SD / 10, (4, 5))
    assert not fails(study_of(*stored), trained(*again))
    stored[3] += shift
    with pytest.raises(studies.StudyError, match="rounding explains a difference of"):
        spot_checks.check([study_of(*stored)], trained(*again))


def test_a_mean_that_is_far_off_is_found_although_rounding_moves_each_run() -> None:
    generator = np.random.default_rng(4)
    again, stored = generator.normal(MEAN, SD, (2, 5))
    assert not fails(study_of(stored), trained(again))
    assert fails(study_of(stored - 20 * SD), trained(again))


def test_where_rounding_decides_runs_are_shown_and_not_compared() -> None:
    study = study_of([0.1, MEAN], sensitive=True)
    (found,) = spot_checks.check([study], trained([MEAN, 0.2]))
    assert found.allowed is None
    assert found.stored == pytest.approx((0.1 + MEAN) / 2)


def test_runs_that_two_studies_hold_are_compared_once_unless_they_differ() -> None:
    stored = [MEAN, MEAN + SD]
    one, other = study_of(stored), study_of(stored)
    (found,) = spot_checks.check([one, other], trained(stored))
    assert found.studies == ["made_up", "made_up"]
    different = study_of([MEAN, MEAN + 2 * SD])
    assert len(spot_checks.check([one, different], trained(stored))) == 2


def test_a_setting_of_which_a_seed_was_not_trained_is_left_alone() -> None:
    assert spot_checks.check([study_of([MEAN] * 5)], trained([MEAN] * 4)) == []


# What is measured beside the studies.


def measured(*accuracies: float, machine: str = "") -> list[Measured]:
    """Return stored measurements of this machine or of another, one for each seed."""
    return [
        Measured(
            Recipe("bn_approach_two", seed, 1),
            "key",
            {"moving": {"train": accuracy + 0.01, "test": accuracy}},
            "runs measured",
            machine or runs.machine(),
            sources.versions(runs.LIBRARIES),
        )
        for seed, accuracy in zip(SEEDS, accuracies, strict=False)
    ]


def measured_again(*accuracies: float) -> list[dict[str, object]]:
    return [one.accuracy for one in measured(*accuracies)]


def test_on_the_same_kind_of_machine_every_measured_digit_repeats() -> None:
    stored = measured(0.85, 0.86, 0.84)
    found = spot_checks.check_measured("made_up", stored, measured_again(0.85, 0.86, 0.84))
    assert found.allowed == 0
    assert (found.stored, found.again) == pytest.approx((0.85, 0.85))
    said = r"seed 1 has 0.87 as its stored moving train, and measured again 0.8701"
    with pytest.raises(studies.StudyError, match=said):
        spot_checks.check_measured("made_up", stored, measured_again(0.85, 0.8601, 0.84))


def test_elsewhere_what_is_measured_may_move_as_seeds_do_and_no_further() -> None:
    generator = np.random.default_rng(5)
    again = generator.normal(MEAN, SD, 5)
    there = again + generator.normal(0, SD, 5)
    found = spot_checks.check_measured(
        "made_up", measured(*there, machine=THERE), measured_again(*again)
    )
    assert found.allowed
    for wrong in (there - 20 * SD, np.where(np.arange(5) == 2, 0.5, there)):
        with pytest.raises(studies.StudyError, match="runs measured: "):
            spot_checks.check_measured(
                "made_up", measured(*wrong, machine=THERE), measured_again(*again)
            )


# The real ones.


def test_the_stored_studies_hold_what_the_course_s_runs_find_here(
    stored_studies: list[Study], course: dict[str, list[runs.Run]]
) -> None:
    of_course = [run for of_network in course.values() for run in of_network]
    checks = spot_checks.check(stored_studies, of_course)
    assert [check.recipe for check in checks] == [of[0].recipe for of in course.values()]
    assert all(check.allowed is not None for check in checks)


def test_the_page_about_this_build_says_which_runs_were_checked(
    site: Build, stored_studies: list[Study]
) -> None:
    page = soup(site.html / "about.html")
    shown, sensitive, checked = page.select_one("#stored-studies").select("table")
    names = [row.td.get_text() for row in shown.select("tbody tr")]
    assert names == studies.stored()
    marked = {
        (setting(result.recipe), result.study)
        for study in stored_studies
        for result in study.results
        if result.sensitive
    }
    assert len(sensitive.select("tbody tr")) == len(marked) > 0
    # The course's networks, and in a weekly build a setting more, and a measurement with its runs.
    weekly = 0
    if week := os.environ.get(WEEK_VARIABLE):
        beside = spot_checks.sample_measured(stored_studies, week)
        assert beside
        trained_again = [spot_checks.sample(stored_studies, week)[0], beside[1][0].recipe]
        weekly = len(set(map(setting, trained_again))) + 1
    assert len(checked.select("tbody tr")) == len(NETWORKS) + weekly
