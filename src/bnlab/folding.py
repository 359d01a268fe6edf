"""Rewrite a trained network as one without batch normalization that predicts the same."""

from __future__ import annotations

from itertools import filterfalse

from bnlab import batchnorm, quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import numpy as np
from keras import layers


def fold(model: keras.Sequential) -> keras.Sequential:
    """Return a plain dense network with a network's predictions in inference.

    A batch normalization right after a dense layer without activation goes
    into that layer, any other into the next dense layer. Weights are
    multiplied in float64.

    Parameters
    ----------
    model : keras.Sequential
        Built, of dense, flatten, activation and batch normalization layers.

    Returns
    -------
    keras.Sequential
        Not compiled. The model itself is left as it is.

    Raises
    ------
    ValueError
        If a batch normalization is followed by a layer past which it cannot
        be folded, or by no dense layer at all, or normalizes another axis
        than a dense layer multiplies.
    """
    folded: list[layers.Layer] = [layers.Input(model.input_shape[1:])]
    weights: list[tuple[np.ndarray, np.ndarray]] = []
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    for layer in filterfalse(_is_identity, model.layers):
        if isinstance(layer, layers.BatchNormalization):
            of_layer = _affine(layer)
            before = folded[-1]
            if isinstance(before, layers.Dense) and before.activation is keras.activations.linear:
                weights[-1] = batchnorm.folded_into_previous(*weights[-1], *of_layer)
            else:
                waiting.append(of_layer)
        elif isinstance(layer, layers.Dense):
            kernel = np.asarray(layer.kernel, np.float64)
            bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(layer.units)
            while waiting:
                kernel, bias = batchnorm.folded_into_next(*waiting.pop(), kernel, bias)
            folded.append(layers.Dense(layer.units, activation=layer.activation, name=layer.name))
            weights.append((kernel, bias))
        elif isinstance(layer, layers.Flatten) or (
            isinstance(layer, layers.Activation | layers.LeakyReLU | layers.ReLU) and not waiting
        ):
            folded.append(type(layer).from_config(layer.get_config()))
            waiting = [_shaped(layer.input.shape[1:], *of_layer) for of_layer in waiting]
        else:
            raise ValueError(
                f"The layer {layer.name!r} is not one that batch normalization can be folded past. "
                "It goes into a dense layer right before it, or into the next one after it."
            )
    if waiting:
        raise ValueError("The last batch normalization has no dense layer to be folded into.")
    plain = keras.Sequential(folded, name=f"{model.name}_folded")
    plain.set_weights([array for pair in weights for array in pair])
    return plain


def _is_identity(layer: layers.Layer) -> bool:
    """Tell whether a layer changes nothing, so that the folded network needs none."""
    if isinstance(layer, layers.Flatten):
        return len(layer.input.shape) == 2
    return isinstance(layer, layers.Activation) and layer.activation is keras.activations.linear


def _shaped(
    shape: tuple[int, ...], scale: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a scale and a shift for each place of each unit, in the order of flattening."""
    return np.broadcast_to(scale, shape).ravel(), np.broadcast_to(shift, shape).ravel()


def _affine(layer: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return the layer's scale and shift, for each unit of the last axis."""
    last = len(layer.input.shape) - 1
    if layer.axis not in (-1, last):
        raise ValueError(
            f"The layer {layer.name!r} normalizes axis {layer.axis}, and only the last one, "
            f"{last}, is that of a dense layer's weights."
        )
    mean, variance = (
        np.asarray(value, np.float64) for value in (layer.moving_mean, layer.moving_variance)
    )
    gamma = np.asarray(layer.gamma, np.float64) if layer.scale else np.ones_like(mean)
    beta = np.asarray(layer.beta, np.float64) if layer.center else np.zeros_like(mean)
    return batchnorm.affine(gamma, beta, mean, variance, layer.epsilon)
