"""Batches of 128 with the noise of batches of 32: the control of what a batch's size changes.

In larger batches a network takes fewer and longer steps, and its statistics are less noisy. With
ghost batches, see :mod:`bnlab.ghost`, the steps stay and the noise comes back. The runs are those
of the study ``batch_noise`` with batch normalization and batches of 128, from the same first
weights and through the same batches.
"""

from __future__ import annotations

from bnlab import data
from bnlab.recipes import Recipe
from bnlab.studies import sweeps
from bnlab.studies.measured import Measurement, accuracies
from bnlab.studies.results import ACCURACIES, rounded

STUDY = "batch_noise"
"""The study that has the same runs without ghost batches."""

BATCH, GHOST = 128, 32
"""Images in a step, and in a ghost batch."""


def recipes() -> list[Recipe]:
    """Return the runs of :data:`STUDY` that are trained with ghost batches."""
    return [
        recipe
        for recipe in sweeps.find(STUDY).recipes
        if recipe.structure.normalized and not recipe.layer_norm and recipe.batch_size == BATCH
    ]


def train(recipe: Recipe) -> dict[str, float]:
    """Train a run with ghost batches, and return its final accuracies by name."""
    from bnlab import ghost, quiet, training  # noqa: F401  (loads TensorFlow first)

    # isort: split

    import keras

    training.use_one_thread()
    images = data.load()
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    model = training.compile(ghost.with_ghosts(training.build(recipe), GHOST), recipe.learning_rate)
    *_, last = training.fit(
        model,
        images,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        orders=training.orders_of(recipe, len(images.train.labels)),
    )
    in_epoch = {name: rounded(getattr(last, name)) for name in ("accuracy", "val_accuracy")}
    return in_epoch | {f"{part}_accuracy": found for part, found in accuracies(model).items()}


STORED = Measurement(
    name="ghosts",
    study=STUDY,
    shown="runs with ghost batches",
    recipes=recipes,
    measure=train,
    fields=ACCURACIES,
    code=("ghost", "studies.ghosts:train", "studies.measured:accuracies"),
)
"""What is stored: accuracies by :data:`bnlab.studies.results.ACCURACIES`, after the last epoch."""
