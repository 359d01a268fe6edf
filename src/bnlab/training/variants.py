"""A network of the course with something changed: what a fair comparison must also try.

The notebook's networks differ in more than batch normalization. Here one is built from its
entry in the catalogue, as a recipe varies that: with another activation or initializer, with
some of its normalizations only or with others, deeper, with standardized pixels, or with larger
or smaller first weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bnlab import data, quiet  # noqa: F401  (loads TensorFlow before Keras would)
from bnlab.recipes import Recipe

# isort: split

import keras
from keras import layers

ACTIVATIONS: dict[str, Callable[[], keras.Layer]] = {
    "leaky_relu": lambda: layers.LeakyReLU(negative_slope=0.3),
    "relu": lambda: layers.Activation("relu"),
}
"""A layer for each name in :data:`bnlab.catalogue.ACTIVATIONS`."""

EPSILON = 1e-3
"""Added to a variance: Keras's own for batch normalization, and so for all that replaces it."""


def varied(recipe: Recipe) -> keras.Sequential:
    """Build a network of the course as a recipe varies it.

    The weights are drawn from the recipe's seed, layer by layer as in :mod:`bnlab.networks`. So
    a network whose activation alone is exchanged starts from the very weights of the original.
    The global seeds are reset in the process.

    Returns
    -------
    keras.Sequential
        Not compiled.
    """
    keras.utils.set_random_seed(recipe.seed)
    model = keras.Sequential(
        [layers.Input((28, 28)), layers.Flatten(), *_layers(recipe)], name=recipe.network
    )
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            layer.kernel.assign(recipe.initial_scale * layer.kernel)
    return model


def _layers(recipe: Recipe) -> Iterator[keras.Layer]:
    structure = recipe.structure
    kind = layers.LayerNormalization if recipe.layer_norm else layers.BatchNormalization
    if recipe.standardized:
        mean, variance = data.pixel_moments()
        yield layers.Normalization(mean=mean, variance=variance)
    if structure.normalizes_inputs:
        yield kind(epsilon=EPSILON)
    for width in structure.hidden:
        yield layers.Dense(width, use_bias=structure.bias, kernel_initializer=structure.initializer)
        if structure.normalization == "before activation":
            yield kind(epsilon=EPSILON)
        yield ACTIVATIONS[structure.activation]()
        if structure.normalization == "after activation":
            yield kind(epsilon=EPSILON)
        if structure.dropout:
            yield layers.Dropout(structure.dropout)
    yield layers.Dense(structure.widths[-1], activation="softmax")
