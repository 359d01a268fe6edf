"""The three networks of the course, each a plain, uncompiled ``keras.Sequential``.

Source: the notebook this course is built from. The lesson that explains a network defines the
same one in a cell, for its readers to change; see :mod:`bnlab.definition`.
"""

from __future__ import annotations

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
from keras import layers


def baseline() -> keras.Sequential:
    """Two hidden layers with leaky ReLU, no batch normalization.

    Returns
    -------
    keras.Sequential
        Images of shape (batch, 28, 28) in, class probabilities (batch, 10) out.
    """
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(300, kernel_initializer="he_normal"),
            layers.LeakyReLU(negative_slope=0.3),
            layers.Dense(100, kernel_initializer="he_normal"),
            layers.LeakyReLU(negative_slope=0.3),
            layers.Dense(10, activation="softmax"),
        ],
        name="baseline",
    )


def bn_approach_one() -> keras.Sequential:
    """Batch normalization after each activation, and on the pixels.

    Returns
    -------
    keras.Sequential
        Images of shape (batch, 28, 28) in, class probabilities (batch, 10) out.
    """
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(300, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(100, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(10, activation="softmax"),
        ],
        name="bn_approach_one",
    )


def bn_approach_two() -> keras.Sequential:
    """Batch normalization before each activation; the layer before it has no bias.

    Returns
    -------
    keras.Sequential
        Images of shape (batch, 28, 28) in, class probabilities (batch, 10) out.
    """
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(300, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dense(100, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="bn_approach_two",
    )


def summary(model: keras.Sequential) -> str:
    """Return what ``model.summary()`` prints, as plain text of 64 columns."""
    from IPython.utils.capture import capture_output

    lines: list[str] = []
    # In a notebook Keras displays an empty box besides (unreported).
    with capture_output():
        model.summary(line_length=64, print_fn=lambda text: lines.append(text))
    return "\n".join(lines).strip()
