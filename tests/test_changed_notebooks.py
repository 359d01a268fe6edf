"""A reader changes a layer in a lesson's notebook and runs on: all below follows."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from support.contents import NOTEBOOKS
from support.running import outputs, run
from website import Build, notebook_of

# Another first hidden layer, and trainings of seconds.
CHANGES = {
    "lessons/baseline": {
        "layers.Dense(300, ": "layers.Dense(20, ",
        "definition.run(compiled, seed=42)": "definition.run(compiled, epochs=2)",
        "definition.run_seeds(compiled)": "definition.run_seeds(compiled, [1, 2], epochs=1)",
    },
}
PARAMETERS = 784 * 20 + 20 + 20 * 100 + 100 + 100 * 10 + 10


@pytest.mark.parametrize("name", [name for name in CHANGES if name in NOTEBOOKS])
def test_a_changed_layer_changes_the_count_the_table_and_the_curves(
    site: Build, tmp_path: Path, name: str
) -> None:
    published = notebook_of(site, name)
    found = nbformat.read(published, as_version=4)
    code = [cell.source for cell in found.cells if cell.cell_type == "code"]
    before, after = outputs(found), run(published, tmp_path, CHANGES[name])
    changed = [str(now) for then, now in zip(before, after, strict=True) if then != now]
    shown = dict(zip(code, zip(before, after, strict=True), strict=True))
    assert re.search(rf"Total params: {PARAMETERS:,} ", "".join(changed))
    assert any("784·20 + 20" in now and "<table" in now for now in changed)
    then, now = shown["figures.curves(run)"]
    assert then != now
    assert "Not true of these results" in "".join(changed)
