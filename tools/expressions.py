"""Evaluate the expressions of a GitHub workflow, as far as this project's workflows use them.

Quoted strings, dotted names, ``==``, ``!=``, ``!``, ``&&`` and ``||``; anything else is an error
that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|==|!=|&&|\|\||!")
TEMPLATE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


class RehearsalError(Exception):
    """Its message is the sentence to show."""


def unknown(expression: str) -> RehearsalError:
    return RehearsalError(f"The rehearsal does not know the expression `{expression.strip()}`.")


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """Return the value of an expression, given what ``github``, ``steps`` and so on hold."""
    if re.sub(r"\s", "", TOKEN.sub("", expression)):
        raise unknown(expression)
    return _value(TOKEN.findall(expression), expression, contexts)


def holds(condition: str, contexts: Mapping[str, Any]) -> bool:
    """Return whether an ``if:`` holds, written with or without ``${{ }}``."""
    whole = TEMPLATE.fullmatch(condition.strip())
    return bool(evaluate(whole[1] if whole else condition, contexts))


def fill(text: str, contexts: Mapping[str, Any]) -> str:
    """Return a text with the value of each ``${{ expression }}`` in its place."""

    def filled(found: re.Match[str]) -> str:
        value = evaluate(found[1], contexts)
        return str(value).lower() if isinstance(value, bool) else str(value)

    return TEMPLATE.sub(filled, text)


def _value(tokens: list[str], expression: str, contexts: Mapping[str, Any]) -> Any:
    # Split at the operator with the lowest precedence first.
    for sign in ("||", "&&", "==", "!="):
        if sign not in tokens:
            continue
        place = tokens.index(sign)
        left = _value(tokens[:place], expression, contexts)
        if sign == "||" and left:
            return left
        if sign == "&&" and not left:
            return left
        right = _value(tokens[place + 1 :], expression, contexts)
        if sign in ("||", "&&"):
            return right
        # Actions ignores case when it compares strings.
        return (str(left).casefold() == str(right).casefold()) == (sign == "==")
    if tokens[:1] == ["!"]:
        return not _value(tokens[1:], expression, contexts)
    if len(tokens) != 1:
        raise unknown(expression)
    if tokens[0].startswith("'"):
        return tokens[0][1:-1].replace("''", "'")
    found: Any = contexts
    for part in tokens[0].split("."):
        try:
            found = found[part]
        except (KeyError, TypeError):
            raise unknown(tokens[0]) from None
    if isinstance(found, Mapping):
        raise unknown(tokens[0])
    return found
