"""What a page may say about results: numbers glued to their run, and checked claims.

Prose takes a number by its name, with the role ``{glue:text}``. A claim is a sentence
with the condition that makes it true: if that fails, so does the page. In a notebook, where a
reader may have changed what is computed, a false one is shown as such, and the rest still runs.
"""

from __future__ import annotations

import dataclasses
import html
import os
import reprlib
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from IPython import get_ipython
from IPython.display import display

from evergreen import dataflow
from evergreen.errors import EvergreenError

BUILD = "EVERGREEN_BUILD"
"""Environment variable that a build sets for its kernels."""

_GLUE = "application/papermill.record/"


class ClaimError(EvergreenError, AssertionError):
    """A claim on a page is false for the results of this build."""


class Evidence(NamedTuple):
    """How the page of claims names a result.

    Attributes
    ----------
    group : str
        What the results have in common that are named together.
    key : str
        Tells this one from all others.
    item : str
        What is said of this one behind its group's name. Where it is empty, the results of
        the group are only counted.
    """

    group: str
    key: str
    item: str = ""


class Finding(Protocol):
    """A result that a claim can rest on."""

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names it."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement that was checked, as a page shows it.

    Attributes
    ----------
    statement : str
        The sentence.
    evidence : tuple of Evidence
        On what it rests.
    holds : bool
        Whether it is true, as on a page it always is.
    """

    statement: str
    evidence: tuple[Evidence, ...] = ()
    holds: bool = True

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """Add to what a cell shows anyway what the page of claims asks for."""
        groups: dict[str, list[str]] = {}
        for evidence in self.evidence:
            groups.setdefault(evidence.group, []).append(evidence.item)
        return {}, {"evergreen": {"claim": self.statement, "evidence": groups}}

    def _repr_html_(self) -> str:
        statement = html.escape(self.statement, False)
        return f'<p class="claim"><strong>{self._verdict}</strong> {statement}</p>'

    def __repr__(self) -> str:
        return f"{self._verdict}: {self.statement}"

    @property
    def _verdict(self) -> str:
        return "Checked" if self.holds else "Not true of these results"


def claim(condition: object, statement: str, of: Iterable[Finding] | None = None) -> Claim:
    """Return a statement for display, if it holds.

    Parameters
    ----------
    condition : bool
        Whether the statement holds, computed from results: Python's, or a scalar of NumPy's.
    statement : str
        A full sentence of plain text; put the numbers in with an f-string.
    of : iterable of Finding, optional
        The results that it rests on, which the page of claims names. By default those noted
        (see :func:`note`) by statements that its own rests on, through the names that they
        use; outside of a notebook all that were noted by then.

    Raises
    ------
    ClaimError
        If the condition is false, in a build or outside of a notebook.
    TypeError
        If the condition is not a single truth value, or the statement is not a text.
    """
    if not isinstance(statement, str):
        raise TypeError(f"A claim's statement is a text, not {statement!r}.")
    holds = _plain(condition)
    if not isinstance(holds, bool):
        raise TypeError(
            f"A claim's condition is one truth value, not {_in_a_line(condition)}; compare "
            "single numbers, or use .all() of an array, or bool() of a tensor."
        )
    if not holds and (BUILD in os.environ or get_ipython() is None):
        raise ClaimError(f"This claim does not hold for the results of this build: {statement}")
    rests_on = _behind_claim() if of is None else of
    return Claim(statement, tuple(result.evidence for result in rests_on), holds)


def note(results: Iterable[Finding]) -> None:
    """Add results to those that the claims of this process rest on by default."""
    place = dataflow.here()
    for result in results:
        _, places = _noted.setdefault(result.evidence, (result, set()))
        places.add(place)


_noted: dict[Evidence, tuple[Finding, set[dataflow.Place | None]]] = {}


def _behind_claim() -> list[Finding]:
    """Return the noted results that the claim of this moment rests on."""
    place, shell = dataflow.here(), get_ipython()
    if place is None or shell is None:
        return [result for result, _ in _noted.values()]
    behind = dataflow.Behind(place, shell.user_ns["In"])
    return [
        result
        for result, places in _noted.values()
        if any(noted is None or noted in behind for noted in places)
    ]


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
        plain = _plain(value)
        if not isinstance(plain, float | int | str):
            shown = _in_a_line(value)
            raise TypeError(f"Prose can show a number or a text, not {name}={shown}.")
        # The record that MyST-NB's `glue` writes, so that a lesson runs without MyST-NB.
        display(
            {f"{_GLUE}text/plain": repr(plain)},
            metadata={"scrapbook": {"name": name, "mime_prefix": _GLUE}},
            raw=True,
        )


def _plain(value: object) -> object:
    """Return what a scalar holds; anything else as it is.

    Any library's scalar that has a shape and ``item`` will do, so none is imported for it.
    """
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def _in_a_line(value: object) -> str:
    return " ".join(reprlib.repr(value).split())
