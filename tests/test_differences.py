"""A difference between networks comes with its interval and its test."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bnlab import differences, runs

Course = dict[str, list[runs.Run]]


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
    for ones in course.values():
        for others in course.values():
            if ones is not others:
                found = differences.paired(ones, others)
                assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_swapping_the_networks_turns_the_difference_round(course: Course) -> None:
    ones, others = course["bn_approach_one"], course["bn_approach_two"]
    found, back = differences.paired(ones, others), differences.paired(others, ones)
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))
    assert back.p == pytest.approx(found.p)


def test_accuracies_are_compared_in_points_and_said_in_full(course: Course) -> None:
    found = differences.paired(course["bn_approach_one"], course["baseline"], "test_accuracy")
    means = [np.mean([run.test_accuracy for run in course[name]]) for name in course]
    assert found.mean == pytest.approx(100 * (means[1] - means[0]))
    assert str(found) == (
        f"{found.mean:.2f} points (95% interval {found.low:.2f} to {found.high:.2f}, "
        "p < 0.001, 5 seeds)"
    )
    assert str(found._replace(p=0.0421)).endswith("p = 0.042, 5 seeds)")


def test_runs_of_other_seeds_cannot_be_compared(course: Course) -> None:
    ones, others = course["bn_approach_one"], course["baseline"]
    for first, second in ((ones, others[:4]), (ones, others[::-1]), (ones[:1], others[:1])):
        with pytest.raises(ValueError, match=r"compared seed by seed: .* Here are "):
            differences.paired(first, second)
