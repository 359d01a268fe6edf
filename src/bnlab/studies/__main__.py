"""Train studies and store their results: ``python -m bnlab.studies [NAME ...]``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterable

from bnlab import runs
from bnlab.runs import Run
from bnlab.studies import sweeps
from bnlab.studies.stored import FOLDER, StudyError, save
from evergreen.errors import EvergreenError


def train(name: str, scheduler: str | None = None) -> list[Run]:
    """Return the runs of a sweep, training those that are missing from the store.

    Parameters
    ----------
    name : str
        A name in :data:`bnlab.studies.sweeps.SWEEPS`.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://127.0.0.1:8786"``. Without it the runs
        are trained by processes of this machine.
    """
    recipes = sweeps.find(name).recipes
    if scheduler is not None:
        from bnlab.runs import cluster

        cluster.train_all(recipes, scheduler)
    return runs.load_all(recipes)


def main(arguments: Iterable[str] | None = None) -> None:
    """Train studies and store their results: ``python -m bnlab.studies [NAME ...]``."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.studies", description=main.__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(sweeps.SWEEPS)}; all by default"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler's, such as tcp://127.0.0.1:8786"
    )
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    unknown = [name for name in chosen.names if name not in sweeps.SWEEPS]
    if unknown:
        parser.error(f"There is no study {unknown[0]!r}. Choose from {', '.join(sweeps.SWEEPS)}.")
    logging.basicConfig(format="%(message)s")  # the store's notices
    try:
        if not os.access(FOLDER, os.W_OK):
            raise StudyError(f"The folder {FOLDER} cannot be written. Call it in a checkout.")
        for name in chosen.names or sweeps.SWEEPS:
            finished = train(name, chosen.scheduler)
            print(f"{save(name, finished)}: {len(finished)} runs. Commit it.")
    except EvergreenError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
