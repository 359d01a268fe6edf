"""One pass with batch normalization, and its moving averages measured again after it.

Whether a network fails because its moving averages have not arrived, or because of what it has
learned, cannot be seen from its accuracy alone. So each such run of the study ``batch_sizes`` is
measured three times with the same weights: with Keras's averages, with those that
:func:`bnlab.recalibration.recalibrate` takes over the training images in batches of the run's own
size, and with mean and variance of all training images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnlab import data, runs
from bnlab.recipes import Recipe
from bnlab.studies import sweeps
from bnlab.studies.measured import Measurement, accuracies

if TYPE_CHECKING:
    import keras

STUDY = "batch_sizes"
"""The study whose runs are measured again."""

AVERAGES = ("moving", "batches", "images")
"""Keras's own; over batches of the run's size; over all training images at once."""

Accuracies = dict[str, dict[str, float]]
"""By the averages, and by :data:`bnlab.studies.measured.PARTS`."""


def recipes() -> list[Recipe]:
    """Return the runs of :data:`STUDY` with batch normalization and a rate in proportion."""
    return [
        recipe
        for recipe in sweeps.find(STUDY).recipes
        if recipe.structure.normalized
        and not recipe.layer_norm
        and recipe.learning_rate == 1e-3 * recipe.batch_size / 32
    ]


def measure(model: keras.Sequential, batch_size: int) -> Accuracies:
    """Return a trained network's accuracies; its averages are all training images' afterwards."""
    from bnlab.recalibration import recalibrate

    pixels = data.load().train.pixels
    found = {"moving": accuracies(model)}
    for kind, size in (("batches", batch_size), ("images", None)):
        recalibrate(model, pixels, size)
        found[kind] = accuracies(model)
    return found


def train(recipe: Recipe) -> Accuracies:
    """Measure a run, which is trained if it is missing."""
    from bnlab import training

    training.use_one_thread()
    (run,) = runs.load_all([recipe])
    return measure(run.model(), recipe.batch_size)


STORED = Measurement(
    name="recalibrated",
    study=STUDY,
    shown="runs with moving averages measured again",
    recipes=recipes,
    measure=train,
    fields=AVERAGES,
    code=("recalibration", "studies.recalibrated:measure", "studies.measured:accuracies"),
)
"""What is stored: :data:`Accuracies` of each run."""
