"""A published notebook as its reader runs it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from website import ROOT

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


def run(published: Path, folder: Path, changes: Mapping[str, str] | None = None) -> Outputs:
    """Run a notebook in a folder of its own, and return what it shows.

    Parameters
    ----------
    published : pathlib.Path
    folder : pathlib.Path
    changes : mapping of str to str, optional
        What its reader writes in the place of other code. That must stand in one cell alone.
    """
    # What a lesson reads lies around it; that notebooks fetch it is tested with the engine.
    (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
    (folder / "book").mkdir()
    notebook = nbformat.read(published, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        cell.outputs = []
    for old, new in (changes or {}).items():
        (cell,) = (cell for cell in code if old in cell.source)
        cell.source = cell.source.replace(old, new)
    client = NotebookClient(
        notebook,
        timeout=600,
        resources={"metadata": {"path": str(folder / "book")}},
        extra_arguments=["--log-level=ERROR"],
        coalesce_streams=True,
    )
    # As in a build: another number of threads changes the last digits, and training would show.
    libraries = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS")
    threads = dict.fromkeys(libraries, "1")
    # A build passes on no variable that chooses among a library's programs, and so its roundings.
    here = {name: value for name, value in os.environ.items() if "OPENBLAS" not in name}
    client.execute(env=here | threads | {store.FOLDER_VARIABLE: str(store.root())})
    return outputs(notebook)
