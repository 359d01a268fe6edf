"""The rules and the icons that the pages use, out of all that the theme brings.

The theme ships a framework: four thousand rules, an icon font of 150 KB, and a script of
1.5 MB that draws the same icons once more. What a page can show follows from its markup and
from the names in its scripts, so nothing has to be listed here by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import tinycss2
from tinycss2 import ast

COMPOSED = frozenset({"bs-tooltip-auto"})
"""Names that a script puts together from parts, so that none of them is found in it."""

IDLE = (
    "alert",
    "carousel",
    "list-group",
    "modal",
    "nboutput",
    "offcanvas",
    "popover",
    "toast",
    "version-switcher",
)
"""Parts that the theme's scripts know and never make: they are where the markup has them."""

_NESTING = {"media", "supports", "layer", "container"}
_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_NAME = re.compile(r"[^\s\"'<>=/]+")
_WORD = re.compile(r"[A-Za-z_-][\w-]*")
_PART = re.compile(r"[\w-]+")
_PART_OF_CLASS = re.compile(r"""\[class\*=["']?([\w-]+)["']?\]""")
_PROPERTY = re.compile(r"--[\w-]+")
_DATASET = re.compile(r"\bdataset\.(\w+)")
_CAPITAL = re.compile(r"[A-Z]")


class Rule(NamedTuple):
    """A rule of a style sheet.

    Attributes
    ----------
    prelude : str
        All that stands before the braces.
    body : list of Rule or of tuple
        What stands between them: rules, or names and values of declarations.
    """

    prelude: str
    body: list[Rule] | list[tuple[str, str]]

    def __str__(self) -> str:
        parts = (
            str(part) if isinstance(part, Rule) else f"{part[0]}:{part[1]};" for part in self.body
        )
        return f"{self.prelude}{{{''.join(parts)}}}\n"


def names(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Return every name that a selector could find: in the tags, or through a script."""
    found = set(COMPOSED)
    for page in pages:
        found.update(_NAME.findall(" ".join(_TAG.findall(page))))
    idle = tuple(f"{name}-" for name in IDLE)
    for script in scripts:
        # What a script calls `dataset.userMode` is the attribute `data-user-mode`.
        found.update(
            "data-" + _CAPITAL.sub(lambda letter: f"-{letter[0].lower()}", name)
            for name in _DATASET.findall(script)
        )
        found.update(
            word for word in _WORD.findall(script) if word not in IDLE and not word.startswith(idle)
        )
    return found


def mentioned(css: str, known: set[str]) -> set[str]:
    """Return those names whose words all occur in a style sheet; no other can matter to it."""
    words = set(_PART.findall(css.replace("\\", "")))
    parts = sorted(set(_PART_OF_CLASS.findall(css)))
    has_part = re.compile("|".join(parts) or r"\Z\A.").search
    return {name for name in known if words.issuperset(_PART.findall(name)) or has_part(name)}


def purged(css: str, known: set[str]) -> list[Rule]:
    """Return the rules of a style sheet that can apply where only these names occur.

    Custom properties that nothing reads and animations that nothing runs are left out too.
    """
    rules = list(_possible(tinycss2.parse_stylesheet(css, True, True), known))
    rules = _without_unread_properties(rules, known)
    values = " ".join(value for name, value in declarations(rules))
    return [rule for rule in rules if _is_run(rule, values)]


def content(rules: Iterable[Rule]) -> set[str]:
    """Return every character that the rules themselves put on a page, as icons are."""
    found: set[str] = set()
    for name, value in declarations(rules):
        if name == "content" or name.startswith("--"):
            for token in tinycss2.parse_component_value_list(value):
                if token.type == "string":
                    found.update(token.value)
    return found


def _possible(parsed: Sequence[ast.Node], known: set[str]) -> Iterator[Rule]:
    for rule in parsed:
        if rule.type == "qualified-rule":
            selectors = [part for part in _split(rule.prelude) if _can_match(part, known)]
            body = _body(rule.content)
            if selectors and body:
                prelude = ",".join(tinycss2.serialize(part).strip() for part in selectors)
                yield Rule(prelude, body)
        elif rule.type == "at-rule" and rule.content is not None:
            prelude = f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}".strip()
            if rule.lower_at_keyword in _NESTING:
                nested = tinycss2.parse_rule_list(rule.content, True, True)
                if inner := list(_possible(nested, known)):
                    yield Rule(prelude, inner)
            elif rule.lower_at_keyword.endswith("keyframes"):
                nested = tinycss2.parse_rule_list(rule.content, True, True)
                steps = [
                    Rule(tinycss2.serialize(step.prelude).strip(), _body(step.content))
                    for step in nested
                ]
                yield Rule(prelude, steps)
            else:
                yield Rule(prelude, _body(rule.content))
        elif rule.type == "error":
            raise ValueError(f"A style sheet cannot be read: {rule.message}.")


def _body(tokens: Sequence[ast.Node]) -> list[tuple[str, str]]:
    """Return the declarations between two braces; a browser skips what is none, and so do we."""
    return [
        (
            part.name,
            re.sub(r"\s+", " ", tinycss2.serialize(part.value)).strip()
            + ("!important" if part.important else ""),
        )
        for part in tinycss2.parse_blocks_contents(tokens, True, True)
        if part.type == "declaration"
    ]


def _split(tokens: Sequence[ast.Node]) -> list[list[ast.Node]]:
    parts: list[list[ast.Node]] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _can_match(selector: Sequence[ast.Node], known: set[str]) -> bool:
    """Tell whether all the tags, classes, ids and attributes of a selector are known."""
    previous = ""
    for token in selector:
        kind = token.type
        if kind == "ident" and previous != ":":
            if token.value not in known and token.lower_value not in known:
                return False
        elif kind == "hash":
            if token.value not in known:
                return False
        elif kind == "[] block":
            attribute = next((part.value for part in token.content if part.type == "ident"), "")
            if attribute not in known:
                return False
            part = _PART_OF_CLASS.fullmatch(token.serialize())
            if part and not any(part[1] in name for name in known):
                return False
        elif (
            kind == "function"
            and token.lower_name in {"is", "where", "has"}
            and not any(_can_match(part, known) for part in _split(token.arguments))
        ):
            return False
        previous = token.value if kind == "literal" else ""
    return True


def declarations(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """Yield every name and value that the rules set, those of nested rules too."""
    for rule in rules:
        for part in rule.body:
            if isinstance(part, Rule):
                yield from declarations([part])
            else:
                yield part


def _without_unread_properties(rules: list[Rule], known: set[str]) -> list[Rule]:
    values: dict[str, set[str]] = {}
    read = {name for name in known if name.startswith("--")}
    for name, value in declarations(rules):
        if name.startswith("--"):
            values.setdefault(name, set()).update(_PROPERTY.findall(value))
        else:
            read.update(_PROPERTY.findall(value))
    waiting = list(read)
    while waiting:
        new = values.get(waiting.pop(), set()) - read
        read |= new
        waiting.extend(new)

    def filtered(rules: Iterable[Rule]) -> Iterator[Rule]:
        for rule in rules:
            if rule.body and isinstance(rule.body[0], Rule):
                body: list[Any] = list(filtered(rule.body))
            else:
                body = [part for part in rule.body if part[0] in read or part[0][:2] != "--"]
            if body:
                yield Rule(rule.prelude, body)

    return list(filtered(rules))


def _is_run(rule: Rule, values: str) -> bool:
    if "keyframes" in rule.prelude:
        name = re.escape(rule.prelude.split()[-1])
        return re.search(rf"(?<![\w-]){name}(?![\w-])", values) is not None
    return True
