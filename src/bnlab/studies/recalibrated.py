"""One pass with batch normalization, and its moving averages measured again after it.

Whether a network fails because its moving averages have not arrived, or because of what it has
learned, cannot be seen from its accuracy alone. So each such run of the sweep ``batch_sizes`` is
measured three times with the same weights: with Keras's averages, with those that
:func:`bnlab.recalibration.recalibrate` takes over the training images in batches of the run's own
size, and with mean and variance of all training images. ``make study STUDY=batch_sizes`` stores
what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bnlab import data, runs
from bnlab.recipes import Recipe
from bnlab.runs import pool
from bnlab.studies import files, sweeps
from bnlab.studies.results import rounded
from evergreen import claims, sources
from evergreen.claims import Evidence

if TYPE_CHECKING:
    import keras

SWEEP = "batch_sizes"
"""The sweep whose runs are measured again."""

AVERAGES = ("moving", "batches", "images")
"""Keras's own; over batches of the run's size; over all training images at once."""

PARTS = ("train", "test")


class Recalibrated(NamedTuple):
    """One run, measured with each of :data:`AVERAGES`.

    Attributes
    ----------
    recipe : Recipe
    key : str
        That of the run.
    accuracy : dict of str to dict of str to float
        By the averages, and by ``"train"`` and ``"test"``: of all images of that part, in
        inference mode.
    """

    recipe: Recipe
    key: str
    accuracy: dict[str, dict[str, float]]

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names it."""
        return Evidence("runs with moving averages measured again", self.key)


def recipes() -> list[Recipe]:
    """Return the runs of :data:`SWEEP` with batch normalization and a rate in proportion."""
    return [
        recipe
        for recipe in sweeps.find(SWEEP).recipes
        if recipe.structure.normalized
        and not recipe.layer_norm
        and recipe.learning_rate == 1e-3 * recipe.batch_size / 32
    ]


def path() -> Path:
    """Return the file of what is stored."""
    return files.FOLDER / "recalibrated" / f"{SWEEP}.json"


def code() -> str:
    """Return the digest of the code that measures, besides that of any run."""
    alone = sources.Codebase({"recalibration": Path(__file__).parents[1] / "recalibration.py"})
    return alone.digest_of(["recalibration"], texts=False, refusals=False)


def measure(model: keras.Sequential, batch_size: int) -> dict[str, dict[str, float]]:
    """Return a trained network's accuracies, by the averages and by the part of the images.

    Its averages are those of all training images afterwards.
    """
    from bnlab.recalibration import recalibrate

    images = data.load()

    def accuracies() -> dict[str, float]:
        found = {}
        for part in PARTS:
            _, accuracy = model.evaluate(*getattr(images, part), batch_size=5_000, verbose=0)
            found[part] = rounded(accuracy)
        return found

    measured = {"moving": accuracies()}
    for kind, size in (("batches", batch_size), ("images", None)):
        recalibrate(model, images.train.pixels, size)
        measured[kind] = accuracies()
    return measured


def train_and_save() -> Path:
    """Measure the sweep's runs, training those that are missing, and store what came of it."""
    trained = runs.load_all(recipes())
    with pool.processes(len(trained)) as executor:
        measured = list(executor.map(_measure_stored, recipes()))
    records = [
        {"recipe": _shown(run.recipe), "key": run.key} | of_run
        for run, of_run in zip(trained, measured, strict=True)
    ]
    about = {
        "versions": sources.versions(runs.LIBRARIES),
        "machines": {run.provenance["machine"]: run.provenance["processor"] for run in trained},
        "code": code(),
    }
    path().parent.mkdir(exist_ok=True)
    lines = ",\n".join(map(json.dumps, records))
    path().write_text(f'{{"about": {json.dumps(about)},\n"runs": [\n{lines}\n]}}\n', "utf-8")
    return path()


def _measure_stored(recipe: Recipe) -> dict[str, dict[str, float]]:
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
    renewal = f"Renew it with `make study STUDY={SWEEP}`, and commit the file."
    try:
        content = json.loads(path().read_text("utf-8"))
        found = list(_read(content["runs"]))
        versions, made_by = dict(content["about"]["versions"]), content["about"]["code"]
    except FileNotFoundError:
        raise files.StudyError(f"There is no file {path()}. {renewal}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise files.StudyError(
            f"The file {path()} is damaged ({type(error).__name__}: {error}). {renewal}"
        ) from error
    wanted = recipes()
    if (
        made_by != code()
        or [one.recipe for one in found] != wanted
        or [one.key for one in found] != runs.keys(wanted, versions)
    ):
        raise files.StudyError(
            f"The file {path()} was made by other code, from other data or for other runs than "
            f"the present. {renewal}"
        )
    claims.note(found)
    return found


def _read(stored: Iterable[dict[str, Any]]) -> Iterator[Recalibrated]:
    for record in stored:
        accuracy = {kind: {part: float(record[kind][part]) for part in PARTS} for kind in AVERAGES}
        yield Recalibrated(Recipe(**record["recipe"]), str(record["key"]), accuracy)


def _shown(recipe: Recipe) -> dict[str, Any]:
    names = ("network", "seed", "epochs", "batch_size", "learning_rate")
    return {name: getattr(recipe, name) for name in names}
