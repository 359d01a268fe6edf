"""The source notebook's content as a plain notebook: what a reader would run without us.

Source: the notebook that the course is built from (see ``bnlab.notebook``), in our own
words and code. Its first network, its second and third, compiled and fitted in turn.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

TITLES = {
    "baseline": "The baseline",
    "bn_approach_one": "Batch normalization after the activation",
    "bn_approach_two": "Batch normalization before the activation",
}

LAYERS = {
    "baseline": """
        layers.Dense(300, kernel_initializer="he_normal"),
        layers.LeakyReLU(negative_slope=0.3),
        layers.Dense(100, kernel_initializer="he_normal"),
        layers.LeakyReLU(negative_slope=0.3),
    """,
    "bn_approach_one": """
        layers.BatchNormalization(),
        layers.Dense(300, activation="relu"),
        layers.BatchNormalization(),
        layers.Dense(100, activation="relu"),
        layers.BatchNormalization(),
    """,
    "bn_approach_two": """
        layers.BatchNormalization(),
        layers.Dense(300, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dense(100, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
    """,
}

START = """
    import keras
    import matplotlib.pyplot as plt
    import numpy as np
    import tensorflow as tf
    from keras import layers

    plt.style.use("fivethirtyeight")
"""

DATA = """
    (images, labels), (test_images, test_labels) = (
        keras.datasets.fashion_mnist.load_data()
    )
    images, test_images = images / 255, test_images / 255
    valid_images, train_images = images[:5_000], images[5_000:]
    valid_labels, train_labels = labels[:5_000], labels[5_000:]
    print(train_images.shape, valid_images.shape, test_images.shape)
"""

MODEL = """
    tf.random.set_seed(42)
    np.random.seed(42)
    model = keras.Sequential([
        layers.Input((28, 28)),
        layers.Flatten(),
    {layers}
        layers.Dense(10, activation="softmax"),
    ])
    model.summary()
"""

FIT = """
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=1e-3),
        metrics=["accuracy"],
    )
    history = model.fit(
        train_images,
        train_labels,
        epochs={epochs},
        validation_data=(valid_images, valid_labels),
    )
"""


def write(path: Path, epochs: int) -> None:
    """Write the notebook."""
    cells = [new_markdown_cell("# Fashion-MNIST, three times"), cell(START), cell(DATA)]
    for name, title in TITLES.items():
        layers = textwrap.indent(inspect.cleandoc(LAYERS[name]), "    ")
        cells += [new_markdown_cell(f"## {title}"), cell(MODEL, layers=layers)]
        cells.append(cell(FIT, epochs=epochs))
    nbformat.write(new_notebook(cells=cells), path)


def cell(text: str, **parts: object) -> nbformat.NotebookNode:
    """Return a code cell, its parts put in."""
    return new_code_cell(inspect.cleandoc(text).format(**parts))
