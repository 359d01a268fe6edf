"""What came of training: the values that pages show, apart from what computed them."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnlab import catalogue, data
from bnlab.recipes import Recipe
from evergreen.claims import Evidence

if TYPE_CHECKING:
    import keras

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
"""What is measured after each epoch, in the order and by the names of ``fit``."""

FINAL = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
"""What is measured once, after the last epoch, in inference mode."""


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
        if self.recipe.network == "baseline" and self.recipe.standardized:
            return catalogue.STANDARDIZED
        return catalogue.find(self.recipe.network)

    @property
    def steps(self) -> int:
        """Updates of the weights in one epoch, of which the last may be of a smaller batch."""
        return -(-(60_000 - data.VALID_SIZE) // self.recipe.batch_size)

    @property
    def diverged(self) -> bool:
        """Whether training ended with a loss of NaN or infinity."""
        return not math.isfinite(self.history["loss"][-1])

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names it."""
        if self.study is not None:
            return Evidence(f"runs of the stored study {self.study}", self.key)
        shown = f"{self.recipe.seed} {self.key[:8]}"
        return Evidence(f"{self.network.title}, seed", self.key, shown)

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
        from bnlab.training.building import build

        model = build(self.recipe)
        model.load_weights(self.folder / "model.weights.h5")
        return model


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
