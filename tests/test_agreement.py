"""What the catalogue, the networks and lessons say of a network is compared before it trains."""

from __future__ import annotations

import dataclasses

import pytest
from myst_nb.core.read import read_myst_markdown_notebook
from support.contents import FILES, LESSONS

from bnlab import catalogue
from bnlab.site import agreement

DEFINED = [name for name in catalogue.NETWORKS if f"lessons/{name}" in LESSONS]


def program(name: str) -> str:
    """Return the code of a lesson that defines functions, without what IPython alone knows."""
    text = FILES[f"lessons/{name}"].read_text("utf-8")
    notebook = read_myst_markdown_notebook(text, add_source_map=False)
    return "\n".join(
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and not cell.source.startswith("%")
    )


def test_the_lessons_define_the_networks_of_the_course() -> None:
    assert not agreement.differences({name: program(name) for name in DEFINED})


@pytest.mark.parametrize("name", DEFINED)
def test_a_lesson_that_defines_other_layers_is_named(name: str) -> None:
    (said,) = agreement.differences({"lessons/x": program(name).replace("Dense(300", "Dense(301")})
    assert f"The network {name!r} that lessons/x defines is none of the course's" in said


def test_a_lesson_that_compiles_otherwise_is_named() -> None:
    code = program("baseline")
    assert "learning_rate=0.001" in code
    code = code.replace("learning_rate=0.001", "learning_rate=0.002")
    assert len(agreement.differences({"lessons/x": code})) == 1


def test_what_needs_more_than_functions_is_left_to_the_lesson() -> None:
    code = "def build(width=units):\n    return keras.Sequential()\ndefinition.run(build)\n"
    assert not agreement.differences({"lessons/other": code})


def test_all_entries_that_differ_from_their_function_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = list(catalogue.NETWORKS)[:2]
    for name in names:
        entry = dataclasses.replace(catalogue.NETWORKS[name], hidden=(299, 100))
        monkeypatch.setitem(catalogue.NETWORKS, name, entry)
    said = agreement.differences({})
    assert len(said) == 2
    assert all(repr(name) in line for name, line in zip(names, said, strict=True))
