"""A difference between networks comes with its interval and its test."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bnlab import catalogue, differences, runs
from bnlab.recipes import Recipe

Course = dict[str, list[runs.Result]]
SEEDS = (42, 1, 2, 3, 4)


@pytest.fixture
def course() -> Course:
    """Made-up results of five seeds: the baseline differs, the others do not."""
    random = np.random.default_rng(0)

    def result(network: str, seed: int, accuracy: float) -> runs.Result:
        loss = float(random.normal(0.4, 0.01))
        return runs.Result(
            recipe=Recipe(network, seed),
            key="",
            history=dict.fromkeys(runs.METRICS, (loss,)),
            train_loss=loss,
            train_accuracy=accuracy,
            test_loss=loss,
            test_accuracy=accuracy,
        )

    means = {name: 0.82 if name == "baseline" else 0.85 for name in catalogue.NETWORKS}
    return {
        name: [result(name, seed, float(random.normal(mean, 0.002))) for seed in SEEDS]
        for name, mean in means.items()
    }


def test_the_interval_is_student_s_with_the_quantile_of_the_tables(course: Course) -> None:
    ones, others = course["bn_approach_one"], course["baseline"]
    found = differences.paired(ones, others, "val_loss")
    apart = np.array(
        [a.final("val_loss") - b.final("val_loss") for a, b in zip(ones, others, strict=True)]
    )
    half = 2.776 * apart.std(ddof=1) / math.sqrt(5)  # 97.5%, 4 degrees of freedom
    assert found.mean == pytest.approx(apart.mean())
    assert (found.low, found.high) == pytest.approx(
        (apart.mean() - half, apart.mean() + half), abs=1e-4
    )
    assert found.pairs == 5
    assert found.unit == ""


def test_the_test_and_the_interval_agree(course: Course) -> None:
    found = [
        differences.paired(ones, others)
        for ones, others in itertools.permutations(course.values(), 2)
    ]
    told = [difference.p < 0.05 for difference in found]
    assert told == [difference.low > 0 or difference.high < 0 for difference in found]
    assert set(told) == {True, False}


def test_swapping_the_networks_turns_the_difference_round(course: Course) -> None:
    ones, others = course["bn_approach_one"], course["bn_approach_two"]
    found, back = differences.paired(ones, others), differences.paired(others, ones)
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))
    assert back.p == pytest.approx(found.p)


def test_an_interaction_is_the_difference_of_two_leads(course: Course) -> None:
    one, two, base = (course[name] for name in ("bn_approach_one", "bn_approach_two", "baseline"))
    found = differences.interaction((one, base), (two, base))
    same = differences.paired(one, two)  # here the baseline's share drops out
    assert tuple(found)[:5] == pytest.approx(tuple(same)[:5])
    assert found.unit == " points"
    leads = [differences.paired(ones, base).mean for ones in (one, two)]
    assert found.mean == pytest.approx(leads[0] - leads[1])
    with pytest.raises(ValueError, match="compared seed by seed"):
        differences.interaction((one, base), (two[::-1], base))


def test_pairing_narrows_an_interval_only_where_the_runs_correlate() -> None:
    random = np.random.default_rng(0)
    luck = random.normal(0, 1, 5)
    own = random.normal(0, 0.1, (2, 5))
    together, against = (1 + luck + own[0], 1 - luck + own[0])
    other = luck + own[1]
    for ones, narrower in ((together, True), (against, False)):
        widths = [
            found.high - found.low
            for found in (differences.of_values(ones, other), differences.welch(ones, other))
        ]
        assert (widths[0] < widths[1]) == narrower


def test_welch_s_samples_may_differ_in_size() -> None:
    ones, others = [3.0, 5.0, 4.0], [1.0, 2.0, 3.0, 2.0, 1.0]
    found = differences.welch(ones, others, " points")
    assert found.mean == pytest.approx(4 - 1.8)
    assert (found.low + found.high) / 2 == pytest.approx(found.mean)
    assert str(found).endswith(", 3 and 5 seeds)")


def test_welch_s_interval_is_that_of_the_textbook() -> None:
    # Of equal variances it has twice the degrees of freedom: 2.306 is 97.5% of 8.
    ones, others = np.arange(5.0), np.arange(5.0) + 10
    half = 2.306 * math.sqrt(2 * 2.5 / 5)
    found = differences.welch(ones, others)
    assert found.mean == -10
    assert (found.low, found.high) == pytest.approx((-10 - half, -10 + half), abs=1e-3)


def test_accuracies_are_compared_in_points_and_said_in_full(course: Course) -> None:
    ones, others = course["bn_approach_one"], course["baseline"]
    found = differences.paired(ones, others, "test_accuracy")
    of_ones, of_others = (np.mean([run.test_accuracy for run in group]) for group in (ones, others))
    assert found.mean == pytest.approx(100 * (of_ones - of_others))
    interval = f"95% interval {found.low:.2f} to {found.high:.2f}"
    for p, said in ((0.0421, "p = 0.042"), (0.0004, "p < 0.001")):
        expected = f"{found.mean:.2f} points ({interval}, {said}, 5 seeds)"
        assert str(found._replace(p=p)) == expected


def test_runs_of_other_seeds_cannot_be_compared(course: Course) -> None:
    ones, others = course["bn_approach_one"], course["baseline"]
    for first, second in ((ones, others[:4]), (ones, others[::-1]), (ones[:1], others[:1])):
        with pytest.raises(ValueError, match=r"compared seed by seed: .* Here are "):
            differences.paired(first, second)
