"""Python code as a tree, and a tree as a text of what it computes."""

from __future__ import annotations

import ast
import threading

# Python counts the depth of its trees for all threads together, and calls a count that
# another thread moved meanwhile a SystemError. Source: CPython's issue 106905.
_parsing = threading.Lock()

# Fields that change nothing, or that `evergreen.sources.reduction` keeps elsewhere where they do.
_SILENT = frozenset({"ctx", "kind", "returns", "simple", "type_comment", "type_params"})
_SILENT_OF_PARAMETER = _SILENT | {"annotation"}


def parse(source: str | bytes, filename: str) -> ast.Module:
    """Return the tree of some code; several threads may ask at the same time."""
    with _parsing:
        return ast.parse(source, filename)


def write(node: object) -> str:
    """Return a tree as a text that is the same in every version of Python.

    It holds all but positions, the annotations of parameters and results, and empty parts.
    Every digest is made of such texts: another way to write them would be another key for all.
    """
    if isinstance(node, ast.AST):
        silent = _SILENT_OF_PARAMETER if isinstance(node, ast.arg) else _SILENT
        parts = [
            f"{name}={write(value)}"
            for name in node._fields
            if name not in silent and (value := getattr(node, name, None)) not in (None, [])
        ]
        return f"{type(node).__name__}({', '.join(parts)})"
    if isinstance(node, list):
        return f"[{', '.join(map(write, node))}]"
    return repr(node)


def chain(node: ast.AST | None) -> tuple[str, ...]:
    """Return the names of a dotted expression such as ``a.b.c``, none for any other."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else ()
