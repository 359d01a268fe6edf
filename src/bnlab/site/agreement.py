"""Whether the catalogue, the networks and the lessons that define them agree, before any trains.

Training would find it out, or a lesson after it: minutes later, and one network at a time.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from bnlab import catalogue, recipes, runs
from bnlab.recipes import Recipe
from bnlab.runs import pool
from evergreen.errors import EvergreenError


class AgreementError(EvergreenError):
    """The catalogue, the networks or the lessons say different things."""


def check(programs: Mapping[str, str]) -> None:
    """Compare them if a run of the course is to be trained.

    Parameters
    ----------
    programs : mapping of str to str
        The cells of each lesson as one Python program, by the lesson's name.

    Raises
    ------
    AgreementError
        If they differ. It names all differences.
    """
    if all(runs.find_all(recipes.course()).values()):
        return
    with pool.processes(1) as executor:  # TensorFlow stays out of the build's own process
        found = executor.submit(differences, dict(programs)).result()
    if found:
        raise AgreementError("\n".join(found))


def differences(programs: Mapping[str, str]) -> list[str]:
    """Return a sentence for each network that two places describe differently.

    Parameters
    ----------
    programs : mapping of str to str
        See :func:`check`.
    """
    from bnlab import networks
    from bnlab.training import structure

    found = []
    for name, network in catalogue.NETWORKS.items():
        try:
            structure.check(network, getattr(networks, name)())
        except structure.StructureError as error:
            found.append(str(error))
    if found:
        return found
    for lesson, program in programs.items():
        for name in _others(program):
            found.append(
                f"The network {name!r} that {lesson} defines is none of the course's, in its "
                "layers, its compilation or its initial weights. Make the lesson, "
                "src/bnlab/networks.py and src/bnlab/recipes.py say the same."
            )
    return found


def _others(program: str) -> Iterator[str]:
    """Yield the names of networks that a lesson asks the course's runs of, and that differ."""
    import keras

    from bnlab import definition, training

    tree = ast.parse(program)
    functions: list[ast.stmt] = [part for part in tree.body if isinstance(part, ast.FunctionDef)]
    names: dict[str, Any] = {"keras": keras, "layers": keras.layers}
    for asked in dict.fromkeys(_asked(tree)):
        try:
            exec(compile(ast.Module(functions, []), "<lesson>", "exec"), names)
            build = definition.compiled(names[asked])
            name = build().name
        except Exception:  # It needs more than functions. The lesson itself will say what differs.
            continue
        recipe = Recipe(definition.network_of(name))
        if not definition.same(build, functools.partial(training.build, recipe)):
            yield name


def _asked(tree: ast.Module) -> Iterator[str]:
    """Yield the names of functions that ``definition.run`` and its like are called with."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="definition")), args=[ast.Name(id=name), *_]
            ):
                yield name
