"""One pass with batch normalization, and its moving averages measured again after it.

Whether a network fails because its moving averages have not arrived, or because of what it has
learned, cannot be seen from its accuracy alone. So each such run of the study ``batch_sizes`` is
measured three times with the same weights: with Keras's averages, with those that
:func:`bnlab.recalibration.recalibrate` takes over the training images in batches of the run's own
size, and with mean and variance of all training images.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bnlab import data, runs
from bnlab.recipes import Recipe
from bnlab.runs import pool
from bnlab.studies import measured, sweeps
from bnlab.studies.results import rounded
from evergreen import claims
from evergreen.claims import Evidence

if TYPE_CHECKING:
    import keras

NAME = "recalibrated"
STUDY = "batch_sizes"
"""The study whose runs are measured again, and whose command renews this."""

AVERAGES = ("moving", "batches", "images")
"""Keras's own; over batches of the run's size; over all training images at once."""

PARTS = ("train", "test")

Accuracies = dict[str, dict[str, float]]
"""By the averages, and by the part of the images: of all its images, in inference mode."""


class Recalibrated(NamedTuple):
    """One run, measured with each of :data:`AVERAGES`.

    Attributes
    ----------
    recipe : Recipe
    key : str
        That of the run.
    accuracy : dict of str to dict of str to float
    """

    recipe: Recipe
    key: str
    accuracy: Accuracies

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names it."""
        return Evidence("runs with moving averages measured again", self.key)


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

    images = data.load()

    def accuracies() -> dict[str, float]:
        found = {}
        for part in PARTS:
            _, accuracy = model.evaluate(*getattr(images, part), batch_size=5_000, verbose=0)
            found[part] = rounded(accuracy)
        return found

    found = {"moving": accuracies()}
    for kind, size in (("batches", batch_size), ("images", None)):
        recalibrate(model, images.train.pixels, size)
        found[kind] = accuracies()
    return found


def train_and_save() -> Path:
    """Measure the runs, training those that are missing, and store what came of it."""
    wanted = recipes()
    runs.load_all(wanted)
    with pool.processes(len(wanted)) as executor:
        found = list(executor.map(_measure_stored, wanted))
    return measured.save(NAME, measured.code_of("recalibration"), wanted, found)


def _measure_stored(recipe: Recipe) -> Accuracies:
    from bnlab import training

    training.use_one_thread()
    (run,) = runs.load_all([recipe])
    return measure(run.model(), recipe.batch_size)


def load() -> list[Recalibrated]:
    """Return what is stored, one entry for each of :func:`recipes`, in their order.

    Raises
    ------
    StudyError
        If it is missing, damaged, or was made by other code or from other data.
    """
    wanted = recipes()
    records = measured.read(NAME, measured.code_of("recalibration"), wanted, STUDY)
    found = [
        Recalibrated(recipe, record["key"], {kind: record[kind] for kind in AVERAGES})
        for recipe, record in zip(wanted, records, strict=True)
    ]
    claims.note(found)
    return found
