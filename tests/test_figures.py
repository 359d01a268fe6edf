"""The figures repeat exactly, follow the page's theme, and can be read without colour."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from package import SOURCE, python
from support.figures import (
    DRAWN,
    IN_COLOURS,
    PALE,
    PANELS,
    SMALLEST_TEXT,
    UNITS,
    bare,
    colours_by_name,
    functions_that_draw,
    style,
    texts,
    unnamed_colours,
)

from bnlab import arithmetic, figures, recipes, runs
from bnlab.catalogue import LAYER_NORM, NETWORKS, STANDARDIZED, find
from bnlab.figures import diagrams, drawings, probes
from evergreen import store

Course = dict[str, list[runs.Run]]
every_figure = pytest.mark.parametrize("name", DRAWN)


@pytest.fixture(scope="module", autouse=True)
def _style() -> Iterator[None]:
    with style():
        yield


@pytest.fixture(scope="module")
def svgs(course: Course, _style: None) -> dict[str, str]:
    return {name: figures.to_svg(draw(course)) for name, draw in DRAWN.items()}


def test_every_function_that_draws_is_tried() -> None:
    tried = {name.partition(" ")[0] for name in DRAWN}
    assert functions_that_draw(diagrams, drawings, probes) == tried


@every_figure
def test_a_figure_is_drawn_alike_every_time(
    course: Course, svgs: dict[str, str], name: str
) -> None:
    assert figures.to_svg(DRAWN[name](course)) == svgs[name]


def test_a_figure_is_drawn_alike_in_another_process(svgs: dict[str, str]) -> None:
    code = """
import hashlib
from support.figures import DRAWN
from bnlab import catalogue, figures, runs

figures.use_style()
course = {name: runs.load_seeds(name) for name in catalogue.NETWORKS}
for draw in reversed(DRAWN.values()):  # in another order, too
    print(hashlib.sha256(figures.to_svg(draw(course)).encode()).hexdigest())
"""
    here = [hashlib.sha256(svg.encode()).hexdigest() for svg in svgs.values()]
    there = python(code, SOURCE, Path(__file__).parent, EVERGREEN_STORE=store.root()).split()
    assert there[::-1] == here


def test_no_figure_stays_open(svgs: dict[str, str]) -> None:
    assert plt.get_fignums() == []


@every_figure
def test_each_network_is_drawn_in_its_own_colour_by_name(svgs: dict[str, str], name: str) -> None:
    used = colours_by_name(svgs[name])
    assert used.keys() & NETWORKS.keys() == IN_COLOURS.get(name, set(NETWORKS))
    assert used == {colour: figures.COLORS[colour][0] for colour in used}


@every_figure
def test_every_colour_follows_the_page(svgs: dict[str, str], name: str) -> None:
    left = bare(svgs[name]).lower()
    assert not [value for pair in figures.COLORS.values() for value in pair if value in left]
    if name not in PALE:
        assert unnamed_colours(svgs[name]) == []


@every_figure
def test_a_figure_says_which_colours_it_has_on_a_light_and_on_a_dark_page(
    svgs: dict[str, str], name: str
) -> None:
    sheet = svgs[name].partition("<style>")[2].partition("</style>")[0]
    light, dark = sheet.split("@media(prefers-color-scheme:dark)")
    for colour, (light_value, dark_value) in figures.COLORS.items():
        assert f"--bn-{colour}:{light_value};" in light
        assert f"--bn-{colour}:{dark_value};" in dark


def test_no_two_names_share_a_light_colour() -> None:
    lights = [light for light, _ in figures.COLORS.values()]
    assert len(set(lights)) == len(lights)


@every_figure
def test_no_text_is_too_small_for_a_phone(course: Course, name: str) -> None:
    figure = DRAWN[name](course)
    shown = texts(figure)
    assert min(text.get_fontsize() for text in shown) >= SMALLEST_TEXT
    assert not any("^" in text.get_text() for text in shown), "a raised exponent is smaller"
    assert figure.get_figwidth() <= figures.SIZE[0]


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("ink", 4.5),
        ("muted", 4.5),
        ("accent", 3),
        *((name, 3) for name in (*NETWORKS, "layer_norm", "standardized")),
    ],
)
def test_colours_stand_out_from_the_card(shade: int, name: str, least: float) -> None:
    card = figures.COLORS["card"][shade]
    assert contrast(figures.COLORS[name][shade], card) >= least


def test_networks_differ_in_marker_and_in_dash_and_not_in_colour_alone() -> None:
    drawn = (*NETWORKS.values(), LAYER_NORM, STANDARDIZED)
    for one, other in itertools.combinations(drawn, 2):
        assert one.marker != other.marker
        assert one.dash != other.dash
        assert one.color != other.color
        assert one.dark_color != other.dark_color


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_s_lines_are_drawn_in_its_style(course: Course, network: str) -> None:
    (axis,) = figures.compared_curves(course).axes
    (line,) = (line for line in axis.lines if line.get_label() == find(network).title)
    assert figures.style_of(network) == {
        "color": line.get_color(),
        "marker": line.get_marker(),
        "linestyle": line.get_linestyle(),
    }


def test_the_curves_show_the_run_s_history(course: Course) -> None:
    run = course["baseline"][0]
    above, below = figures.curves(run).axes
    for axis, metric in ((above, "loss"), (below, "accuracy")):
        training, validation = axis.lines
        assert training.get_ydata().tolist() == list(run.history[metric])
        assert validation.get_ydata().tolist() == list(run.history[f"val_{metric}"])
        assert training.get_linestyle() != validation.get_linestyle()


def test_the_confusion_matrix_counts_every_test_image_once(course: Course) -> None:
    run = course["baseline"][0]
    (axis,) = figures.confusion(run).axes
    counts = {text.get_position(): int(text.get_text()) for text in axis.texts}
    assert len(counts) == 10 * 10
    assert sum(counts.values()) == 10_000
    right = sum(count for (across, down), count in counts.items() if across == down)
    assert right == round(run.test_accuracy * 10_000)


def test_the_difference_of_two_confusion_matrices_is_that_of_their_counts(course: Course) -> None:
    one, other = course["bn_approach_one"][0], course["baseline"][0]
    shown, *both = (
        {text.get_position(): int(text.get_text()) for text in figure.axes[0].texts}
        for figure in (
            figures.confusion_difference(one, other),
            figures.confusion(one),
            figures.confusion(other),
        )
    )
    assert shown == {place: both[0][place] - both[1][place] for place in both[0]}
    assert sum(shown.values()) == 0


def test_the_notebook_prints_no_log_of_approach_two(course: Course) -> None:
    with pytest.raises(ValueError, match="no log of BN approach two, only of baseline, bn_app"):
        figures.notebook_comparison(course["bn_approach_two"][0])


def test_each_seed_is_a_point(course: Course) -> None:
    for axis in figures.seed_points(course, ["test_accuracy"]).axes:
        points = [line for line in axis.lines if len(line.get_xdata()) == len(recipes.SEEDS)]
        assert [line.get_xdata().tolist() for line in points] == [
            [run.test_accuracy for run in of_network] for of_network in course.values()
        ]


@pytest.mark.parametrize("name", ["over_training", "over_steps"])
def test_a_line_is_the_mean_over_seeds_in_the_network_s_style(course: Course, name: str) -> None:
    figure = DRAWN[name](course)
    for axis, (title, values) in zip(figure.axes, PANELS.items(), strict=True):
        assert axis.get_title("left") == title
        lines = {line.get_label(): line for line in axis.lines}
        for network, of_seeds in values.items():
            line, found = lines[find(network).title], find(network)
            np.testing.assert_allclose(line.get_ydata(), of_seeds.mean(axis=0))
            assert (line.get_marker(), line.get_linestyle()) == (found.marker, found.dash)


def test_all_units_lie_on_the_line_of_their_layer(course: Course) -> None:
    axis = DRAWN["learned"](course).axes[0]
    for place, values in enumerate(UNITS.values()):
        ends = np.array([path[:, 0] for path in axis.collections[2 * place].get_segments()])
        np.testing.assert_allclose(ends, [[value.min(), value.max()] for value in values])


def test_the_diagram_has_the_layers_of_each_network_in_their_order() -> None:
    (axis,) = diagrams.side_by_side().axes
    for place, network in enumerate(NETWORKS.values()):
        column = [text for text in axis.texts if text.get_position()[0] == place]
        title, *layers = [
            text.get_text() for text in sorted(column, key=lambda t: t.get_position()[1])
        ]
        counted = [layer.name for layer in arithmetic.count(network)]
        assert title == network.title
        assert [text.split(",")[0] for text in layers if text[:2] in ("BN", "De")] == counted


def test_a_path_in_a_bowl_is_gradient_descent() -> None:
    curvatures, place = np.array([1.0, 25.0]), np.array([-1.7, 1.4])
    rate = diagrams.best_rate(curvatures)
    path = diagrams.descend(curvatures, place, rate, 20)
    for step in path:
        np.testing.assert_allclose(step, place, atol=1e-12)
        place = place - rate * curvatures * place
    shares = np.abs(path[1] / path[0])
    np.testing.assert_allclose(shares, shares[::-1])
