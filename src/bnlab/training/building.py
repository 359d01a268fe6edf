"""A recipe's network, compiled, with its initial weights."""

from __future__ import annotations

from bnlab import networks, quiet  # noqa: F401  (loads TensorFlow before Keras would)
from bnlab.recipes import Recipe
from bnlab.training import variants

# isort: split

import keras


def compile(model: keras.Sequential, learning_rate: float = 1e-3) -> keras.Sequential:
    """Compile a network as the notebook does, and return it."""
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=learning_rate),
        metrics=["accuracy"],
    )
    return model


def build(recipe: Recipe) -> keras.Sequential:
    """Return a recipe's network, compiled, with initial weights from the global seed.

    A varied network takes them from the recipe's own seed, see
    :func:`bnlab.training.variants.vary`.
    """
    model = getattr(networks, recipe.network)()
    if recipe.varied:
        model = variants.vary(model, recipe)
    return compile(model, recipe.learning_rate)
