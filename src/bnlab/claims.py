"""What a page may say about results: numbers glued to their run, and checked claims.

Prose takes a number by its name, with the role ``{glue:text}``. A claim is a sentence
with the condition that makes it true: if that fails, so does the page.
"""

from __future__ import annotations

import collections
import dataclasses
import html
from collections.abc import Iterable
from typing import Any

from IPython.display import display

from bnlab import runs

_GLUE = "application/papermill.record/"


class ClaimError(AssertionError):
    """A claim on a page is false for the results of this build."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement that was checked and holds, as a page shows it.

    Attributes
    ----------
    statement : str
        The sentence.
    runs : tuple of Result
        On which it rests.
    """

    statement: str
    runs: tuple[runs.Result, ...] = ()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """Add to what a cell shows anyway what the page of claims asks for."""
        evidence: list[dict[str, Any]] = [
            {"network": run.network.title, "seed": run.recipe.seed, "key": run.key}
            for run in self.runs
            if run.study is None
        ]
        studies = collections.Counter(run.study for run in self.runs if run.study)
        evidence += [{"study": name, "runs": count} for name, count in studies.items()]
        return {}, {"bnlab": {"claim": self.statement, "runs": evidence}}

    def _repr_html_(self) -> str:
        return f'<p class="claim"><strong>Checked</strong> {html.escape(self.statement, False)}</p>'

    def __repr__(self) -> str:
        return f"Checked: {self.statement}"


def claim(condition: object, statement: str, of: Iterable[runs.Result] | None = None) -> Claim:
    """Return a statement for display if it holds.

    Parameters
    ----------
    condition : bool
        Whether the statement holds, computed from results.
    statement : str
        A full sentence of plain text; put the numbers in with an f-string.
    of : iterable of Result, optional
        The runs that it rests on, which the page of claims names. By default all that the
        page has loaded by then.

    Raises
    ------
    ClaimError
        If the condition is false.
    TypeError
        If the condition is not a single truth value, or the statement is not a text.
    """
    if not isinstance(statement, str):
        raise TypeError(f"A claim's statement is a text, not {statement!r}.")
    if str(type(condition)) not in ("<class 'bool'>", "<class 'numpy.bool'>"):
        raise TypeError(
            f"A claim's condition is true or false, not {condition!r}: compare, or use .all()."
        )
    if not condition:
        raise ClaimError(f"This claim does not hold for the results of this build: {statement}")
    return Claim(statement, tuple(runs.loaded() if of is None else of))


def glue(**values: float | int | str) -> None:
    """Make numbers available to the page's prose by name, for ``{glue:text}``.

    A float keeps all its digits; the prose chooses how many to show, by a format behind
    the name such as ``val_accuracy:.3f``.

    Raises
    ------
    TypeError
        If a value is not a plain number or text.
    """
    for name, value in values.items():
        plain = value.item() if hasattr(value, "item") else value
        if not isinstance(plain, float | int | str):
            raise TypeError(f"Prose can show a number or a text, not {name}={value!r}.")
        # The record that MyST-NB's `glue` writes, so that a lesson runs without MyST-NB.
        display(
            {f"{_GLUE}text/plain": repr(plain)},
            metadata={"scrapbook": {"name": name, "mime_prefix": _GLUE}},
            raw=True,
        )
