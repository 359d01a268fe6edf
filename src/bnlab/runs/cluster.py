"""Train runs on the workers of a Dask cluster, and put the results into this store.

A worker trains each run in a process of its own, ``python -m bnlab.runs.cluster``, and sends back
the files. So the machines of a cluster need no common disk: only this package, the same at
each of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bnlab import environment, runs
from bnlab.recipes import Recipe
from bnlab.runs import pool, stored, worker
from evergreen.progress import Progress

PATIENCE = 30
"""Seconds in which a scheduler must answer, and then have a worker. Both may be busy."""


class ClusterError(runs.TrainingError):
    """A cluster cannot be used. The message says what to do."""


def train_all(recipes: Iterable[Recipe], scheduler: str) -> None:
    """Train the runs that are missing from the store, on a cluster's workers.

    A run whose worker dies is given to another, and each is stored here as soon as it is
    finished. So an interruption loses none that is.

    Parameters
    ----------
    recipes : iterable of Recipe
    scheduler : str
        Its address, such as ``"tcp://127.0.0.1:8786"``.

    Raises
    ------
    ClusterError
        If the scheduler does not answer or has no workers, or a worker has other code.
    TrainingError
        If a run fails, or its worker dies again and again.
    DataError, StoreError
        If the data cannot be read, or a run cannot be kept.
    """
    missing = [recipe for recipe, run in runs.find_all(recipes).items() if run is None]
    if not missing:
        return
    with (
        _connected(scheduler) as client,
        Progress(
            "Training", total=len(missing), step="run", parts=len(missing), part="run"
        ) as progress,
    ):
        import distributed

        futures = {
            client.submit(_trained, recipe, key, key=f"bnlab-{key}"): recipe
            for recipe in sorted(missing, key=pool.by_cost)
            for key in [runs.key(recipe)]
        }
        # A finished run is released at once: it has one and a half megabytes. The loop is given,
        # since as_completed would take the default client's (distributed's issue 4357).
        for done, future in enumerate(
            distributed.as_completed(list(futures), loop=client.loop), start=1
        ):
            recipe = futures.pop(future)
            with pool.reporting(recipe):
                stored.keep(recipe, functools.partial(_unpack, future.result()))
            progress.show(done, done, [f"on {len(client.ncores())} workers"])


@contextlib.contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    try:
        import distributed
        from distributed.comm.addressing import get_address_host_port
    except ImportError as error:
        raise ClusterError(
            f"A cluster needs Dask ({error}). Install it with `pip install .[study]`."
        ) from error
    try:
        # Where nothing listens, Dask would try again and again until its time is up.
        socket.create_connection(get_address_host_port(scheduler), PATIENCE).close()
        client = distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {scheduler} ({error}). Start one with `dask scheduler` "
            "and give its address, such as tcp://127.0.0.1:8786."
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise ClusterError(
                f"The Dask scheduler at {scheduler} has no workers. Start some with "
                f"`dask worker {scheduler} --nworkers auto --nthreads 1`."
            ) from error
        yield client
    finally:
        client.close()


def _trained(recipe: Recipe, key: str) -> bytes:
    """Train a run on a worker, and return its files."""
    if runs.key(recipe) != key:
        raise ClusterError(
            f"The worker on {socket.gethostname()} has other code, data or libraries, so its "
            "runs would be others. Give it the same commit and the same lock."
        )
    # Not in this process: Dask's threads draw from Python's random numbers, as Keras does for
    # its weights, so a run would not repeat. Nor with multiprocessing: a nanny's workers may have
    # no children of that kind (distributed's issue 2142).
    with subprocess.Popen(
        [sys.executable, "-m", "bnlab.runs.cluster", json.dumps(dataclasses.asdict(recipe))],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        errors = process.stderr.read().strip()
        if process.wait() != 0:
            last = errors.splitlines()[-1] if errors else f"exit status {process.returncode}"
            raise runs.TrainingError(f"{recipe} failed on {socket.gethostname()}: {last}")
    trained = runs.find(recipe)
    assert trained is not None
    folder = trained.folder
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return packed.getvalue()


def _unpack(packed: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)


def _train(recipe: Recipe) -> None:
    """Train a run into this process's store, unless its parent ends before."""
    worker.end_with_parent(sys.stdin.read)
    environment.fix()
    worker.train_here(recipe)


if __name__ == "__main__":
    _train(Recipe(**json.loads(sys.argv[1])))
