"""A published notebook as its reader runs it: in another folder, cell by cell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from support.contents import NOTEBOOKS
from website import ROOT, Build, notebook_of

from evergreen import store

Outputs = list[list[dict[str, object]]]


def outputs(notebook: nbformat.NotebookNode) -> Outputs:
    """Return what each code cell shows; a glued number is not shown where it is glued."""
    return [
        [
            {key: output.get(key) for key in ("output_type", "name", "text", "data")}
            for output in cell.outputs
            if "scrapbook" not in output.get("metadata", {})
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def run(published: Path, folder: Path) -> Outputs:
    """Run a notebook that has no outputs yet in a folder of its own, and return what it shows."""
    # What a lesson reads lies around it; that notebooks fetch it is tested with the engine.
    (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
    (folder / "book").mkdir()
    notebook = nbformat.read(published, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(
        notebook,
        timeout=600,
        resources={"metadata": {"path": str(folder / "book")}},
        extra_arguments=["--log-level=ERROR"],
        coalesce_streams=True,
    )
    # As in a build: another number of threads changes the last digits, and training would show.
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    # A build passes on no variable that chooses among a library's programs, and so its roundings.
    here = {name: value for name, value in os.environ.items() if "OPENBLAS" not in name}
    client.execute(env=here | threads | {store.FOLDER_VARIABLE: str(store.root())})
    return outputs(notebook)


@pytest.fixture(scope="module")
def shown(
    request: pytest.FixtureRequest, site: Build, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outputs]]]:
    """What the notebooks show that are to be tested, by page: two are run at a time."""
    tests = [item for item in request.session.items if item.path == request.path]
    names = [test.callspec.params["name"] for test in tests]
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(run, notebook_of(site, name), tmp_path_factory.mktemp("reader"))
            for name in names
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_published_notebook_runs_and_shows_what_its_page_shows(
    site: Build, shown: dict[str, Future[Outputs]], name: str
) -> None:
    published = nbformat.read(notebook_of(site, name), as_version=4)
    assert shown[name].result() == outputs(published)
