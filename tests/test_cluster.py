"""Runs of a Dask cluster are those of this machine, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from package import SOURCE, copy_package
from website import replace

from bnlab import runs
from bnlab.recipes import Recipe
from bnlab.runs import cluster
from evergreen import store

SWEEP = [
    Recipe(network, seed, epochs=1)
    for network in ("baseline", "bn_approach_one")
    for seed in (1, 2)
]


class Cluster:
    """A Dask scheduler on this machine, and workers in processes and stores of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        contact = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--scheduler-file", str(contact))
        while not contact.exists() or not contact.read_text("utf-8"):
            assert self.processes[0].poll() is None
            time.sleep(0.1)
        self.address = json.loads(contact.read_text("utf-8"))["address"]

    def add_worker(
        self, source: Path = SOURCE, threads: int = 1, nanny: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a worker; its store is named after its number."""
        number = len(self.processes)
        options = ["--nthreads", str(threads), "--local-directory", str(self.folder)]
        if not nanny:
            options.append("--no-nanny")
        return self._start(
            "worker", self.address, *options, PYTHONPATH=source, EVERGREEN_STORE=self.store(number)
        )

    def store(self, number: int) -> Path:
        return self.folder / f"store-{number}"

    def _start(self, kind: str, *options: str, **environment: object) -> subprocess.Popen[bytes]:
        with (self.folder / f"{kind}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "dask", kind, *options),
                    *("--host", "127.0.0.1", "--no-dashboard"),
                ],
                env=os.environ | {name: str(value) for name, value in environment.items()},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A scheduler without workers; what is trained comes into an empty store."""
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path / "here"))
    started = Cluster(tmp_path)
    yield started
    started.end()


@pytest.mark.weekly
def test_every_run_is_there_and_the_same_although_a_worker_was_killed(
    dask: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = dask.add_worker()
    dask.add_worker()
    ends: list[bool] = []

    def kill_at_work() -> None:
        """Kill the first worker once it has begun its second run."""
        folder = dask.store(1) / "runs"
        while not (list(folder.glob("[!.]*/manifest.json")) and list(folder.glob(".*-*"))):
            time.sleep(0.02)
        victim.kill()
        victim.wait()
        ends.append(bool(list(folder.glob(".*-*"))))

    killer = threading.Thread(target=kill_at_work, daemon=True)
    killer.start()
    cluster.train_all(SWEEP, dask.address)
    killer.join()
    assert ends == [True], "it was killed between two runs"
    from_cluster = {recipe: runs.find(recipe) for recipe in SWEEP}
    probabilities = {}
    for recipe, run in from_cluster.items():
        assert run is not None, recipe
        probabilities[recipe] = run.test_probabilities

    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path / "local"))
    for local in runs.load_all(SWEEP):
        run = from_cluster[local.recipe]
        assert run.key == local.key
        assert run.history == local.history
        for metric in runs.FINAL:
            assert run.final(metric) == local.final(metric)
        np.testing.assert_array_equal(probabilities[local.recipe], local.test_probabilities)
        weights = "model.weights.h5"
        here, there = (each.model().get_weights() for each in (local, run))
        assert (run.folder / weights).is_file()
        for one, other in zip(here, there, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_worker_of_several_threads_trains_runs_side_by_side_and_they_are_the_same(
    dask: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask.add_worker(threads=2, nanny=True)
    sweep = [Recipe("baseline", seed, epochs=1) for seed in (1, 2)]
    cluster.train_all(sweep, dask.address)
    from_cluster = {recipe: runs.find(recipe).history for recipe in sweep}
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path / "local"))
    assert from_cluster == {run.recipe: run.history for run in runs.load_all(sweep)}


def test_what_is_there_already_needs_no_cluster(dask: Cluster) -> None:
    sweep = [Recipe("baseline", 1, epochs=1)]
    runs.load_all(sweep)
    cluster.train_all(sweep, "tcp://nobody.invalid:1")


def test_a_worker_with_other_code_is_refused(dask: Cluster, tmp_path: Path) -> None:
    source = copy_package(tmp_path / "other")
    replace(source / "bnlab/networks.py", "negative_slope=0.3", "negative_slope=0.2")
    dask.add_worker(source)
    with pytest.raises(cluster.ClusterError, match="has other code, data or libraries"):
        cluster.train_all(SWEEP[:1], dask.address)
    assert runs.find(SWEEP[0]) is None


def test_a_scheduler_without_workers_is_named(
    dask: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    with pytest.raises(cluster.ClusterError, match=rf"scheduler at {dask.address} has no workers"):
        cluster.train_all(SWEEP[:1], dask.address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1", "nonsense"])
def test_an_address_without_a_scheduler_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(cluster.ClusterError, match=f"No Dask scheduler answers at {address} "):
        cluster.train_all(SWEEP[:1], address)
