"""The networks as the whole site names, orders, titles and draws them, and of what they consist.

A network is entered here, and built by the function of its name in :mod:`bnlab.networks`. What
counts, draws, trains or shows networks follows from these two. Knows no TensorFlow, so that a
page which only shows results need not load it.
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

INPUTS, CLASSES = 784, 10
"""Pixels of an image, and kinds of garments: the widths at both ends of every network."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """One network of the course.

    Attributes
    ----------
    name : str
        The function in :mod:`bnlab.networks` that builds it.
    title, short : str
        What pages and legends call it, and what narrow tables do.
    color, dark_color : str
        Its colour on a light and on a dark page, as ``#rrggbb``. Each has a
        contrast of at least 3:1 with the page.
    marker, dash, hatch : str
        Its Matplotlib marker, line style and filling, for those who do not see the colour.
    hidden : tuple of int
        Widths of the hidden layers.
    activation, initializer : str
        What its hidden layers have, of :data:`ACTIVATIONS` and :data:`INITIALIZERS`.
    normalization : {"none", "after activation", "before activation"}
        Where a hidden layer has batch normalization.
    normalizes_inputs : bool
        Whether the pixels are normalized, too.
    bias : bool
        Whether the hidden layers have biases.
    dropout : float
        The share of a hidden layer's outputs that each training step drops.
    optimizer : str
        The class in ``keras.optimizers`` that trains it; the recipe has the learning rate.
    """

    name: str
    title: str
    short: str
    color: str
    dark_color: str
    marker: str
    dash: str | tuple[int, tuple[int, ...]]
    hatch: str
    hidden: tuple[int, ...] = (300, 100)
    activation: str = "relu"
    initializer: str = "glorot_uniform"
    normalization: Literal["none", "after activation", "before activation"] = "none"
    normalizes_inputs: bool = False
    bias: bool = True
    dropout: float = 0.0
    optimizer: str = "SGD"

    @property
    def normalized(self) -> bool:
        """Whether it has batch normalization anywhere."""
        return self.normalizes_inputs or self.normalization != "none"

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of all layers: inputs, hidden, classes."""
        return (INPUTS, *self.hidden, CLASSES)


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network(
            name="baseline",
            title="Baseline",
            short="Baseline",
            color="#5d6673",
            dark_color="#b3bdc9",
            marker="o",
            dash="--",
            hatch="",
            activation="leaky_relu",
            initializer="he_normal",
        ),
        Network(
            name="bn_approach_one",
            title="BN approach one",
            short="BN one",
            color="#0b62c4",
            dark_color="#62b0ff",
            marker="s",
            dash="-",
            hatch="///",
            normalization="after activation",
            normalizes_inputs=True,
        ),
        Network(
            name="bn_approach_two",
            title="BN approach two",
            short="BN two",
            color="#c2410c",
            dark_color="#ff9e64",
            marker="^",
            dash="-.",
            hatch="...",
            normalization="before activation",
            normalizes_inputs=True,
            bias=False,
        ),
    )
}
"""The networks by name, in the order of the course."""

NOTEBOOK = ("baseline", "bn_approach_one", "bn_approach_two")
"""The notebook's own networks, which the lessons explain."""

LAYER_NORM = dataclasses.replace(
    NETWORKS["bn_approach_two"],
    title="Layer norm",
    short="Layer norm",
    color="#0f766e",
    dark_color="#5eead4",
    marker="D",
    dash=":",
)
"""Approach two with layer normalization in the place of batch normalization."""

STANDARDIZED = dataclasses.replace(
    NETWORKS["baseline"],
    title="Baseline, standardized",
    short="Standardized",
    color="#a3237f",
    dark_color="#ff8fd8",
    marker="v",
    dash=(0, (6, 2, 1, 2, 1, 2)),
)
"""The baseline on standardized pixels: what batch normalization does to them, as two constants
a pixel."""


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
