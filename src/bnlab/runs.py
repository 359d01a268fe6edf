"""Finished training runs: found in the store, or trained and put there.

A run's key is the digest of everything its numbers depend on, so a stored run is never
older than the code, the data or the libraries that claim to have made it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime
import functools
import io
import json
import logging
import math
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
import numpy as np
from joblib.externals import loky

from bnlab import arithmetic, catalogue, data, sources
from bnlab.memory import workers
from bnlab.progress import Progress
from bnlab.recipes import PAGE_SEED, SEEDS, Recipe
from bnlab.store import Store, StoreError

if TYPE_CHECKING:
    import keras

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
"""What is measured after each epoch, in the order and by the names of ``fit``."""

FINAL = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
"""What is measured once, after the last epoch, in inference mode."""

LIBRARIES = ("tensorflow", "keras", "numpy")
"""The distributions whose versions a run's numbers depend on."""

_store = Store("runs")


class TrainingError(Exception):
    """A run could not be trained; nothing of it was recorded. The cause is chained."""


class Spread(NamedTuple):
    """Mean and sample standard deviation over seeds, and the values in the seeds' order."""

    mean: float
    sd: float
    values: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one recipe.

    Attributes
    ----------
    recipe : Recipe
        What was trained, and how.
    key : str
        Digest of all that the numbers depend on.
    history : dict of str to tuple of float
        One value an epoch for each of :data:`METRICS`.
    train_loss, train_accuracy : float
        Of the 55,000 training images in inference mode, measured once, after the last epoch.
        The history has means over each epoch in training mode, while the weights change.
    test_loss, test_accuracy : float
        Measured once on the 10,000 test images, after the last epoch.
    study : str or None
        The stored study that it comes from, if any.
    """

    recipe: Recipe
    key: str
    history: dict[str, tuple[float, ...]]
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    study: str | None = None

    @property
    def network(self) -> catalogue.Network:
        """The network's entry in the catalogue."""
        if self.recipe.layer_norm:
            return catalogue.LAYER_NORM
        return catalogue.find(self.recipe.network)

    @property
    def steps(self) -> int:
        """Updates of the weights in one epoch, of which the last may be of a smaller batch."""
        return -(-(60_000 - data.VALID_SIZE) // self.recipe.batch_size)

    @property
    def diverged(self) -> bool:
        """Whether training ended with a loss that is no number."""
        return not math.isfinite(self.history["loss"][-1])

    def final(self, metric: str) -> float:
        """Return a metric after the last epoch: of :data:`METRICS` or of :data:`FINAL`.

        Raises
        ------
        ValueError
            If there is no such metric.
        """
        if metric in FINAL:
            return float(getattr(self, metric))
        if metric not in self.history:
            raise ValueError(
                f"A run has no metric {metric!r}. Choose one of {', '.join((*METRICS, *FINAL))}."
            )
        return self.history[metric][-1]

    def first_epoch(self, threshold: float, metric: str = "val_accuracy") -> int | None:
        """Return the first epoch, from 1, after which a metric is a threshold or above, if any."""
        values = enumerate(self.history[metric], start=1)
        return next((epoch for epoch, value in values if value >= threshold), None)

    def log(self) -> str:
        """Return the training log in the form of ``fit``, without the times."""
        epochs, steps = self.recipe.epochs, self.steps
        lines = []
        for epoch, values in enumerate(zip(*self.history.values(), strict=True), start=1):
            lines.append(f"Epoch {epoch}/{epochs}")
            measured = (f"{name}: {value:.4f}" for name, value in zip(METRICS, values, strict=True))
            lines.append(" - ".join((f"{steps}/{steps}", *measured)))
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(Result):
    """One finished run: a result with the files that training left.

    Attributes
    ----------
    provenance : dict
        When, where and how long: ``finished`` (ISO 8601, UTC), ``seconds`` (whole run),
        ``epoch_seconds`` (list), ``processor``, ``machine`` (see :func:`machine`),
        ``platform``, ``python``, ``versions``.
    folder : pathlib.Path
        The run's files.
    """

    provenance: dict[str, Any]
    folder: Path

    @property
    def events(self) -> Path:
        """The folder with the TensorBoard event logs: ``train`` and ``validation``."""
        return self.folder / "events"

    @functools.cached_property
    def test_probabilities(self) -> np.ndarray:
        """Predicted class probabilities of the test images: float32, shape (10,000, 10)."""
        return np.load(self.folder / "test_probabilities.npy")

    @property
    def test_predictions(self) -> np.ndarray:
        """Predicted labels of the test images: int64, shape (10,000,)."""
        return self.test_probabilities.argmax(axis=1)

    def model(self) -> keras.Sequential:
        """Return the trained network: compiled, an ordinary Keras model."""
        from bnlab import training

        model = training.build(self.recipe)
        model.load_weights(self.folder / "model.weights.h5")
        return model


def key(recipe: Recipe) -> str:
    """Return the digest of everything that a run of this recipe depends on.

    That is the recipe, the code of the network and of the modules that train it, the data,
    and the versions of :data:`LIBRARIES`. Comments and docstrings do not count.
    """
    return keys([recipe])[0]


def keys(recipes: Iterable[Recipe], versions: Mapping[str, str] | None = None) -> list[str]:
    """Return the keys of many recipes, and read the code only once for all.

    Parameters
    ----------
    recipes : iterable of Recipe
    versions : mapping of str to str, optional
        Versions of :data:`LIBRARIES` in place of the installed ones.
    """
    libraries = json.dumps(versions or sources.versions(LIBRARIES), sort_keys=True)

    @functools.cache
    def depends_on(network: str, varied: bool) -> tuple[str, ...]:
        modules = ["data", "events", "training", *(["variants"] if varied else [])]
        return (
            sources.function_digest("bnlab.networks", network),
            *(sources.module_digest(f"bnlab.{name}") for name in modules),
            sources.function_digest("bnlab.runs", _train_into.__name__),
            data.digest(),
            libraries,
        )

    return [
        sources.digest(
            json.dumps(dataclasses.asdict(recipe), sort_keys=True),
            *depends_on(recipe.network, recipe.varied),
        )
        for recipe in recipes
    ]


def find(recipe: Recipe) -> Run | None:
    """Return a run from the store, or None where it has not been trained yet."""
    run_key = key(recipe)
    folder = _store.find(run_key)
    if folder is None:
        return None
    record = json.loads((folder / "run.json").read_text("utf-8"))
    return Run(
        recipe=recipe,
        key=run_key,
        history={metric: tuple(record["history"][metric]) for metric in METRICS},
        **{metric: record[metric] for metric in FINAL},
        provenance=json.loads((folder / "provenance.json").read_text("utf-8")),
        folder=folder,
    )


def load(network: str, seed: int = PAGE_SEED) -> Run:
    """Return the course's run of a network with a seed, training it first if need be."""
    return load_all([Recipe(network, seed)])[0]


def load_seeds(network: str) -> list[Run]:
    """Return the course's runs of a network, one for each of its seeds, in their order."""
    return load_all([Recipe(network, seed) for seed in SEEDS])


def load_all(recipes: Iterable[Recipe]) -> list[Run]:
    """Return one run for each recipe, in their order, training those that are missing.

    Missing runs are trained side by side in processes of one thread each, as many as there
    are cores and as fit into a container's memory. Each is stored as soon as it is finished,
    so an interruption loses no other.

    Raises
    ------
    TrainingError
        If a run fails or its process dies.
    DataError, StoreError
        If the data cannot be read, or a run cannot be kept.
    """
    recipes = list(recipes)
    found = {recipe: find(recipe) for recipe in recipes}
    missing = [recipe for recipe, run in found.items() if run is None]
    if missing:
        _train_all(missing)
    runs = [found[recipe] or _found(recipe) for recipe in recipes]
    note_as_loaded(runs)
    return runs


def note_as_loaded(results: Iterable[Result]) -> None:
    """Add results to those that claims rest on."""
    _loaded.update(((result.study, result.key), result) for result in results)


def loaded() -> list[Result]:
    """Return the results that this process has loaded: what its claims can rest on."""
    return list(_loaded.values())


_loaded: dict[tuple[str | None, str], Result] = {}


def spread(runs: Iterable[Run], metric: str) -> Spread:
    """Return the mean and the sample standard deviation of a final metric over runs.

    Raises
    ------
    ValueError
        With fewer than two runs, which have no spread.
    """
    values = tuple(run.final(metric) for run in runs)
    if len(values) < 2:
        raise ValueError(f"A spread needs at least two runs, not {len(values)}.")
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)), values)


def _found(recipe: Recipe) -> Run:
    run = find(recipe)
    if run is None:
        raise TrainingError(
            f"The run {recipe} was trained, and its entry in {_store.folder} is gone again. "
            "Did something else empty the folder?"
        )
    return run


def _train_all(recipes: list[Recipe]) -> None:
    # Always in other processes, also a single run on a single core: TensorFlow takes no other
    # count of threads in a process in which it has computed.
    executor = loky.ProcessPoolExecutor(min(len(recipes), joblib.cpu_count(), workers()))
    with (
        warnings.catch_warnings(),
        tempfile.TemporaryDirectory() as folder,
        Progress(
            "Training",
            total=sum(recipe.epochs for recipe in recipes),
            step="epoch",
            parts=len(recipes),
            part="run",
        ) as progress,
    ):
        # Of a worker that grew too large and that loky replaces: nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        # A worker makes a run's counter when it begins, and adds a byte after every epoch.
        counters = {recipe: Path(folder) / key(recipe) for recipe in recipes}
        try:
            running = {
                executor.submit(_train_and_store, recipe, counters[recipe]): recipe
                for recipe in sorted(recipes, key=longest_first)
            }
            waiting = set(running)
            while waiting:
                finished, waiting = concurrent.futures.wait(
                    waiting, timeout=0.5, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in finished:
                    with reporting(running[future]):
                        future.result()
                begun = {
                    recipe: counter.stat().st_size
                    for recipe, counter in counters.items()
                    if counter.exists()
                }
                under_way = [str(running[future]) for future in waiting if running[future] in begun]
                progress.show(sum(begun.values()), len(running) - len(waiting), sorted(under_way))
        finally:
            executor.shutdown(wait=True, kill_workers=True)


def longest_first(recipe: Recipe) -> tuple[int, int, str, str]:
    """Order runs so that the last ones end together; small batches and batch norm cost time.

    Those of one network and activation stand together: a process compiles them once.
    """
    normalized = arithmetic.totals(arithmetic.count(recipe.network)).non_trainable
    return recipe.batch_size, -normalized, recipe.network, recipe.activation or ""


@contextlib.contextmanager
def reporting(recipe: Recipe) -> Iterator[None]:
    """Turn whatever a run's training raises into a :class:`TrainingError` that names the run."""
    try:
        yield
    except (data.DataError, StoreError, TrainingError):  # these say what to do
        raise
    except loky.process_executor.TerminatedWorkerError as error:
        raise TrainingError(
            "A training process died, perhaps for want of memory (each needs about 1.3 GiB). "
            f"Its run is not recorded; finished runs are kept. {error}"
        ) from error
    except Exception as error:
        raise TrainingError(
            f"The run {recipe} failed and is not recorded; finished runs are kept. "
            f"{type(error).__name__}: {error}"
        ) from error


def _train_and_store(recipe: Recipe, counter: Path) -> None:
    counter.touch()
    # Each network and batch size is compiled once, of which TensorFlow warns as of a mistake.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    _store.make(key(recipe), functools.partial(_train_into, recipe, counter))


def train_here(recipe: Recipe) -> None:
    """Train a run in this process and store it, unless it is there.

    For a process that was started for nothing else: Keras's state is the whole process's.
    """
    with tempfile.TemporaryDirectory() as folder:
        _train_and_store(recipe, Path(folder) / "epochs")


def keep(recipe: Recipe, write: Callable[[Path], None]) -> None:
    """Put a run into the store whose files another process has made, unless it is there.

    Parameters
    ----------
    recipe : Recipe
    write : callable
        Given an empty folder, writes the run's files into it.
    """
    _store.make(key(recipe), write)


def _train_into(recipe: Recipe, counter: Path, folder: Path) -> None:
    from bnlab import events, training

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


def processor() -> str:
    """Return the name and the number of this machine's processors."""
    return f"{_processor_name()}, {os.cpu_count()} cores"


def machine() -> str:
    """Return a short digest of the processor's name and instructions.

    The libraries choose their program by these. So on two machines with the same digest the
    same run gives the same digits; elsewhere it is rounded in other places.
    """
    return sources.digest(platform.machine(), _processor_name(), _cpuinfo("flags", ""))[:12]


def _processor_name() -> str:
    return _cpuinfo("model name", platform.processor() or platform.machine())


def _cpuinfo(field: str, otherwise: str) -> str:
    """Return what Linux says of the first processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == field:
                return value.strip()
    except OSError:  # not Linux
        pass
    return otherwise
