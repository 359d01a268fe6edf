"""Train a run with something changed in the last bit, as another way of rounding would.

Pixels are multiplied by 1/255 instead of divided by 255, which changes half of the grey levels;
or each initial weight of a dense layer is the next larger float32.
"""

from __future__ import annotations

import functools

from bnlab import data, training
from bnlab.recipes import Recipe
from bnlab.training import keras_fit

# isort: split

import keras
import numpy as np
import tensorflow as tf


def train(recipe: Recipe, kind: str) -> dict[str, float]:
    """Train a run, and return its final loss and accuracies by name.

    Parameters
    ----------
    recipe : Recipe
    kind : str
        One of :data:`bnlab.studies.roundings.KINDS`.
    """
    training.use_one_thread()
    # A network is compiled for each run, of which TensorFlow warns as of a mistake.
    tf.get_logger().setLevel("ERROR")
    fit = training.fit if training.obstacle(recipe) is None else keras_fit.fit
    images = read_images(kind)
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    model = training.build(recipe)
    if kind == "weights":
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dense):
                layer.kernel.assign(np.nextafter(np.asarray(layer.kernel), np.float32(np.inf)))
    *_, last = fit(
        model,
        images,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        orders=training.orders_of(recipe, len(images.train.labels)),
        on_epoch=lambda *_: None,
    )
    ends = {"loss": last.loss, "accuracy": last.accuracy, "val_accuracy": last.val_accuracy}
    for part in ("train", "test"):
        _, accuracy = model.evaluate(*getattr(images, part), batch_size=5_000, verbose=0)
        ends[f"{part}_accuracy"] = float(accuracy)
    return ends


@functools.cache
def read_images(kind: str) -> data.FashionMNIST:
    """Return the data, with other last bits of the pixels where that is the kind."""
    images = data.read(data.folder())
    if kind != "pixels":
        return images
    factor = np.float32(1) / np.float32(255)

    def multiplied(part: data.Images) -> data.Images:
        return data.Images(np.rint(part.pixels * 255).astype(np.float32) * factor, part.labels)

    return data.FashionMNIST(*map(multiplied, images))
