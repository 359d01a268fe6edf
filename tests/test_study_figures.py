"""The figures of the studies show what is stored, and follow the page's theme."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from support.figures import SMALLEST_TEXT, colours_by_name, style, texts, unnamed_colours

from bnlab import catalogue, figures, runs, studies
from bnlab.figures import sweeps as sweep_figures
from bnlab.studies.results import by_setting
from bnlab.studies.sweeps import NETWORKS

DRAWN: dict[str, Callable[[], Figure]] = {
    "rates": lambda: sweep_figures.against(studies.load("learning_rates").results, "learning_rate"),
    "scales": lambda: sweep_figures.against(
        studies.load("initial_scales").results, "initial_scale", "test_accuracy"
    ),
    "pairs": lambda: sweep_figures.combinations(studies.load("fair_baseline").results),
}


@pytest.fixture(scope="module", autouse=True)
def _style() -> Iterator[None]:
    with style():
        yield


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_drawn_alike_every_time_and_does_not_stay_open(name: str) -> None:
    assert figures.to_svg(DRAWN[name]()) == figures.to_svg(DRAWN[name]())
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_follows_the_page_and_each_network_has_its_own(name: str) -> None:
    svg = figures.to_svg(DRAWN[name]())
    assert set(NETWORKS) <= set(colours_by_name(svg))
    assert unnamed_colours(svg) == []


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_is_too_small_for_a_phone(name: str) -> None:
    figure = DRAWN[name]()
    assert min(text.get_fontsize() for text in texts(figure)) >= SMALLEST_TEXT
    assert figure.get_figwidth() <= figures.SIZE[0]


@pytest.mark.parametrize(
    "network",
    [*map(catalogue.find, NETWORKS), catalogue.STANDARDIZED],
    ids=lambda network: network.title,
)
def test_a_line_is_the_mean_of_the_runs_that_have_not_diverged(network: catalogue.Network) -> None:
    stored = studies.load("learning_rates")
    axis = DRAWN["rates"]().axes[0]
    (line,) = (x for x in axis.lines if x.get_label() == network.title)
    style = figures.style_of(network)
    assert (line.get_color(), line.get_marker()) == (style["color"], style["marker"])
    for rate, shown in zip(*line.get_data(), strict=True):
        finals = [
            result.final("val_accuracy")
            for result in stored.select(learning_rate=rate)
            if result.network == network and not result.diverged
        ]
        assert shown == pytest.approx(np.mean(finals)) if finals else np.isnan(shown)


def test_diverged_runs_are_counted_below() -> None:
    stored = studies.load("learning_rates")
    counts = [int(text.get_text().rstrip("†")) for text in DRAWN["rates"]().axes[1].texts]
    assert sum(counts) == sum(result.diverged for result in stored.results) > 0


def hollow(figure: Figure) -> set[tuple[str, float]]:
    """Return where a figure has a hollow marker: the network's colour, and the value below."""
    return {
        (line.get_color(), value)
        for line in figure.axes[0].lines
        if line.get_markerfacecolor() == figures.style.CARD
        for value in line.get_xdata()
    }


def test_what_rounding_decides_has_a_hollow_marker_and_a_dagger() -> None:
    stored = studies.load("learning_rates")
    marked = [seeds for seeds in by_setting(stored.results).values() if seeds[0].sensitive]
    figure = DRAWN["rates"]()
    assert hollow(figure) == {
        (seeds[0].network.color, seeds[0].recipe.learning_rate)
        for seeds in marked
        if not all(result.diverged for result in seeds)
    }
    daggers = [text for text in figure.axes[1].texts if text.get_text().endswith("†")]
    assert len(daggers) == sum(any(r.diverged for r in seeds) for seeds in marked) > 0
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "Rounding decides" in legend


def test_a_mean_over_fewer_than_all_seeds_has_a_hollow_marker_without_a_dagger() -> None:
    results = [
        dataclasses.replace(result, sensitive=False)
        for result in studies.load("learning_rates").results
    ]
    figure = sweep_figures.against(results, "learning_rate")
    fewer = {
        (seeds[0].network.color, seeds[0].recipe.learning_rate)
        for seeds in by_setting(results).values()
        if 0 < sum(result.diverged for result in seeds) < len(seeds)
    }
    assert hollow(figure) == fewer != set()
    assert not any("†" in text.get_text() for text in texts(figure))
    whole = [result for result in results if result.network.normalized]
    assert hollow(sweep_figures.against(whole, "learning_rate")) == set()


@pytest.mark.parametrize("pair", [("relu", "he_normal"), ("leaky_relu", "he_normal")])
def test_each_seed_of_a_pair_is_a_point(pair: tuple[str, str]) -> None:
    stored = studies.load("fair_baseline")
    (axis,) = DRAWN["pairs"]().axes
    rows = [tick.get_text() for tick in axis.get_yticklabels()]
    row = rows.index(f"{catalogue.ACTIVATIONS[pair[0]]},\n{catalogue.INITIALIZERS[pair[1]]}")
    shown = sorted(
        value
        for line in axis.lines
        if len(line.get_xdata()) == 5 and abs(line.get_ydata()[0] - row) < 0.5
        for value in line.get_xdata()
    )
    chosen = stored.select(activation=pair[0], initializer=pair[1])
    assert shown == sorted(runs.spread(chosen, "val_accuracy").values)
