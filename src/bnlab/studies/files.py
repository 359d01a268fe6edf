"""Stored studies: a JSON file each, in this package, so that a notebook in Colab has them too.

``make study`` trains a sweep, here or on a cluster, and writes its file. A lesson reads it with
:func:`load`, which refuses results of other code or data than the present.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bnlab import data, runs
from bnlab.studies import records, roundings, sweeps
from bnlab.studies.results import Rounding, Study, sensitive, setting
from evergreen import claims, sources
from evergreen.errors import EvergreenError

FOLDER = Path(__file__).parent
"""Where the stored studies lie."""

FASHION_MNIST = "6595814696f68a100156848fd35f95db27a14b52e1b8896ee6ea5748d2912c10"
"""What :func:`bnlab.data.digest` gives for the data of the studies that come with the project."""

STRICT = ("tensorflow", "keras")
"""The distributions that compute a run. NumPy only carries numbers to and fro, and the lock
names another one for each Python."""


class StudyError(EvergreenError):
    """A stored study is missing, damaged or out of date. The message says how to renew it."""


def of_other_data() -> bool:
    """Tell whether the present data are others than those of the project's own studies."""
    return data.digest() != FASHION_MNIST


def path_of(name: str) -> Path:
    """Return the file of a stored study.

    Raises
    ------
    ValueError
        If there is no sweep of that name.
    """
    return FOLDER / f"{sweeps.find(name).name}.json"


def stored() -> list[str]:
    """Return the names of the sweeps whose results are stored, in their order."""
    return [name for name in sweeps.SWEEPS if path_of(name).is_file()]


def marked(study: Study, rounded: Iterable[Rounding]) -> Study:
    """Return a study with roundings, by which its sensitive settings are marked."""
    rounded = tuple(rounded)
    settings = sensitive(study.results, rounded)
    results = tuple(
        dataclasses.replace(result, sensitive=setting(result.recipe) in settings)
        for result in study.results
    )
    return dataclasses.replace(study, results=results, roundings=rounded)


def save(study: Study) -> Path:
    """Write a study into the file that :func:`load` reads, and return it."""
    path = path_of(study.sweep.name)
    about = {
        "study": study.sweep.name,
        "versions": study.versions,
        "machines": study.machines,
        "finished": study.finished,
        "roundings": roundings.code(),
    }
    draft = path.with_suffix(".part")
    draft.write_text(
        f'{{"about": {json.dumps(about)},\n'
        f'"runs": {_lines(map(records.of_result, study.results))},\n'
        f'"roundings": {_lines(map(records.of_rounding, study.roundings))}}}\n',
        "utf-8",
    )
    draft.replace(path)
    return path


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
        If it is missing or damaged, was made by other code or from other data, lacks its
        roundings, or, if strict, was made with other versions.
    ValueError
        If there is no sweep of that name.
    """
    study, made_by = read(name)
    check_code(study)
    wanted = [(recipe, kind) for recipe in roundings.chosen(study) for kind in roundings.KINDS]
    if made_by != roundings.code() or [(r.recipe, r.kind) for r in study.roundings] != wanted:
        raise StudyError(
            f"The stored study {name} does not tell how rounding changes its runs as the present "
            f"code would. Train them with `python -m bnlab.studies --roundings {name}`, and "
            "commit the file."
        )
    here = sources.versions(STRICT)
    there = {library: study.versions.get(library, "unknown") for library in STRICT}
    if here != there:
        computed = f"The study {name} was computed with {_listed(there)}; here is {_listed(here)}."
        if strict:
            raise StudyError(
                f"{computed} So it does not belong to this build. If the lock has the former, "
                f"install it with `make environment`. If it has the latter: {_renewal(name)}"
            )
        print(f"{computed} Its numbers are shown as they were stored.")
    claims.note(study.results)
    return study


def read(name: str) -> tuple[Study, str | None]:
    """Return a study as it is stored, whatever code made it, and the code of its roundings.

    Raises
    ------
    StudyError
        If it is missing or damaged.
    """
    path = path_of(name)
    try:
        content = json.loads(path.read_text("utf-8"))
        about = content["about"]
        study = Study(
            sweeps.find(name),
            _texts(about["versions"]),
            _texts(about["machines"]),
            datetime.datetime.fromisoformat(about["finished"]).isoformat(),
            tuple(records.result(name, record) for record in content["runs"]),
            roundings=(),
        )
        study = marked(study, map(records.rounding, content.get("roundings", ())))
    except FileNotFoundError:
        raise StudyError(f"The study {name} is not stored in {path}. {_renewal(name)}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"The stored study {path} is damaged ({type(error).__name__}: {error}). Restore it "
            f"from the repository. Or: {_renewal(name)}"
        ) from error
    return study, about.get("roundings")


def check_code(study: Study) -> None:
    """Refuse a study of other recipes, code or data than the present.

    Raises
    ------
    StudyError
        With what is different.
    """
    name = study.sweep.name
    stored = [result.recipe for result in study.results]
    if stored != list(study.sweep.recipes):
        missing = len(set(study.sweep.recipes) - set(stored))
        raise StudyError(
            f"The stored study {name} has {len(stored)} runs, and {missing} of the "
            f"{len(study.sweep.recipes)} that the sweep lists now are not among them, or they "
            f"stand in another order. {_renewal(name)} `python -m bnlab.studies --add {name}` "
            "keeps the stored runs that still fit, and trains only the others."
        )
    keys = runs.keys((result.recipe for result in study.results), study.versions)
    outdated = [r for r, key in zip(study.results, keys, strict=True) if r.key != key]
    if outdated:
        raise StudyError(
            f"Of the stored study {name} {len(outdated)} of {len(study.results)} runs were "
            f"trained by other code or on other data than the present: {outdated[0].recipe}, "
            f"to begin with. {_renewal(name)}"
        )


def _lines(records: Iterable[dict[str, Any]]) -> str:
    """Return a JSON list with a line for each record, so that a change of the file can be read."""
    lines = ",\n".join(json.dumps(record, allow_nan=False) for record in records)
    return f"[\n{lines}\n]" if lines else "[]"


def _texts(stored: dict[str, str]) -> dict[str, str]:
    return {str(name): str(text) for name, text in stored.items()}


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _renewal(name: str) -> str:
    return f"Renew it with `make study STUDY={name}`, and commit the file."
