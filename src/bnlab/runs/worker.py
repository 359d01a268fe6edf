"""A process that trains: one run after the other, each into the store with its provenance."""

from __future__ import annotations

import datetime
import functools
import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from bnlab import catalogue, environment
from bnlab.recipes import Recipe
from bnlab.runs import record
from bnlab.runs.host import machine, processor
from bnlab.runs.keys import LIBRARIES
from bnlab.runs.stored import keep
from evergreen import sources


def begin(parent: Connection) -> None:
    """Prepare a process that does nothing but train.

    Parameters
    ----------
    parent : multiprocessing.connection.Connection
        A pipe whose other end the parent alone holds, and never writes to.
    """
    end_with_parent(functools.partial(parent.poll, None))
    environment.fix()


def end_with_parent(wait: Callable[[], object]) -> None:
    """End this process as soon as its parent ends, however that happens.

    Parameters
    ----------
    wait : callable
        Returns or raises when the parent is gone, as reading from a pipe of its does.
    """

    def watch() -> None:
        try:
            wait()
        finally:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def train_and_store(recipe: Recipe, counter: Path) -> None:
    """Train a run and store it, unless it is there.

    Parameters
    ----------
    recipe : Recipe
    counter : pathlib.Path
        A file that grows by a byte after every epoch. A note on how the run is trained goes
        into a file beside it, see :func:`note_beside`.
    """
    counter.touch()
    keep(recipe, functools.partial(_write, recipe, counter))


def train_here(recipe: Recipe) -> None:
    """Train a run in this process and store it, unless it is there.

    For a process that was started for nothing else: Keras's state is the whole process's.
    """
    with tempfile.TemporaryDirectory() as folder:
        train_and_store(recipe, Path(folder) / "epochs")


def note_beside(counter: Path) -> Path:
    """Return the file with a sentence on how a run is trained, if there is anything to say."""
    return counter.with_name(f"{counter.name}.note")


def _write(recipe: Recipe, counter: Path, folder: Path) -> None:
    from bnlab import training

    # isort: split

    import tensorflow as tf

    started = time.perf_counter()
    training.use_one_thread()
    # Each network and batch size is compiled once, of which TensorFlow warns as of a mistake
    # (its issue 34025).
    tf.get_logger().setLevel("ERROR")
    obstacle = training.obstacle(recipe)
    if obstacle is not None:
        title = catalogue.find(recipe.network).title
        note_beside(counter).write_text(
            f"Keras's own fit trains {title}, which takes longer: bnlab.training.fit {obstacle}.",
            "utf-8",
        )

    def count() -> None:
        with counter.open("ab") as file:
            file.write(b".")

    trained = record.train_into(folder, recipe, count)
    provenance = {
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": time.perf_counter() - started,
        "epoch_seconds": trained.seconds,
        "trained_by": "Keras's fit" if obstacle else "bnlab.training.fit",
        "processor": processor(),
        "machine": machine(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": sources.versions(LIBRARIES),
    }
    (folder / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n", "utf-8")
