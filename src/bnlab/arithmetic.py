"""Parameter counts from layer widths alone: the independent check of ``model.summary()``.

Knows neither Keras nor TensorFlow. A dense layer has a weight for each pair of input and
output and, with a bias, one more for each output. A batch-normalization layer has four
vectors as wide as its input: gamma and beta, which are trained, and the moving mean and
the moving variance, which are computed from the batches (Ioffe & Szegedy 2015).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bnlab import catalogue
from bnlab.catalogue import Network

WIDTHS = catalogue.find("baseline").widths
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
    """Count a batch-normalization layer: four vectors, two of them trained.

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


def count(network: str | Network, widths: Sequence[int] | None = None) -> list[Layer]:
    """Count a network layer by layer; layers without parameters are left out.

    Parameters
    ----------
    network : str or Network
        A network, or its name in :data:`bnlab.catalogue.NETWORKS`.
    widths : sequence of int, optional
        Inputs, hidden widths, classes, in place of the network's own.

    Raises
    ------
    ValueError
        If the network is unknown, or there are fewer than two widths, or one is below 1.
    """
    return [layer for _, layer in _placed(network, widths)]


def side_by_side(networks: Iterable[str | Network]) -> list[tuple[str, list[Layer | None]]]:
    """Count networks, the layers at the same place in one row.

    Parameters
    ----------
    networks : iterable of str or Network
        As for :func:`count`.

    Returns
    -------
    list of tuple
        The name of a layer, and for each network its layer there, or None where it has none.
        Layers of another width have a row of their own.
    """
    counted = [
        {(place, layer.name): layer for place, layer in _placed(network, None)}
        for network in networks
    ]
    rows = sorted(set().union(*counted))
    return [(row[1], [layers.get(row) for layers in counted]) for row in rows]


def _placed(
    network: str | Network, widths: Sequence[int] | None
) -> list[tuple[tuple[float, int], Layer]]:
    """Count a network's layers, each with its place: how deep it lies, and which comes first."""
    found = catalogue.find(network) if isinstance(network, str) else network
    widths = tuple(found.widths if widths is None else widths)
    if len(widths) < 2:
        raise ValueError(f"A network needs at least inputs and outputs, not the widths {widths}.")
    inputs, *hidden, classes = widths
    placed: list[tuple[tuple[float, int], Layer]] = []
    if found.normalizes_inputs:
        placed.append(((0, 1), batch_normalization(inputs)))
    for depth, (width, next_width) in enumerate(itertools.pairwise((inputs, *hidden)), start=1):
        placed.append(((depth, 0), dense(width, next_width, bias=found.bias)))
        if found.normalization != "none":
            placed.append(((depth, 1), batch_normalization(next_width)))
    return [*placed, ((math.inf, 0), dense(widths[-2], classes))]


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
