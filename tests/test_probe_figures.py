"""The probes' figures repeat exactly, follow the page's theme, and can be read without colour."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_figures import SMALLEST_TEXT, bare

from bnlab import figures
from bnlab.catalogue import NETWORKS, find
from bnlab.figures import probes as probe_figures

PANELS = {
    title: {
        name: np.random.default_rng(place).uniform(0.1, 3, (5, 4))
        for place, name in enumerate(NETWORKS)
    }
    for title in ("Above", "Below")
}
NORMALIZED = list(NETWORKS)[1:]
VALUES = {
    name: [np.random.default_rng(place).normal(size=(5, 30)) for place in range(3)]
    for name in NORMALIZED
}
DRAWN: dict[str, Callable[[], Figure]] = {
    "over_training": lambda: probe_figures.over_training(PANELS, ["0", "200", "400", "17,190"]),
    "over_steps": lambda: probe_figures.over_steps(PANELS, [0.001, 0.01, 0.1, 0.4], 0.001),
    "learned": lambda: probe_figures.learned(VALUES, VALUES, ["Pixels", "Hidden 1", "Hidden 2"]),
}
every_figure = pytest.mark.parametrize("name", DRAWN)


@pytest.fixture(scope="module", autouse=True)
def _style() -> Iterator[None]:
    with mpl.rc_context():
        figures.use_style()
        yield


def test_every_public_function_that_draws_is_tried() -> None:
    drawing = {
        name
        for name, function in vars(probe_figures).items()
        if getattr(function, "__module__", "") == probe_figures.__name__
        and function.__annotations__.get("return") == "Figure"
        and not name.startswith("_")
    }
    assert drawing == set(DRAWN)


@every_figure
def test_a_figure_is_drawn_alike_every_time_and_closed(name: str) -> None:
    assert figures.to_svg(DRAWN[name]()) == figures.to_svg(DRAWN[name]())
    assert plt.get_fignums() == []


@every_figure
def test_every_colour_follows_the_page(name: str) -> None:
    svg = figures.to_svg(DRAWN[name]())
    used = set(re.findall(r"var\(--bn-(\w+), ", svg))
    assert used & set(NETWORKS) == set(NORMALIZED if name == "learned" else NETWORKS)
    left = bare(svg).lower()
    assert re.findall(r"(?:fill|stroke): (?!none|\s*[;\"])[^;\"]+", left) == []


@every_figure
def test_no_text_is_too_small_for_a_phone(name: str) -> None:
    figure = DRAWN[name]()
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= SMALLEST_TEXT
    assert not any("^" in text.get_text() for text in texts)


@pytest.mark.parametrize("name", ["over_training", "over_steps"])
def test_a_line_is_the_mean_over_seeds_in_the_network_s_style(name: str) -> None:
    figure = DRAWN[name]()
    for axis, (title, values) in zip(figure.axes, PANELS.items(), strict=True):
        assert axis.get_title("left") == title
        lines = {line.get_label(): line for line in axis.lines}
        for network, of_seeds in values.items():
            line, found = lines[find(network).title], find(network)
            np.testing.assert_allclose(line.get_ydata(), of_seeds.mean(axis=0))
            assert (line.get_marker(), line.get_linestyle()) == (found.marker, found.dash)


def test_all_units_lie_on_the_line_of_their_layer() -> None:
    axis = DRAWN["learned"]().axes[0]
    for place, name in enumerate(NORMALIZED):
        ends = np.array([path[:, 0] for path in axis.collections[2 * place].get_segments()])
        np.testing.assert_allclose(ends, [[value.min(), value.max()] for value in VALUES[name]])
