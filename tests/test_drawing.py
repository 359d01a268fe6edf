"""The README draws every module of both packages, and their imports, as they are."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import grimp
import pytest
from website import ROOT

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ROOM = re.compile(r'^ *([\w.]+)\["<b>\w+</b>(.*)"\]$', re.MULTILINE)
_ARROWS = re.compile(r"^ *([\w.]+) --> (.+)$", re.MULTILINE)

Arrow = tuple[str, str]


class Drawing(NamedTuple):
    """The rooms with their modules, in the order in which they are named, and the arrows."""

    rooms: dict[str, list[str]]
    arrows: list[Arrow]


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    (text,) = _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    rooms = {
        room: [f"{room}.{name}" for name in re.findall(r"[\w.]+", modules.replace("<br>", " "))]
        for room, modules in _ROOM.findall(text)
    }
    arrows = [
        (room, imported.strip())
        for room, several in _ARROWS.findall(text)
        for imported in several.split("&")
    ]
    return Drawing(rooms, arrows)


@pytest.fixture(scope="module")
def code() -> grimp.ImportGraph:
    return grimp.build_graph(
        "bnlab", "evergreen", exclude_type_checking_imports=True, cache_dir=None
    )


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def lead_to(arrows: set[Arrow], start: str) -> set[str]:
    """Return where one comes along the arrows."""
    reached: set[str] = set()
    waiting = {start}
    while waiting:
        waiting = {end for begin, end in arrows if begin in waiting} - reached
        reached |= waiting
    return reached


def test_every_module_is_drawn_once(drawing: Drawing, code: grimp.ImportGraph) -> None:
    drawn = [*drawing.rooms, *(module for room in drawing.rooms.values() for module in room)]
    assert [module for module, times in Counter(drawn).items() if times > 1] == []
    assert set(drawn) == code.modules


def test_the_arrows_are_the_imports_that_no_others_lead_to(
    drawing: Drawing, code: grimp.ImportGraph
) -> None:
    imports = {
        (room_of(module), room_of(imported))
        for module in code.modules
        for imported in code.find_modules_directly_imported_by(module)
        if room_of(module) != room_of(imported)
    }
    needed = {(a, b) for a, b in imports if b not in lead_to(imports - {(a, b)}, a)}
    assert len(drawing.arrows) == len(set(drawing.arrows))
    assert set(drawing.arrows) == needed


def test_a_module_imports_only_those_that_its_room_names_before_it(
    drawing: Drawing, code: grimp.ImportGraph
) -> None:
    against = [
        (module, imported)
        for modules in drawing.rooms.values()
        for position, module in enumerate(modules)
        for imported in code.find_modules_directly_imported_by(module)
        if imported in modules[position:]
    ]
    assert against == []
