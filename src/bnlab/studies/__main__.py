"""Train studies and store their results: ``python -m bnlab.studies [NAME ...]``."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import sys
from collections.abc import Iterable

from bnlab import runs
from bnlab.studies import MEASUREMENTS, files, roundings, sweeps
from bnlab.studies.kept import NOTHING, Kept, fitting, of_runs
from bnlab.studies.results import Rounding, Study
from evergreen.errors import EvergreenError


def train(name: str, scheduler: str | None = None, kept: Kept = NOTHING) -> Study:
    """Return the study of a sweep, training the runs that are missing from the store.

    Parameters
    ----------
    name : str
        A name in :data:`bnlab.studies.sweeps.SWEEPS`.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://127.0.0.1:8786"``. Without it the runs
        are trained by processes of this machine, as the roundings always are.
    kept : Kept
        Stored runs that are not trained again, wherever they are missing.
    """
    recipes = [recipe for recipe in sweeps.find(name).recipes if recipe not in kept.results]
    if scheduler is not None:
        from bnlab.runs import cluster

        cluster.train_all(recipes, scheduler)
    return with_roundings(of_runs(name, runs.load_all(recipes), kept), kept.roundings)


def with_roundings(study: Study, kept: Iterable[Rounding] = ()) -> Study:
    """Return a study with its roundings, training those that are neither kept nor in the store."""
    found = roundings.train_all(roundings.chosen(study), kept)
    if any(rounding.machine == runs.machine() for rounding in found):
        machines = study.machines | {runs.machine(): runs.processor()}
        study = dataclasses.replace(study, machines=machines)
    return files.marked(study, found)


def main(arguments: Iterable[str] | None = None) -> None:
    """Train studies and store their results: ``python -m bnlab.studies [NAME ...]``."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.studies", description=main.__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(sweeps.SWEEPS)}; all by default"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler's, such as tcp://127.0.0.1:8786"
    )
    less = parser.add_mutually_exclusive_group()
    less.add_argument(
        "--add",
        action="store_true",
        help="keep the stored runs that still fit, of any study, and only train the others",
    )
    less.add_argument(
        "--roundings",
        action="store_true",
        help="leave the stored runs as they are, and only train their roundings again",
    )
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    unknown = [name for name in chosen.names if name not in sweeps.SWEEPS]
    if unknown:
        parser.error(f"There is no study {unknown[0]!r}. Choose from {', '.join(sweeps.SWEEPS)}.")
    logging.basicConfig(format="%(message)s")  # the store's notices
    try:
        if not os.access(files.FOLDER, os.W_OK):
            raise files.StudyError(
                f"The folder {files.FOLDER} cannot be written. Run this in a checkout."
            )
        for name in chosen.names or sweeps.SWEEPS:
            if chosen.roundings:
                study, _ = files.read(name)
                files.check_code(study)
                study = with_roundings(study)
            else:
                study = train(name, chosen.scheduler, fitting(name) if chosen.add else NOTHING)
            print(f"{files.save(study)}: {len(study.results)} runs. Commit it.")
            for measurement in MEASUREMENTS:
                if (
                    name == measurement.study
                    and not chosen.roundings
                    and not (chosen.add and measurement.fits())
                ):
                    print(f"{measurement.save()}. Commit it, too.")
    except EvergreenError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
