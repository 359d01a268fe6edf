r"""Macros written out, so that what shows a formula need not know them.

A page's formulas could be given the book's macros, but not a notebook's: each viewer takes macros
in a way of its own, or does not.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from evergreen.pages import portable
from evergreen.pages.latex import LatexError, joined, tokens

# These take what follows as their argument, so a macro there must stay in one piece.
_TAKES = re.compile(
    r"[_^]|\\(?:[dt]?frac|sqrt|over(?:line|rightarrow|brace)|under(?:line|brace)|"
    r"(?:wide)?hat|(?:wide)?tilde|bar|vec|d{1,3}ot|check|breve|acute|grave|mathring|"
    r"boldsymbol|math(?:bb|bf|cal|frak|it|rm|scr|sf|tt|rel|bin|op|ord)|text\w*)"
)
# Before a delimiter.
_SIZED = re.compile(r"\\(?:left|right|middle|[bB]ig)")
_MOST = 10_000

_DEFINE = {r"\newcommand", r"\renewcommand", r"\providecommand"}
_OPERATOR = r"\DeclareMathOperator"
_PRIMITIVE = {r"\def", r"\gdef"}
_LET = r"\let"


class _Macro(NamedTuple):
    parameters: int
    default: list[str] | None
    body: list[str]


class Macros:
    r"""Macros that a formula may use: the book's, and those that formulas before it define.

    Parameters
    ----------
    configured : mapping
        As MathJax's ``tex.macros``: a body by name, without the backslash, or a list of a body,
        the number of arguments, and the default of the first.

    Raises
    ------
    LatexError
        If a macro has another form.
    """

    def __init__(self, configured: Mapping[str, Any]) -> None:
        self._macros: dict[str, _Macro] = {}
        for name, given in {**portable.WRITTEN, **configured}.items():
            match given:
                case str(body) | [str(body)]:
                    macro = _Macro(0, None, tokens(body))
                case [str(body), int(count)]:
                    macro = _Macro(count, None, tokens(body))
                case [str(body), int(count), str(default)]:
                    macro = _Macro(count, tokens(default), tokens(body))
                case _:
                    raise LatexError(f"the macro {name} is {given!r}")
            self._macros[f"\\{name}"] = macro

    def write_out(self, latex: str) -> str:
        """Return a formula without macros and definitions; it may be empty then.

        What it defines holds for the formulas that follow, as MathJax has it.

        Raises
        ------
        LatexError
            If a macro lacks an argument or uses itself, or a command is not known everywhere.
        """
        waiting = deque(tokens(latex))
        done: list[str] = []
        steps = 0
        while waiting:
            token = waiting.popleft()
            if self._define(token, waiting):
                continue
            macro = self._macros.get(token)
            if macro is None:
                if token[1:] in portable.REFUSED:
                    raise LatexError(
                        f"{token} is not known where notebooks are opened. Write it otherwise, or "
                        r"define it with \newcommand"
                    )
                done.append(token)
                continue
            steps += 1
            if steps > _MOST:
                raise LatexError(f"{token} uses itself without an end")
            written = _applied(token, macro, waiting)
            before = next((part for part in reversed(done) if not part.isspace()), "")
            if _SIZED.match(before) and not "".join(written).isascii():
                raise LatexError(
                    f"{token} has no size of its own where notebooks are opened. Take {before} away"
                )
            if len(written) > 1 and _TAKES.fullmatch(before):
                written = ["{", *written, "}"]
            waiting.extendleft(reversed(written))
        return joined(done)

    def _define(self, token: str, waiting: deque[str]) -> bool:
        """Take in a definition that begins with a token; tell whether one does."""
        if token in _DEFINE:
            _skip(waiting, "*")
            name = _name(token, waiting)
            count = _bracket(waiting)
            default = _bracket(waiting)
            try:
                parameters = int("".join(count or "0"))
            except ValueError:
                raise LatexError(f"{token}{{{name}}} has no number in its brackets") from None
            macro = _Macro(parameters, default, _argument(token, waiting))
            if token != r"\providecommand" or name not in self._macros:
                self._macros[name] = macro
        elif token == _OPERATOR:
            star = "*" if _skip(waiting, "*") else ""
            name = _name(token, waiting)
            words = _argument(token, waiting)
            body = [r"\operatorname", *star, "{", *words, "}"]
            self._macros[name] = _Macro(0, None, body)
        elif token in _PRIMITIVE:
            name = _name(token, waiting)
            parameters = 0
            while waiting and waiting[0] != "{":
                mark = waiting.popleft() + (waiting.popleft() if waiting else "")
                parameters += 1
                if mark != f"#{parameters}":
                    raise LatexError(f"{token}{name} has arguments other than #1, #2; use {{}}")
            self._macros[name] = _Macro(parameters, None, _argument(token, waiting))
        elif token == _LET:
            name = _name(token, waiting)
            _skip(waiting, "=")
            _skip(waiting)
            meant = waiting.popleft() if waiting else ""
            self._macros[name] = self._macros.get(meant, _Macro(0, None, [meant]))
        else:
            return False
        return True


def _skip(waiting: deque[str], mark: str = "") -> bool:
    """Skip spaces, and a mark behind them; tell whether it was there."""
    while waiting and waiting[0].isspace():
        waiting.popleft()
    if mark and waiting and waiting[0] == mark:
        waiting.popleft()
        return True
    return False


def _argument(of: str, waiting: deque[str]) -> list[str]:
    """Take a macro's next argument: a group, without its braces, or one token."""
    _skip(waiting)
    if not waiting or waiting[0] == "}":
        raise LatexError(f"{of} lacks an argument")
    token = waiting.popleft()
    if token != "{":
        return [token]
    taken: list[str] = []
    depth = 1
    while waiting:
        token = waiting.popleft()
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth == 0:
            return taken
        taken.append(token)
    raise LatexError(f"an argument of {of} is not closed with }}")


def _bracket(waiting: deque[str]) -> list[str] | None:
    """Take what stands in brackets, if a bracket comes next."""
    if not _skip(waiting, "["):
        return None
    taken: list[str] = []
    depth = 0
    while waiting:
        token = waiting.popleft()
        if token == "]" and depth == 0:
            return taken
        depth += {"{": 1, "}": -1}.get(token, 0)
        taken.append(token)
    raise LatexError("a bracket [ is not closed with ]")


def _name(of: str, waiting: deque[str]) -> str:
    """Take the name that a definition gives to a macro."""
    name = "".join(_argument(of, waiting)).strip()
    if not name.startswith("\\"):
        raise LatexError(f"{of} names no command, but {name!r}")
    return name


def _applied(name: str, macro: _Macro, waiting: deque[str]) -> list[str]:
    """Return what a macro stands for, with the arguments that follow it."""
    arguments: list[list[str]] = []
    if macro.default is not None:
        given = _bracket(waiting)
        arguments.append(macro.default if given is None else given)
    while len(arguments) < macro.parameters:
        arguments.append(_argument(name, waiting))
    written: list[str] = []
    body = iter(macro.body)
    for token in body:
        if token != "#":
            written.append(token)
            continue
        number = next(body, "")
        if not number.isdigit() or not 0 < int(number) <= len(arguments):
            raise LatexError(f"{name} has no argument #{number}")
        written.extend(arguments[int(number) - 1])
    return written
