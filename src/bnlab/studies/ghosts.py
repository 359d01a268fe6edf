"""Batches of 128 with the noise of batches of 32: the control of what a batch's size changes.

In larger batches a network takes fewer and longer steps, and its statistics are less noisy. With
ghost batches, see :mod:`bnlab.ghost`, the steps stay and the noise comes back. The runs are those
of the study ``batch_noise`` with batch normalization and batches of 128, from the same first
weights and through the same batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bnlab import data
from bnlab.recipes import Recipe
from bnlab.runs import pool
from bnlab.studies import measured, sweeps
from bnlab.studies.results import ACCURACIES, rounded
from evergreen import claims
from evergreen.claims import Evidence

NAME = "ghosts"
STUDY = "batch_noise"
"""The study that has the same runs without ghost batches, and whose command renews this."""

BATCH, GHOST = 128, 32
"""Images in a step, and in a ghost batch."""


class Ghost(NamedTuple):
    """One run with ghost batches.

    Attributes
    ----------
    recipe : Recipe
        What the run has in common with the study's.
    key : str
        That of the study's run.
    accuracy : dict of str to float
        By :data:`bnlab.studies.results.ACCURACIES`, after the last epoch.
    """

    recipe: Recipe
    key: str
    accuracy: dict[str, float]

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names it."""
        return Evidence("runs with ghost batches", self.key)


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
    ends = {"accuracy": last.accuracy, "val_accuracy": last.val_accuracy}
    for part in ("train", "test"):
        _, accuracy = model.evaluate(*getattr(images, part), batch_size=5_000, verbose=0)
        ends[f"{part}_accuracy"] = accuracy
    return {metric: rounded(ends[metric]) for metric in ACCURACIES}


def train_and_save() -> Path:
    """Train the runs, and store what came of them."""
    wanted = recipes()
    with pool.processes(len(wanted)) as executor:
        found = list(executor.map(train, wanted))
    return measured.save(NAME, measured.code_of("ghost"), wanted, found)


def load() -> list[Ghost]:
    """Return what is stored, one entry for each of :func:`recipes`, in their order.

    Raises
    ------
    StudyError
        If it is missing, damaged, or was made by other code or from other data.
    """
    wanted = recipes()
    records = measured.read(NAME, measured.code_of("ghost"), wanted, STUDY)
    found = [
        Ghost(recipe, record["key"], {metric: record[metric] for metric in ACCURACIES})
        for recipe, record in zip(wanted, records, strict=True)
    ]
    claims.note(found)
    return found
