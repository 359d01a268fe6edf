"""A claim on a page is true, and the prose finds its numbers."""

from __future__ import annotations

import nbformat
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from myst_nb.ext.glue import extract_glue_data_cell
from nbclient import NotebookClient

from evergreen.claims import ClaimError, claim, glue


@pytest.mark.parametrize(
    "condition",
    [
        True,
        np.bool_(True),
        np.array([1, 2]).max() == 2,
        np.array(True),
        pd.Series([0.5, 0.6]).gt(0.4).all(),
        pd.Series([True, True], dtype="boolean").all(),
    ],
)
def test_a_claim_that_holds_shows_its_statement(condition: object) -> None:
    shown = claim(condition, "The loss is 0.5.")
    assert shown._repr_html_() == ('<p class="claim"><strong>Checked</strong> The loss is 0.5.</p>')
    assert repr(shown) == "Checked: The loss is 0.5."


@pytest.mark.parametrize("condition", [False, np.bool_(False), np.array(False)])
def test_a_claim_that_fails_raises_with_its_statement(condition: object) -> None:
    with pytest.raises(ClaimError, match=r"does not hold .*: The loss is 0\.5\."):
        claim(condition, "The loss is 0.5.")


def test_in_a_reader_s_notebook_a_claim_that_fails_says_so_and_the_rest_runs() -> None:
    code = "from evergreen.claims import claim\nclaim(1 > 2, 'One is more than two.')"
    cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("claim(2 > 1, 'So.')")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    shown = [cell.outputs[0].data["text/plain"] for cell in notebook.cells]
    assert shown == ["Not true of these results: One is more than two.", "Checked: So."]


@pytest.mark.parametrize(
    "condition",
    [
        *(None, 1, 0, 1.0, "yes", [True], np.float32(1), np.int64(1)),
        *(np.array([True, True]), np.array([True]), np.array([[True] * 9] * 9), np.array(1)),
        *(pd.NA, pd.Series([True])),
    ],
)
def test_a_condition_that_is_no_truth_value_is_refused(condition: object) -> None:
    with pytest.raises(TypeError, match="condition is one truth value, not") as error:
        claim(condition, "This would be said whatever the results.")
    assert "\n" not in str(error.value)


def test_a_tensor_is_refused_with_the_way_to_a_truth_value() -> None:
    with pytest.raises(TypeError, match=r"not <tf\.Tensor.*use .*bool\(\) of a tensor"):
        claim(tf.constant(True), "This would be said whatever the results.")


@pytest.mark.parametrize("statement", [None, 0.5, ("The loss", 0.5)])
def test_a_statement_that_is_no_text_is_refused(statement: object) -> None:
    with pytest.raises(TypeError, match="statement is a text"):
        claim(True, statement)  # type: ignore[arg-type]


def test_a_statement_is_text_and_never_markup() -> None:
    shown = claim(True, "1 < 2 & <script>alert('no')</script> > 0")._repr_html_()
    assert "1 &lt; 2 &amp; &lt;script&gt;alert('no')&lt;/script&gt; &gt; 0</p>" in shown


def test_a_failed_claim_is_an_assertion_that_failed() -> None:
    assert issubclass(ClaimError, AssertionError)


@pytest.mark.parametrize(
    "value", [None, [1.0], {"a": 1}, 1j, np.array([1.0, 2.0]), np.array([1.0]), pd.NA]
)
def test_only_numbers_and_texts_can_be_glued(value: object) -> None:
    with pytest.raises(TypeError, match=r"a number or a text, not name="):
        glue(name=value)  # type: ignore[arg-type]


def test_myst_nb_reads_what_was_glued() -> None:
    code = """
import numpy as np
from evergreen.claims import glue

glue(loss=0.1 + 0.2, epochs=10, title="BN <one>", half=np.float32(0.5), steps=np.int64(1719))
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    (cell,) = notebook.cells
    glued = dict(extract_glue_data_cell(cell))
    assert {name: output.data["text/plain"] for name, output in glued.items()} == {
        "loss": "0.30000000000000004",
        "epochs": "10",
        "title": "'BN <one>'",
        "half": "0.5",
        "steps": "1719",
    }
    assert cell.outputs == []
