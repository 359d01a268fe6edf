"""A build trains a few stored runs again, and fails where they are not what is stored."""

from __future__ import annotations

import dataclasses

import pytest
from website import Build, soup

from bnlab import recipes, runs
from bnlab import studies as study
from bnlab.recipes import Recipe
from bnlab.site import spot_checks

COURSE = Recipe("baseline")


@pytest.fixture(scope="module")
def studies() -> list[study.Study]:
    return [study.load(name) for name in study.stored()]


@pytest.fixture
def run() -> runs.Run:
    return runs.load("baseline")


def stored(one: study.Study, **changes: object) -> study.Study:
    """Return a study whose run of the course's baseline was stored differently."""
    results = tuple(
        dataclasses.replace(result, **changes) if result.recipe == COURSE else result
        for result in one.results
    )
    return dataclasses.replace(one, results=results)


def as_trained_here(one: study.Study, run: runs.Run) -> study.Study:
    """Return a study that holds a run as this machine gives it."""
    return stored(
        one,
        history={name: tuple(map(study.rounded, run.history[name])) for name in runs.METRICS},
        **{metric: study.rounded(run.final(metric)) for metric in runs.FINAL},
        machine=runs.machine(),
    )


def test_the_commit_chooses_and_every_run_that_a_build_can_train_has_its_turn(
    studies: list[study.Study],
) -> None:
    assert spot_checks.sample(studies, "a") == spot_checks.sample(studies, "a")
    chosen = [set(spot_checks.sample(studies, str(commit))) for commit in range(3_000)]
    assert {len(few) for few in chosen} == {spot_checks.SAMPLE}
    every = {result.recipe for one in studies for result in one.results}
    long = {recipe for recipe in every if recipe.batch_size == 2}
    assert long
    assert set().union(*chosen) == every - long - set(recipes.course())
    assert spot_checks.sample([], "a") == []


def test_a_run_that_repeats_is_said_to(studies: list[study.Study], run: runs.Run) -> None:
    (found,) = spot_checks.check([as_trained_here(studies[0], run)], [run])
    assert found.same_machine
    assert found.exact
    assert found.difference < 1e-6
    assert (found.study, found.recipe) == (studies[0].sweep.name, COURSE)


@pytest.mark.parametrize("digit", [1e-5, 1e-3])
def test_on_the_same_kind_of_machine_a_single_digit_is_an_error(
    studies: list[study.Study], run: runs.Run, digit: float
) -> None:
    here = as_trained_here(studies[0], run)
    for changed in (
        stored(here, test_loss=run.test_loss + digit),
        stored(here, history=run.history | {"loss": (*run.history["loss"][:-1], digit)}),
    ):
        with pytest.raises(study.StudyError, match=r"every digit repeats .*`make study STUDY="):
            spot_checks.check([changed], [run])


def test_elsewhere_a_run_may_differ_as_much_as_rounding_does_and_no_more(
    studies: list[study.Study], run: runs.Run
) -> None:
    there = stored(as_trained_here(studies[0], run), machine="another")
    near = stored(there, test_accuracy=run.test_accuracy - 0.009)
    (found,) = spot_checks.check([near], [run])
    assert not found.exact
    assert found.difference == pytest.approx(0.009)
    far = stored(there, test_accuracy=run.test_accuracy - 0.1)
    with pytest.raises(study.StudyError, match=r"test_accuracy may differ by 0\.\d+ on another"):
        spot_checks.check([far], [run])


def test_a_run_that_diverged_is_only_compared_with_one_that_did(
    studies: list[study.Study], run: runs.Run
) -> None:
    nothing = float("nan")
    there = as_trained_here(studies[0], run)
    losses = run.history | {"loss": (nothing,) * 10}
    lost = stored(there, history=losses)
    with pytest.raises(study.StudyError, match="every digit repeats"):
        spot_checks.check([lost], [run])
    again = dataclasses.replace(run, history=losses)
    lost_as_stored = stored(
        there,
        history={name: tuple(map(study.rounded, values)) for name, values in losses.items()},
    )
    (found,) = spot_checks.check([lost_as_stored], [again])
    assert found.exact


def test_the_page_about_this_build_says_which_runs_were_checked(
    site: Build, studies: list[study.Study]
) -> None:
    page = soup(site.html / "about.html")
    section = page.select_one("#stored-studies")
    first, second = section.select("table")
    assert [row.td.get_text() for row in first.select("tbody tr")] == study.stored()
    *sample, course = (row.td.get_text() for row in second.select("tbody tr"))
    assert course == "The 15 runs of the course"
    every = {str(result.recipe) for one in studies for result in one.results}
    # A run that two studies hold has a row for each.
    assert len(set(sample)) == spot_checks.SAMPLE
    assert set(sample) <= every
