"""Train one run in this process, and put it into the store with its provenance."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import io
import json
import logging
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bnlab.recipes import Recipe
from bnlab.runs.host import machine, processor
from bnlab.runs.keys import LIBRARIES
from bnlab.runs.stored import keep
from bnlab.runs.values import FINAL, METRICS
from evergreen import sources

if TYPE_CHECKING:
    import keras


def train_and_store(recipe: Recipe, counter: Path) -> None:
    """Train a run and store it; after every epoch the counter, a file, grows by a byte."""
    counter.touch()
    # Each network and batch size is compiled once, of which TensorFlow warns as of a mistake.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    keep(recipe, functools.partial(_train_into, recipe, counter))


def train_here(recipe: Recipe) -> None:
    """Train a run in this process and store it, unless it is there.

    For a process that was started for nothing else: Keras's state is the whole process's.
    """
    with tempfile.TemporaryDirectory() as folder:
        train_and_store(recipe, Path(folder) / "epochs")


def _train_into(recipe: Recipe, counter: Path, folder: Path) -> None:
    from bnlab import training
    from bnlab.training import events

    training.use_one_thread()
    started = time.perf_counter()
    with events.EventLog(folder / "events") as log:

        def after_epoch(number: int, epoch: training.Epoch, model: keras.Sequential) -> None:
            weights = {variable.path: np.asarray(variable.value) for variable in model.variables}
            log.write(number, epoch._asdict(), weights)
            with counter.open("ab") as file:
                file.write(b".")

        trained = training.train(recipe, after_epoch)
    trained.model.save_weights(folder / "model.weights.h5")
    # NumPy writes to memory first: of a full disk it would only say that it wrote too little.
    probabilities = io.BytesIO()
    np.save(probabilities, trained.test_probabilities)
    (folder / "test_probabilities.npy").write_bytes(probabilities.getvalue())
    history = {metric: [getattr(epoch, metric) for epoch in trained.history] for metric in METRICS}
    _write_json(
        folder / "run.json",
        {
            "recipe": dataclasses.asdict(recipe),
            "history": history,
            **{metric: getattr(trained, metric) for metric in FINAL},
        },
    )
    _write_json(
        folder / "provenance.json",
        {
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": time.perf_counter() - started,
            "epoch_seconds": trained.seconds,
            "processor": processor(),
            "machine": machine(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "versions": sources.versions(LIBRARIES),
        },
    )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
