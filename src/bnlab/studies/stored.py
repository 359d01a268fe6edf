"""Studies: sweeps whose results are too dear for a build, and are stored in the repository.

``make study`` trains a sweep, here or on a cluster, and writes ``studies/<name>.json`` into
this package, so that a notebook in Colab has it too. A lesson reads it with :func:`load`,
which refuses results of other code or data than the present.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnlab import runs
from bnlab.recipes import Recipe
from bnlab.runs import FINAL, METRICS, Result, Run
from bnlab.studies import sweeps
from evergreen import claims, sources
from evergreen.errors import EvergreenError

FOLDER = Path(__file__).parent
"""Where the stored studies lie."""

STRICT = ("tensorflow", "keras")
"""The distributions that compute a run. NumPy only carries numbers to and fro, and the lock
names another one for each Python."""

DIGITS = 6
"""Significant digits that are stored of a measured value."""


class StudyError(EvergreenError):
    """A stored study is missing, damaged or out of date. The message says how to renew it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stored(Result):
    """A stored run of a study, without its files.

    Attributes
    ----------
    seconds : float
        What it took to train, in one process of one thread.
    machine : str
        Digest of the kind of machine that did, see :func:`bnlab.runs.machine`.
    """

    seconds: float
    machine: str


@dataclasses.dataclass(frozen=True)
class Study:
    """A stored study.

    Attributes
    ----------
    sweep : bnlab.studies.sweeps.Sweep
        The question and the recipes.
    versions : dict of str to str
        The libraries that computed it.
    machines : dict of str to str
        The processors that did, by the digest of their kind.
    finished : str
        When its last run was trained: ISO 8601, UTC.
    results : tuple of Stored
        One for each recipe, in their order.
    """

    sweep: sweeps.Sweep
    versions: dict[str, str]
    machines: dict[str, str]
    finished: str
    results: tuple[Stored, ...]

    def select(self, **chosen: Any) -> list[Stored]:
        """Return the results whose recipes have these values, in the sweep's order.

        Parameters
        ----------
        **chosen
            Fields of :class:`bnlab.recipes.Recipe`; activation and initializer by name, also
            where they are the network's own.

        Raises
        ------
        ValueError
            If there are none.
        """

        def fits(recipe: Recipe) -> bool:
            fields = dataclasses.asdict(recipe)
            fields["activation"], fields["initializer"] = recipe.hidden
            return chosen.items() <= fields.items()

        found = [result for result in self.results if fits(result.recipe)]
        if not found:
            raise ValueError(f"The study {self.sweep.name} has no run with {chosen}.")
        return found


def path_of(name: str) -> Path:
    """Return the file of a stored study.

    Raises
    ------
    ValueError
        If there is no sweep of that name.
    """
    return FOLDER / f"{sweeps.find(name).name}.json"


def save(name: str, finished: Sequence[Run]) -> Path:
    """Write the runs of a sweep into the file that :func:`load` reads, and return it.

    Raises
    ------
    ValueError
        If they are not the sweep's runs, in its order.
    """
    path = path_of(name)
    if [run.recipe for run in finished] != list(sweeps.find(name).recipes):
        raise ValueError(f"These are not the runs of the sweep {name!r}, in its order.")
    about = {
        "study": name,
        "versions": sources.versions(runs.LIBRARIES),
        "machines": {run.provenance["machine"]: run.provenance["processor"] for run in finished},
        "finished": max(run.provenance["finished"] for run in finished),
    }
    # A line for each run, so that a change of the file can be read.
    lines = ",\n".join(json.dumps(_record(run), allow_nan=False) for run in finished)
    draft = path.with_suffix(".part")
    draft.write_text(f'{{"about": {json.dumps(about)},\n"runs": [\n{lines}\n]}}\n', "utf-8")
    draft.replace(path)
    return path


def stored() -> list[str]:
    """Return the names of the sweeps whose results are stored, in their order."""
    return [name for name in sweeps.SWEEPS if path_of(name).is_file()]


def load(name: str, *, strict: bool = False) -> Study:
    """Return a stored study.

    Parameters
    ----------
    name : str
        A name in :data:`bnlab.studies.sweeps.SWEEPS`.
    strict : bool
        Whether to refuse a study that other versions of :data:`STRICT` have computed than
        are installed, as a build does. Otherwise this prints the difference, for a reader in
        Colab: the numbers are still those of this code.

    Raises
    ------
    StudyError
        If it is missing or damaged, was made by other code or from other data, or, if
        strict, with other versions.
    ValueError
        If there is no sweep of that name.
    """
    study = _read(name)
    _check_code(study)
    here = sources.versions(STRICT)
    there = {library: study.versions[library] for library in STRICT}
    if here != there:
        computed = f"The study {name} was computed with {_listed(there)}; here is {_listed(here)}."
        if strict:
            raise StudyError(f"{computed} So it does not belong to this build. {_renewal(name)}")
        print(f"{computed} Its numbers are shown as they were stored.")
    claims.note(study.results)
    return study


def rounded(value: float) -> float:
    """Return a measured value with as many digits as a study stores."""
    return float(f"{value:.{DIGITS}g}")


def _record(run: Run) -> dict[str, Any]:
    defaults = Recipe(run.recipe.network)
    recipe = {
        field: value
        for field, value in dataclasses.asdict(run.recipe).items()
        if field in ("network", "seed") or value != getattr(defaults, field)
    }
    return {
        "recipe": recipe,
        "key": run.key,
        **{metric: [_plain(value) for value in run.history[metric]] for metric in METRICS},
        **{metric: _plain(run.final(metric)) for metric in FINAL},
        "seconds": round(run.provenance["seconds"], 2),
        "machine": run.provenance["machine"],
    }


def _plain(value: float) -> float | None:
    """Return a value as JSON knows it, which has no word for what is no number."""
    return rounded(value) if math.isfinite(value) else None


def _value(stored: float | None) -> float:
    return math.nan if stored is None else stored


def _result(study: str, record: dict[str, Any]) -> Stored:
    return Stored(
        study=study,
        recipe=Recipe(**record["recipe"]),
        key=record["key"],
        history={metric: tuple(map(_value, record[metric])) for metric in METRICS},
        **{metric: _value(record[metric]) for metric in FINAL},
        seconds=record["seconds"],
        machine=record["machine"],
    )


def _read(name: str) -> Study:
    path = path_of(name)
    try:
        content = json.loads(path.read_text("utf-8"))
        about = content["about"]
        results = tuple(_result(name, record) for record in content["runs"])
        return Study(
            sweeps.find(name), about["versions"], about["machines"], about["finished"], results
        )
    except FileNotFoundError:
        raise StudyError(f"The study {name} is not stored in {path}. {_renewal(name)}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"The stored study {path} is damaged ({type(error).__name__}: {error}). Restore it "
            f"from the repository. Or: {_renewal(name)}"
        ) from error


def _check_code(study: Study) -> None:
    name = study.sweep.name
    stored = [result.recipe for result in study.results]
    if stored != list(study.sweep.recipes):
        missing = len(set(study.sweep.recipes) - set(stored))
        raise StudyError(
            f"The stored study {name} has {len(stored)} runs, and {missing} of the "
            f"{len(study.sweep.recipes)} that the sweep lists now are not among them, or they "
            f"stand in another order. {_renewal(name)}"
        )
    keys = runs.keys((result.recipe for result in study.results), study.versions)
    outdated = [r for r, key in zip(study.results, keys, strict=True) if r.key != key]
    if outdated:
        raise StudyError(
            f"Of the stored study {name} {len(outdated)} of {len(study.results)} runs were "
            f"trained by other code or on other data than the present: {outdated[0].recipe}, "
            f"to begin with. {_renewal(name)}"
        )


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _renewal(name: str) -> str:
    return f"Renew it with `make study STUDY={name}`, and commit the file."
