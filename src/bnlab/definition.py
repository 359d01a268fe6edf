"""The run of a network that a lesson defines in a cell, so that the rest of it follows from there.

As long as that is the course's network, its run is the course's. A reader's own is trained; a
build, whose pages show the course's, refuses any other.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bnlab import catalogue, data, runs
from bnlab.recipes import PAGE_SEED, SEEDS, Recipe
from bnlab.runs import METRICS, Run
from evergreen import claims
from evergreen.errors import EvergreenError
from evergreen.progress import Progress

if TYPE_CHECKING:
    import keras

Build = Callable[[], "keras.Sequential"]
"""Builds a network. Where it does not compile it, the course does, as :func:`training.compile`."""


class DefinitionError(EvergreenError):
    """A lesson and the package define different networks."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnRun(Run):
    """A run of a network that is none of the course's; its files are gone when Python ends.

    Attributes
    ----------
    build : callable
        Builds the network, compiled.
    weights : list of numpy.ndarray
        As of ``get_weights``, after training.
    files : tempfile.TemporaryDirectory
        What its folder is removed with.
    """

    build: Build
    weights: list[np.ndarray]
    files: tempfile.TemporaryDirectory[str]

    @property
    def network(self) -> catalogue.Network:
        """The entry of the network that it was made from, under another title."""
        return dataclasses.replace(super().network, title="Your network", short="Yours")

    def model(self) -> keras.Sequential:
        """Return the trained network: compiled, an ordinary Keras model."""
        model = self.build()
        model.set_weights(self.weights)
        return model


def run(build: Build, seed: int = PAGE_SEED, epochs: int = Recipe.epochs) -> Run:
    """Return a run of the network that a function builds.

    If it has the layers, the compilation, and with the same seed the initial weights of a
    network of the course, this is the course's run. Any other network is trained here, each
    time, by the course's trainer or by ``fit``. The global seeds are set in the process.

    Parameters
    ----------
    build : callable
        Takes no argument and returns a new ``keras.Sequential``, with initial weights from the
        global seed. Figures draw it like the network of :mod:`bnlab.catalogue` that has its
        name, or else like the baseline.
    seed : int
        Sets the initial weights and the order of the batches.
    epochs : int
        Passes over the training images.

    Raises
    ------
    DefinitionError
        If a build would have to train it.
    ValueError
        If the seed or the number of epochs is out of range.
    """
    return run_seeds(build, [seed], epochs)[0]


def run_seeds(build: Build, seeds: Iterable[int] = SEEDS, epochs: int = Recipe.epochs) -> list[Run]:
    """Return runs of the network that a function builds, one for each seed. See :func:`run`."""
    from bnlab import training

    own = compiled(build)
    name = own().name
    recipes = [Recipe(network_of(name), seed, epochs) for seed in seeds]
    if same(own, lambda: training.build(recipes[0])):
        return runs.load_all(recipes)
    if claims.BUILD in os.environ:
        raise DefinitionError(
            f"This lesson defines another network under the name {name!r} than the course trains, "
            "in its layers, its compilation or its initial weights. Make the lesson, "
            "src/bnlab/networks.py and src/bnlab/recipes.py say the same."
        )
    trained: list[Run] = [_train(own, recipe) for recipe in recipes]
    claims.note(trained)
    return trained


def compiled(build: Build) -> Build:
    """Return a function that builds the same network, compiled as the course's where it is not."""
    from bnlab import training

    def built() -> keras.Sequential:
        model = build()
        return model if model.compiled else training.compile(model)

    return built


def network_of(name: str) -> str:
    """Return the network of the catalogue that one of some name is compared with."""
    return name if name in catalogue.NETWORKS else next(iter(catalogue.NETWORKS))


def same(one: Build, other: Build) -> bool:
    """Tell whether two functions build the same network, by configuration and first weights."""
    import keras

    built = []
    for build in (one, other):
        keras.utils.set_random_seed(0)
        built.append(build())
    if _configuration(built[0]) != _configuration(built[1]):
        return False
    weights = zip(*(model.get_weights() for model in built), strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in weights)


def _configuration(model: keras.Sequential) -> str:
    """Return what Keras knows of a network and its compilation, without the names it counts."""
    layers = [[str(type(layer)), layer.get_config()] for layer in model.layers]
    whole = json.dumps([layers, model.get_compile_config()], sort_keys=True, default=repr)
    return re.sub(r'("name": "\w+?)_\d+"', r'\1"', whole)


def _train(build: Build, recipe: Recipe) -> OwnRun:
    """Train a network as the course trains its own."""
    from bnlab import training
    from bnlab.training import coverage, events, keras_fit

    # isort: split

    import keras

    print(f"This network is none of the course's, so it is trained here: seed {recipe.seed}.")
    images = data.load()
    files = tempfile.TemporaryDirectory(prefix="bnlab-")
    folder = Path(files.name)
    keras.utils.set_random_seed(recipe.seed)
    model = build()
    fast = coverage.obstacle(model, images.train.pixels[:1]) is None
    with (
        events.EventLog(folder / "events") as log,
        Progress("Training", total=recipe.epochs, step="epoch", parts=1, part="run") as progress,
    ):

        def after_epoch(number: int, epoch: training.Epoch, _seconds: float) -> None:
            weights = {variable.path: np.asarray(variable.value) for variable in model.variables}
            log.write(number, epoch._asdict(), weights)
            progress.show(number, int(number == recipe.epochs), ())

        history = (training.fit if fast else keras_fit.fit)(
            model,
            images,
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            orders=training.orders_of(recipe, len(images.train.labels)),
            on_epoch=after_epoch,
        )
    probabilities = model.predict(images.test.pixels, batch_size=1000, verbose=0)
    np.save(folder / "test_probabilities.npy", probabilities)
    measured: dict[str, Any] = {}
    for name, part in (("train", images.train), ("test", images.test)):
        loss, accuracy = model.evaluate(*part, batch_size=1000, verbose=0)
        measured |= {f"{name}_loss": float(loss), f"{name}_accuracy": float(accuracy)}
    return OwnRun(
        recipe=recipe,
        key=f"own-{id(files):x}",
        history={metric: tuple(getattr(epoch, metric) for epoch in history) for metric in METRICS},
        provenance={},
        folder=folder,
        build=build,
        weights=model.get_weights(),
        files=files,
        **measured,
    )
