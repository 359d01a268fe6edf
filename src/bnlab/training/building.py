"""A recipe's network, compiled, with its initial weights."""

from __future__ import annotations

from collections.abc import Callable

from bnlab import catalogue, networks, quiet  # noqa: F401  (loads TensorFlow first)
from bnlab.recipes import Recipe, is_varied
from bnlab.training import structure, variants

# isort: split

import keras


def compile(
    model: keras.Sequential,
    learning_rate: float = 1e-3,
    optimizer: Callable[..., keras.Optimizer] = keras.optimizers.SGD,
    weight_decay: float = 0.0,
) -> keras.Sequential:
    """Compile a network as the notebook does, and return it."""
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=optimizer(learning_rate=learning_rate, weight_decay=weight_decay or None),
        metrics=["accuracy"],
    )
    return model


def build(recipe: Recipe) -> keras.Sequential:
    """Return a recipe's network, compiled, with initial weights from the global seed.

    A varied network takes them from the recipe's own seed, see
    :func:`bnlab.training.variants.varied`.

    Raises
    ------
    StructureError
        If the network is not what the catalogue says of it.
    """
    network = catalogue.find(recipe.network)
    if is_varied(recipe):
        model = variants.varied(recipe)
    else:
        model = getattr(networks, recipe.network)()
        structure.check(network, model)
    optimizer = getattr(keras.optimizers, network.optimizer)
    return compile(model, recipe.learning_rate, optimizer, recipe.weight_decay)
