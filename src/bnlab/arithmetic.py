"""Parameter counts from layer widths alone: the independent check of ``model.summary()``.

Knows neither Keras nor TensorFlow. A dense layer has a weight for each pair of input and
output and, with a bias, one more for each output. A batch-normalization layer has four
vectors as wide as its input: gamma and beta, which are trained, and the moving mean and
the moving variance, which are computed from the batches (Ioffe & Szegedy 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bnlab import catalogue

WIDTHS = (784, 300, 100, 10)
"""The notebook's widths: pixels, two hidden layers, classes."""

VECTORS = ("gamma", "beta", "moving_mean", "moving_variance")
"""The four vectors of a batch-normalization layer, in Keras's order."""

TRAINED_VECTORS = ("gamma", "beta")
"""Those of :data:`VECTORS` that gradient descent changes."""


class Layer(NamedTuple):
    """The parameters of one layer.

    Attributes
    ----------
    name : str
        Kind and width, for example ``"Dense 300"``.
    formula : str
        The count as one would write it down, for example ``"784·300 + 300"``.
    trainable, non_trainable : int
        Parameters that gradient descent changes, and that it does not.
    """

    name: str
    formula: str
    trainable: int
    non_trainable: int

    @property
    def total(self) -> int:
        """All parameters of the layer."""
        return self.trainable + self.non_trainable


def dense(inputs: int, outputs: int, *, bias: bool = True) -> Layer:
    """Count a dense layer: ``inputs·outputs`` weights and, with a bias, ``outputs`` more.

    Raises
    ------
    ValueError
        If a width is below 1.
    """
    _check_widths((inputs, outputs))
    formula = f"{inputs}·{outputs}" + (f" + {outputs}" if bias else "")
    return Layer(f"Dense {outputs}", formula, inputs * outputs + (outputs if bias else 0), 0)


def batch_normalization(width: int) -> Layer:
    """Count a batch-normalization layer: four vectors of ``width``, two of them trained.

    Raises
    ------
    ValueError
        If the width is below 1.
    """
    _check_widths((width,))
    trained = len(TRAINED_VECTORS)
    return Layer(
        f"BN {width}",
        f"{width}·{len(VECTORS)}",
        width * trained,
        width * (len(VECTORS) - trained),
    )


def count(network: str, widths: Sequence[int] = WIDTHS) -> list[Layer]:
    """Count a network of the course, layer by layer; layers without parameters are left out.

    Parameters
    ----------
    network : str
        A name in :data:`bnlab.catalogue.NETWORKS`.
    widths : sequence of int
        Inputs, hidden widths, classes.

    Raises
    ------
    ValueError
        If the network is unknown, or there are fewer than two widths, or one is below 1.
    """
    normalization = catalogue.find(network).normalization
    widths = tuple(widths)
    if len(widths) < 2:
        raise ValueError(f"A network needs at least inputs and outputs, not the widths {widths}.")
    *hidden, classes = widths[1:]
    normalized = normalization != "none"
    layers = [batch_normalization(widths[0])] if normalized else []
    width = widths[0]
    for next_width in hidden:
        # Before the activation, beta shifts what the bias would shift: there is none.
        layers.append(dense(width, next_width, bias=normalization != "before activation"))
        if normalized:
            layers.append(batch_normalization(next_width))
        width = next_width
    return [*layers, dense(width, classes)]


def totals(layers: Sequence[Layer]) -> Layer:
    """Add layers up into one row, named ``"Total"``."""
    return Layer(
        "Total",
        " + ".join(f"{layer.total}" for layer in layers),
        sum(layer.trainable for layer in layers),
        sum(layer.non_trainable for layer in layers),
    )


def _check_widths(widths: Sequence[int]) -> None:
    for width in widths:
        if width < 1:
            raise ValueError(f"A layer's width is a whole number from 1, not {width}.")
