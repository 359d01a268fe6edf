"""Train a run, and write what its key stands for: numbers, weights, predictions, event logs.

All code that is used here counts for the key. What only tells of a run is written by
:mod:`bnlab.runs.worker`.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnlab.recipes import Recipe
from bnlab.runs.values import FINAL, METRICS

if TYPE_CHECKING:
    import keras

    from bnlab.training import Epoch, Trained


def train_into(folder: Path, recipe: Recipe, on_epoch: Callable[[], None]) -> Trained:
    """Train a run, and write its files into an empty folder.

    Parameters
    ----------
    folder : pathlib.Path
    recipe : Recipe
    on_epoch : callable
        Called after each epoch.
    """
    from bnlab import training
    from bnlab.training import events

    with events.EventLog(folder / "events") as log:

        def after_epoch(number: int, epoch: Epoch, model: keras.Sequential) -> None:
            weights = {variable.path: np.asarray(variable.value) for variable in model.variables}
            log.write(number, epoch._asdict(), weights)
            on_epoch()

        trained = training.train(recipe, after_epoch)
    trained.model.save_weights(folder / "model.weights.h5")
    # NumPy writes to memory first: of a full disk it would only say that it wrote too little,
    # and not why (unreported).
    probabilities = io.BytesIO()
    np.save(probabilities, trained.test_probabilities)
    (folder / "test_probabilities.npy").write_bytes(probabilities.getvalue())
    history = {metric: [getattr(epoch, metric) for epoch in trained.history] for metric in METRICS}
    record = {
        "recipe": dataclasses.asdict(recipe),
        "history": history,
        **{metric: getattr(trained, metric) for metric in FINAL},
    }
    (folder / "run.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    return trained
