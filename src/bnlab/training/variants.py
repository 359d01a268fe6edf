"""A network of the course with one thing changed: what a fair comparison must also try.

The notebook's networks differ in more than batch normalization. Here a model is built anew
from its own layers, with another activation or initializer in the hidden ones, with
larger or smaller first weights, or with layer normalization instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)
from bnlab.recipes import Recipe

# isort: split

import keras
from keras import layers

ACTIVATIONS: dict[str, Callable[[], keras.Layer]] = {
    "leaky_relu": lambda: layers.LeakyReLU(negative_slope=0.3),
    "relu": lambda: layers.Activation("relu"),
}
"""A layer for each name in :data:`bnlab.catalogue.ACTIVATIONS`."""


def vary(model: keras.Sequential, recipe: Recipe) -> keras.Sequential:
    """Build a network of the course anew, as a recipe varies it.

    The weights are drawn from the recipe's seed, in the order of the original. So a network
    whose activation alone is exchanged starts from the very weights of the original. The
    global seeds are reset in the process.

    Parameters
    ----------
    model : keras.Sequential
        The recipe's network as :mod:`bnlab.networks` builds it.
    recipe : Recipe

    Returns
    -------
    keras.Sequential
        Not compiled; the original is left as it is.
    """
    keras.utils.set_random_seed(recipe.seed)
    varied = keras.Sequential(
        [
            layers.Input(model.input_shape[1:]),
            *(new for layer in model.layers for new in _varied(layer, recipe)),
        ],
        name=model.name,
    )
    for layer in varied.layers:
        if isinstance(layer, layers.Dense):
            layer.kernel.assign(recipe.initial_scale * layer.kernel)
    return varied


def _varied(layer: keras.Layer, recipe: Recipe) -> Iterator[keras.Layer]:
    """Return the layers that replace one."""
    config = layer.get_config()
    activates = isinstance(layer, layers.Activation | layers.LeakyReLU)
    if isinstance(layer, layers.Dense) and config["activation"] != "softmax":
        if recipe.initializer:
            config["kernel_initializer"] = recipe.initializer
        if recipe.activation and config["activation"] != "linear":
            config["activation"] = "linear"
            activates = True
        yield layers.Dense.from_config(config)
    elif isinstance(layer, layers.BatchNormalization) and recipe.layer_norm:
        yield layers.LayerNormalization(epsilon=layer.epsilon)
    elif not (activates and recipe.activation):
        yield type(layer).from_config(config)
    if activates and recipe.activation:
        yield ACTIVATIONS[recipe.activation]()
