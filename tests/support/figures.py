"""The figures of the course, drawn of its runs or of made-up numbers, and what holds for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from bnlab import data, figures, runs
from bnlab.catalogue import NETWORKS
from bnlab.figures import diagrams, probes

SMALLEST_TEXT = 10.5
"""In points: smaller text cannot be read on a phone."""

PALE = {"confusion", "confusion_difference"}
"""Maps of colours, with the numbers on them in black and white."""

Course = Mapping[str, Sequence[runs.Run]]

PANELS = {
    title: {
        name: np.random.default_rng(place).uniform(0.1, 3, (5, 4))
        for place, name in enumerate(NETWORKS)
    }
    for title in ("Above", "Below")
}
UNITS = {
    name: [np.random.default_rng(place).normal(size=(5, 30)) for place in range(3)]
    for name in ("bn_approach_one", "bn_approach_two")
}

DRAWN: dict[str, Callable[[Course], Figure]] = {
    "curves": lambda course: figures.curves(course["baseline"][0]),
    "curves of two": lambda course: figures.curves(
        [course["baseline"][0], course["bn_approach_one"][0]]
    ),
    "notebook_comparison": lambda course: figures.notebook_comparison(course["bn_approach_one"][0]),
    "compared_curves": lambda course: figures.compared_curves(course, "val_loss"),
    "seed_points": lambda course: figures.seed_points(course, ["val_accuracy", "test_accuracy"]),
    "garments": lambda _: figures.garments(data.load().train.pixels[:7], list("abcdefg")),
    "confusion": lambda course: figures.confusion(course["bn_approach_two"][0]),
    "confusion_difference": lambda course: figures.confusion_difference(
        course["bn_approach_two"][0], course["baseline"][0]
    ),
    "over_training": lambda _: probes.over_training(PANELS, ["0", "200", "400", "17,190"]),
    "over_steps": lambda _: probes.over_steps(PANELS, [0.001, 0.01, 0.1, 0.4], 0.001),
    "side_by_side": lambda _: diagrams.side_by_side(),
    "bowls": lambda _: diagrams.bowls([(1, 5), (1, 1)]),
    "learned": lambda _: probes.learned(UNITS, UNITS, ["Pixels", "Hidden 1", "Hidden 2"]),
}
"""By the name of the function that draws, and a word more where it is drawn twice."""

IN_COLOURS: dict[str, set[str]] = {
    "curves": {"baseline"},
    "curves of two": {"baseline", "bn_approach_one"},
    "notebook_comparison": {"bn_approach_one"},
    "garments": set(),
    "confusion": set(),
    "confusion_difference": set(),
    "side_by_side": set(UNITS),
    "bowls": set(),
    "learned": set(UNITS),
}
"""The networks in each figure, where it does not show all."""


@contextmanager
def style() -> Iterator[None]:
    """Draw in the course's style, and leave Matplotlib as it was."""
    with mpl.rc_context():
        figures.use_style()
        yield


def functions_that_draw(*modules: ModuleType) -> set[str]:
    """Return the names of the public functions that return a figure they have drawn."""
    return {
        name
        for module in modules
        for name, function in vars(module).items()
        if getattr(function, "__module__", "") == module.__name__
        and function.__annotations__.get("return") == "Figure"
        and "figure" not in function.__annotations__
        and not name.startswith("_")
    }


def colours_by_name(svg: str) -> dict[str, str]:
    """Return the colours that a figure uses by name, with their values."""
    return dict(re.findall(r"var\(--bn-(\w+), (#\w+)\)", svg))


def bare(svg: str) -> str:
    """Return a figure without its style sheet and without the colours that have a name."""
    return re.sub(r"var\(--bn-\w+, #[0-9a-f]{6}\)", "", re.sub(r"<style>.*?</style>", "", svg))


def unnamed_colours(svg: str) -> list[str]:
    """Return the colours of a figure that do not follow the page."""
    return re.findall(r"(?:fill|stroke): (?!none|\s*[;\"])[^;\"]+", bare(svg).lower())


def texts(figure: Figure) -> list[Text]:
    """Return the texts that a figure shows."""
    figure.draw_without_rendering()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
