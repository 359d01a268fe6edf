"""The figures of deep networks show what they are given, and follow the page's theme."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from matplotlib.figure import Figure
from support.figures import (
    SMALLEST_TEXT,
    colours_by_name,
    functions_that_draw,
    style,
    texts,
    unnamed_colours,
)

from bnlab import figures
from bnlab.figures import depth as depth_figures
from bnlab.recipes import Recipe
from bnlab.studies import Stored

RATES, DEPTHS = (0.01, 0.1), (2, 5, 20)
UNTRIED = (0.1, 5)
LINES = {"He": 0.9, "Half of He": 0.5, "He, BN": 1.0}
LAYERS = {name: factor ** np.arange(20) for name, factor in LINES.items()}


def stored(normalizes: str, rate: float, layers: int, seed: int, accuracy: float) -> Stored:
    recipe = Recipe(
        "bn_approach_two",
        seed=seed,
        learning_rate=rate,
        hidden_layers=layers,
        normalizes=normalizes,  # type: ignore[arg-type]
    )
    loss = math.nan if accuracy == 0.1 else 0.3
    return Stored(
        recipe=recipe,
        key="0",
        history={"loss": (loss,)},
        train_loss=loss,
        train_accuracy=accuracy,
        test_loss=loss,
        test_accuracy=accuracy,
        seconds=1.0,
        machine="0",
        sensitive=False,
    )


RESULTS = {
    name: [
        stored(kind, rate, layers, seed, 0.1 if diverges(rate, layers) else 0.8 + seed / 100)
        for rate, layers, seed in itertools.product(RATES, DEPTHS, (1, 2, 3))
        if (rate, layers) != UNTRIED
    ]
    for name, kind, diverges in (
        ("He", "none", lambda rate, layers: rate * layers >= 2),
        ("He, BN", "hidden", lambda rate, layers: False),
    )
}

DRAWN: dict[str, Callable[[], Figure]] = {
    "layer_by_layer": lambda: depth_figures.layer_by_layer({"One": LAYERS, "Two": LAYERS}),
    "by_depth": lambda: depth_figures.by_depth(RESULTS, RATES),
    "over_steps": lambda: depth_figures.over_steps(LAYERS, "Norm"),
}
every_figure = pytest.mark.parametrize("name", DRAWN)


@pytest.fixture(scope="module", autouse=True)
def _style() -> Iterator[None]:
    with style():
        yield


def test_every_function_that_draws_is_tried() -> None:
    assert functions_that_draw(depth_figures) == set(DRAWN)


@every_figure
def test_a_figure_is_legible_on_every_page_and_drawn_alike_every_time(name: str) -> None:
    figure = DRAWN[name]()
    svg = figures.to_svg(figure)
    assert svg == figures.to_svg(DRAWN[name]())
    assert unnamed_colours(svg) == []
    assert {"baseline", "bn_approach_two"} <= set(colours_by_name(svg))
    assert min(float(text.get_fontsize()) for text in texts(figure)) >= SMALLEST_TEXT
    assert figure.get_figwidth() <= figures.SIZE[0]


@every_figure
def test_lines_of_one_colour_have_marks_of_their_own(name: str) -> None:
    for axis in DRAWN[name]().axes:
        lines = [line for line in axis.lines if not str(line.get_label()).startswith("_")]
        looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
        assert len(looks) == len(lines)


def test_each_layer_is_a_point_at_its_number() -> None:
    for axis in DRAWN["layer_by_layer"]().axes:
        assert {line.get_label(): list(np.asarray(line.get_ydata())) for line in axis.lines} == {
            name: list(values) for name, values in LAYERS.items()
        }
        assert all(list(np.asarray(line.get_xdata())) == list(range(1, 21)) for line in axis.lines)


def of(results: list[Stored], rate: float, depth: int) -> list[float]:
    return [
        r.test_accuracy
        for r in results
        if (r.recipe.learning_rate, r.recipe.hidden_layers) == (rate, depth)
    ]


def test_a_line_goes_through_the_medians_of_its_seeds_in_the_panel_of_its_rate() -> None:
    axes = DRAWN["by_depth"]().axes
    assert [tick.get_text() for tick in axes[-1].get_xticklabels()] == list(map(str, DEPTHS))
    for axis, rate in zip(axes, RATES, strict=True):
        assert f"{rate:g}" in axis.get_title(loc="left")
        drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in axis.lines}
        for name, results in RESULTS.items():
            expected = [
                np.nan if (rate, depth) == UNTRIED else np.median(of(results, rate, depth))
                for depth in DEPTHS
            ]
            assert drawn[name] == pytest.approx(expected, nan_ok=True)


def test_each_run_is_a_point_and_hollow_if_it_diverged() -> None:
    for axis, rate in zip(DRAWN["by_depth"]().axes, RATES, strict=True):
        points = [
            (round(np.asarray(line.get_xdata())[0]), np.asarray(line.get_ydata())[0], hollow)
            for line in axis.lines
            for hollow in [line.get_markerfacecolor() == figures.CARD]
            if np.size(line.get_xdata()) == 1
        ]
        assert sorted(points) == sorted(
            (place, accuracy, accuracy == 0.1)
            for results in RESULTS.values()
            for place, depth in enumerate(DEPTHS)
            for accuracy in of(results, rate, depth)
        )
