"""The three networks as the whole site names, orders, titles and draws them.

Knows no TensorFlow, so that a page which only shows results need not load it.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

ACTIVATIONS = {"leaky_relu": "leaky ReLU", "relu": "ReLU"}
"""The hidden layers' activations in the notebook, by name, with their titles; leaky ReLU has
the slope 0.3."""

INITIALIZERS = {"he_normal": "He normal", "glorot_uniform": "Glorot uniform"}
"""The distributions that the notebook draws the hidden layers' first weights from, in the
same way."""


@dataclasses.dataclass(frozen=True)
class Network:
    """One network of the course.

    Attributes
    ----------
    name : str
        The function in :mod:`bnlab.networks` that builds it.
    title : str
        What pages, tables and legends call it.
    color, dark_color : str
        Its colour on a light and on a dark page, as ``#rrggbb``. Each has a
        contrast of at least 3:1 with the page.
    marker, dash : str
        Its Matplotlib marker and line style, for those who do not see the colour.
    normalization : {"none", "after activation", "before activation"}
        Where batch normalization stands in a hidden layer.
    activation, initializer : str
        What its hidden layers have, of :data:`ACTIVATIONS` and :data:`INITIALIZERS`.
    """

    name: str
    title: str
    color: str
    dark_color: str
    marker: str
    dash: str
    normalization: Literal["none", "after activation", "before activation"]
    activation: str = "relu"
    initializer: str = "glorot_uniform"


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network(
            "baseline",
            "Baseline",
            "#5d6673",
            "#b3bdc9",
            "o",
            "--",
            "none",
            activation="leaky_relu",
            initializer="he_normal",
        ),
        Network(
            "bn_approach_one", "BN approach one", "#0b62c4", "#62b0ff", "s", "-", "after activation"
        ),
        Network(
            "bn_approach_two",
            "BN approach two",
            "#c2410c",
            "#ff9e64",
            "^",
            "-.",
            "before activation",
        ),
    )
}
"""The networks by name, in the order of the course."""

LAYER_NORM = dataclasses.replace(
    NETWORKS["bn_approach_two"],
    title="Layer norm",
    color="#0f766e",
    dark_color="#5eead4",
    marker="D",
    dash=":",
)
"""Approach two with layer normalization in the place of batch normalization."""


def find(name: str) -> Network:
    """Return a network by its name.

    Raises
    ------
    ValueError
        If no network of the course has that name.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"There is no network {name!r}. Choose one of {', '.join(map(repr, NETWORKS))}."
        )
    return NETWORKS[name]
