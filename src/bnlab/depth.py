"""Deep networks before they are trained: what they begin with, and what passes through them.

Source: He, Zhang, Ren and Sun (2015), https://arxiv.org/abs/1502.01852, for the first weights;
Yang, Pennington, Rao, Sohl-Dickstein and Schoenholz (2019), https://arxiv.org/abs/1902.08129,
for gradients under batch normalization.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bnlab import batchnorm, data, gradients
from bnlab.catalogue import CLASSES, INPUTS
from bnlab.plain import Activation, Dense, Layer, Normalization
from bnlab.recipes import WIDTH

EPSILON = 1e-7
"""Keras's: a pixel is divided by its standard deviation, but by no less than this."""


class Through(NamedTuple):
    """What passes through the hidden layers of a network, from the first to the last.

    Attributes
    ----------
    activations : numpy.ndarray
        Root mean square of what leaves each layer.
    slopes : numpy.ndarray
        Euclidean norm of the loss's gradient by what leaves each layer.
    gradients : numpy.ndarray
        Euclidean norm of the loss's gradient by each layer's weights.
    """

    activations: np.ndarray
    slopes: np.ndarray
    gradients: np.ndarray


def standardized(part: data.Images, images: int) -> data.Images:
    """Return the first images of a part, their pixels standardized as a recipe does it.

    The pixels are float64, of shape (images, 784).
    """
    mean, variance = data.pixel_moments()
    pixels = part.pixels[:images].reshape(-1, INPUTS).astype(np.float64)
    return data.Images(
        (pixels - mean) / np.maximum(np.sqrt(variance), EPSILON), part.labels[:images]
    )


def begin(
    hidden_layers: int,
    *,
    scale: float = 1.0,
    normalized: bool = False,
    slope: float = 0.0,
    epsilon: float = batchnorm.EPSILON,
    seed: int = 42,
) -> list[Layer]:
    """Return a network with its first weights, in float64.

    Parameters
    ----------
    hidden_layers : int
        Of :data:`bnlab.recipes.WIDTH` units each.
    scale : float
        The weights are He's times this: normal, with a variance of 2 divided by the inputs.
    normalized : bool
        Whether a batch normalization follows each hidden layer's weights.
    slope : float
        Of the activation below 0: 0 is ReLU, and with 1 the layers are linear.
    epsilon : float
        Added to a batch's variance.
    seed : int
        Sets the weights, which are the same with batch normalization and without.
    """
    random = np.random.default_rng(seed)
    widths = [INPUTS, *[WIDTH] * hidden_layers, CLASSES]
    network: list[Layer] = []
    for inputs, units in itertools.pairwise(widths):
        kernel = scale * math.sqrt(2 / inputs) * random.standard_normal((inputs, units))
        network.append(Dense(kernel, np.zeros(units)))
        if normalized and units == WIDTH:
            zeros, ones = np.zeros(units), np.ones(units)
            network.append(Normalization(ones, zeros, zeros, ones, epsilon))
        network.append(Activation("relu", slope))
    return [*network[:-1], Activation("softmax")]


def through(network: Sequence[Layer], images: data.Images) -> Through:
    """Return what passes through a network's hidden layers, forward and back.

    Parameters
    ----------
    network : sequence of Layer
        As of :func:`begin`.
    images : Images
        A batch, as of :func:`standardized`.
    """
    passed = gradients.of_batch(network, *images)
    weights = np.flatnonzero(hidden(network))
    ends = [n for n, layer in enumerate(network) if isinstance(layer, Activation)][:-1]
    return Through(
        np.array([np.sqrt(np.mean(passed.outputs[n] ** 2)) for n in ends]),
        np.array([np.linalg.norm(passed.slopes[n]) for n in ends]),
        np.array([np.linalg.norm(passed.gradients[n][0]) for n in weights]),
    )


def growth(slope: float = 0.0) -> float:
    """Return by how much a gradient grows on its way down through a normalized layer.

    For wide layers, large batches and values that are normally distributed. Its square is the
    activation's mean square divided by its variance: weights pass the mean square on, and the
    normalization divides by the standard deviation. Of ReLU it is pi / (pi - 1), as in Yang et
    al. (2019).

    Parameters
    ----------
    slope : float
        Of the activation below 0.
    """
    mean_square = (1 + slope**2) / 2
    mean = (1 - slope) / math.sqrt(2 * math.pi)
    return math.sqrt(mean_square / (mean_square - mean**2))


def hidden(network: Sequence[Layer]) -> np.ndarray:
    """Tell of each layer whether it holds the weights of a hidden layer: boolean."""
    dense = np.array([isinstance(layer, Dense) for layer in network])
    dense[np.flatnonzero(dense)[-1]] = False
    return dense


def scaled(network: Sequence[Layer], factor: float) -> list[Layer]:
    """Return a network whose hidden layers have weights and biases so many times as large."""
    return [
        Dense(factor * layer.kernel, None if layer.bias is None else factor * layer.bias)
        if here and isinstance(layer, Dense)
        else layer
        for layer, here in zip(network, hidden(network), strict=True)
    ]
