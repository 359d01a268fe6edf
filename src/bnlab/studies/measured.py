"""What is measured besides a study's runs, in files of its own beside those of the studies.

A file has a record for each of some recipes: the key of the recipe's run, which stands for the
trainer, the data and the libraries, and what was measured.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bnlab import data, runs
from bnlab.recipes import Recipe
from bnlab.runs import pool
from bnlab.studies import files
from bnlab.studies.results import rounded
from evergreen import claims, sources
from evergreen.claims import Evidence

if TYPE_CHECKING:
    import keras

PARTS = ("train", "test")
"""The parts of the images whose accuracy :func:`accuracies` gives."""

_RECIPE = ("network", "seed", "epochs", "batch_size", "learning_rate")


class Measured(NamedTuple):
    """What was measured of one run.

    Attributes
    ----------
    recipe : Recipe
    key : str
        That of the run.
    accuracy : dict
        What the measurement's function has returned.
    shown : str
        What the page of claims calls such runs.
    machine : str
        Digest of the kind of machine that measured it, see :func:`bnlab.runs.machine`.
    versions : dict of str to str
        The libraries that did.
    """

    recipe: Recipe
    key: str
    accuracy: dict[str, Any]
    shown: str
    machine: str
    versions: dict[str, str]

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names it."""
        return Evidence(self.shown, self.key)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What is measured of some runs of a study, and stored.

    Attributes
    ----------
    name : str
        The file's.
    study : str
        The study that has the runs, and whose command renews the file.
    shown : str
        What the page of claims calls what was measured.
    recipes : callable
        Returns the runs' recipes, of the notebook's networks as they are.
    measure : callable
        Takes a recipe, and returns accuracies by name, as JSON knows them.
    fields : tuple of str
        Their names.
    code : tuple of str
        The code that measures besides that of any run: modules of :mod:`bnlab`, or
        ``module:name``. What these use of other modules does not count.
    """

    name: str
    study: str
    shown: str
    recipes: Callable[[], list[Recipe]]
    measure: Callable[[Recipe], dict[str, Any]]
    fields: tuple[str, ...]
    code: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return files.FOLDER / "beside" / f"{self.name}.json"

    def save(self) -> Path:
        """Measure on this machine, and write the file, which is returned."""
        wanted = self.recipes()
        found = self.measure_all(wanted)
        about = {
            "versions": sources.versions(runs.LIBRARIES),
            "machines": {runs.machine(): runs.processor()},
            "code": self._digest(),
        }
        records = ",\n".join(
            json.dumps(
                {
                    "recipe": {field: getattr(recipe, field) for field in _RECIPE},
                    "key": key,
                    **of_run,
                }
            )
            for recipe, key, of_run in zip(wanted, runs.keys(wanted), found, strict=True)
        )
        self.path.parent.mkdir(exist_ok=True)
        text = f'{{"about": {json.dumps(about)},\n"runs": [\n{records}\n]}}\n'
        self.path.write_text(text, "utf-8")
        return self.path

    def measure_all(self, recipes: Sequence[Recipe]) -> list[dict[str, Any]]:
        """Return what is measured of runs on this machine, in the order of the recipes."""
        with pool.processes(len(recipes)) as executor:
            return list(executor.map(self.measure, recipes))

    def load(self) -> list[Measured]:
        """Return what is stored, in the order of the recipes.

        Raises
        ------
        StudyError
            If it is missing, damaged, or was made by other code or from other data.
        """
        renewal = f"Renew it with `make study STUDY={self.study}`, and commit the file."
        try:
            content = json.loads(self.path.read_text("utf-8"))
            versions, made_by = dict(content["about"]["versions"]), content["about"]["code"]
            (machine,) = content["about"]["machines"]
            found = [
                Measured(
                    Recipe(**record["recipe"]),
                    str(record["key"]),
                    {field: record[field] for field in self.fields},
                    self.shown,
                    machine,
                    versions,
                )
                for record in content["runs"]
            ]
        except FileNotFoundError:
            raise files.StudyError(f"There is no file {self.path}. {renewal}") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise files.StudyError(
                f"The file {self.path} is damaged ({type(error).__name__}: {error}). {renewal}"
            ) from error
        wanted = self.recipes()
        if (
            made_by != self._digest()
            or [one.recipe for one in found] != wanted
            or [one.key for one in found] != runs.keys(wanted, versions)
        ):
            raise files.StudyError(
                f"The file {self.path} was made by other code, from other data or for other runs "
                f"than the present. {renewal}"
            )
        claims.note(found)
        return found

    def fits(self) -> bool:
        """Tell whether what is stored is what would be measured now."""
        try:
            self.load()
        except files.StudyError:
            return False
        return True

    def _digest(self) -> str:
        """Return the digest of the code, each module taken alone."""
        modules = {root.partition(":")[0] for root in self.code}
        folder = Path(__file__).parents[1]
        alone = {
            module.rpartition(".")[2]: folder / f"{module.replace('.', '/')}.py"
            for module in modules
        }
        roots = [root.rpartition(".")[2] for root in self.code]
        return sources.Codebase(alone).digest_of(roots, texts=False, refusals=False)


def accuracies(model: keras.Sequential) -> dict[str, float]:
    """Return a trained network's accuracy of each of :data:`PARTS`, in inference mode."""
    images, found = data.load(), {}
    for part in PARTS:
        _, accuracy = model.evaluate(*getattr(images, part), batch_size=5_000, verbose=0)
        found[part] = rounded(accuracy)
    return found
