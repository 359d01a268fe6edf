"""What is measured besides a study's runs, in files of its own beside those of the studies.

A file has a record for each of some recipes: the key of the recipe's run, which stands for the
trainer, the data and the libraries, and what was measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bnlab import runs
from bnlab.recipes import Recipe
from bnlab.studies import files
from evergreen import sources

_RECIPE = ("network", "seed", "epochs", "batch_size", "learning_rate")


def path_of(name: str) -> Path:
    """Return the file of what was measured under a name."""
    return files.FOLDER / "beside" / f"{name}.json"


def code_of(module: str) -> str:
    """Return the digest of a module of :mod:`bnlab`, taken alone."""
    alone = sources.Codebase({module: Path(__file__).parents[1] / f"{module}.py"})
    return alone.digest_of([module], texts=False, refusals=False)


def save(
    name: str, code: str, recipes: Sequence[Recipe], measured: Iterable[Mapping[str, Any]]
) -> Path:
    """Write what was measured on this machine, and return the file.

    Parameters
    ----------
    name : str
        What :func:`path_of` takes.
    code : str
        Digest of the code that measured, besides that of any run.
    recipes : sequence of Recipe
        Of the notebook's networks as they are.
    measured : iterable of mapping of str to Any
        One for each recipe, as JSON knows it.
    """
    about = {
        "versions": sources.versions(runs.LIBRARIES),
        "machines": {runs.machine(): runs.processor()},
        "code": code,
    }
    lines = [
        json.dumps(
            {
                "recipe": {field: getattr(recipe, field) for field in _RECIPE},
                "key": key,
                **of_run,
            }
        )
        for recipe, key, of_run in zip(recipes, runs.keys(recipes), measured, strict=True)
    ]
    runs_ = ",\n".join(lines)
    path = path_of(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"about": {json.dumps(about)},\n"runs": [\n{runs_}\n]}}\n', "utf-8")
    return path


def read(name: str, code: str, recipes: Sequence[Recipe], study: str) -> list[dict[str, Any]]:
    """Return what was measured, a record for each recipe, in their order.

    Parameters
    ----------
    name, code, recipes
        As for :func:`save`.
    study : str
        The study that ``make study`` renews it with.

    Raises
    ------
    StudyError
        If it is missing, damaged, or was made by other code or from other data.
    """
    path = path_of(name)
    renewal = f"Renew it with `make study STUDY={study}`, and commit the file."
    try:
        content = json.loads(path.read_text("utf-8"))
        records = list(content["runs"])
        stored = [Recipe(**record["recipe"]) for record in records]
        keys = [str(record["key"]) for record in records]
        versions, made_by = dict(content["about"]["versions"]), content["about"]["code"]
    except FileNotFoundError:
        raise files.StudyError(f"There is no file {path}. {renewal}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise files.StudyError(
            f"The file {path} is damaged ({type(error).__name__}: {error}). {renewal}"
        ) from error
    if made_by != code or stored != list(recipes) or keys != runs.keys(recipes, versions):
        raise files.StudyError(
            f"The file {path} was made by other code, from other data or for other runs than the "
            f"present. {renewal}"
        )
    return records
