"""A lesson as its reader runs it: a notebook in another folder, cell by cell."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbconvert.preprocessors import ExecutePreprocessor
from website import ROOT, Build

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("*.md"))


def outputs(notebook: nbformat.NotebookNode) -> list[list[dict[str, object]]]:
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


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_published_notebook_runs_and_shows_what_its_page_shows(
    site: Build, lesson: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.read(site.html / "notebooks" / f"{lesson}.ipynb", as_version=4)
    shown = outputs(notebook)
    assert sum(map(len, shown)) >= 5
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    # As in a build: another number of threads changes the last digits.
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "1")
    runner = ExecutePreprocessor(
        timeout=600, extra_arguments=["--log-level=ERROR"], coalesce_streams=True
    )
    runner.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    assert outputs(notebook) == shown
