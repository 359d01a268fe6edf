"""What the user's environment says to the libraries changes no result, or is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from package import SOURCE, output, python, start

from bnlab import environment

RUN = """
import json
from bnlab import runs
from bnlab.recipes import Recipe

run, = runs.load_all([Recipe("bn_approach_one", epochs=1)])
print(json.dumps([run.key, run.history, run.test_probabilities.sum(axis=0).tolist()]))
"""
HOSTILE = {
    "KERAS_BACKEND": "jax",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_NUM_INTRAOP_THREADS": "3",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
}


def test_a_run_is_the_same_whatever_the_environment_says(tmp_path: Path) -> None:
    plain = start(RUN, EVERGREEN_STORE=tmp_path / "plain")
    hostile = start(RUN, EVERGREEN_STORE=tmp_path / "hostile", **HOSTILE)
    assert json.loads(output(plain)) == json.loads(output(hostile))


def test_a_process_keeps_none_of_the_libraries_variables_but_the_fixed_ones() -> None:
    code = f"""
import json, os
from bnlab import environment

environment.fix()
print(json.dumps({{name: os.environ.get(name) for name in {list(HOSTILE)}}}))
"""
    kept = json.loads(python(code, **HOSTILE))
    assert kept == {name: environment.FIXED.get(name) for name in HOSTILE}


@pytest.mark.parametrize("backend", ["jax", "numpy", "nonsense"])
def test_another_backend_of_keras_is_refused_with_what_to_do(backend: str) -> None:
    process = start("from bnlab import networks", SOURCE, KERAS_BACKEND=backend)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith(
        f"evergreen.errors.EvergreenError: Keras runs on {backend} here"
    )
    assert "KERAS_BACKEND to tensorflow" in errors.splitlines()[-1]
