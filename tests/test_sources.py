"""The digests see every change of code that can change a result, and no other."""

from __future__ import annotations

import gc
import hashlib
import threading
from pathlib import Path

import pytest
from package import PACKAGE, copy_package, python
from website import replace

from evergreen import sources


@pytest.mark.parametrize(
    "code",
    [
        "import bnlab.data",
        "import bnlab.data as fashion",
        "from bnlab import data",
        "from bnlab import data as fashion, claims",
        "from bnlab.data import load",
        "def later():\n    from bnlab import data\n",
        "if False:\n    import os, bnlab.data\n",
    ],
)
def test_a_direct_import_is_found_however_it_is_written(code: str) -> None:
    assert "bnlab.data" in sources.imported(code)


def test_an_indirect_import_is_found() -> None:
    found = sources.imported("from bnlab import figures")
    assert {"bnlab.figures", "bnlab.runs", "evergreen.store", "evergreen.sources"} <= found


def test_an_import_inside_a_function_of_an_imported_module_is_found() -> None:
    found = sources.imported("from bnlab.runs import load")
    assert {"bnlab.training", "bnlab.networks"} <= found


def test_only_this_package_is_found_and_only_what_is_imported() -> None:
    assert sources.imported("import numpy\nfrom keras import layers\nbnlab = 1") == set()
    assert sources.imported("from bnlab import arithmetic") == {
        "bnlab",
        "bnlab.arithmetic",
        "bnlab.catalogue",
    }


def test_a_name_inside_a_module_is_no_module() -> None:
    assert sources.imported("from bnlab.catalogue import NETWORKS") == {"bnlab.catalogue"}


def test_a_subpackage_is_found() -> None:
    assert "bnlab.site" in sources.imported("import bnlab.site")
    assert "bnlab.site.lessons" in sources.imported("from bnlab.site import lessons")


def test_what_is_not_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        sources.imported("from bnlab import")


def test_a_module_is_found_by_its_full_name() -> None:
    assert sources.path_of("bnlab.data") == PACKAGE / "data.py"
    assert sources.path_of("bnlab") == PACKAGE / "__init__.py"
    assert sources.path_of("bnlab.site") == PACKAGE / "site" / "__init__.py"


@pytest.mark.parametrize("module", ["bnlab.nothing", "numpy", "data", "bnlab.data.load"])
def test_an_unknown_module_is_refused_by_name(module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"bnlab has no module '{module}'"):
        sources.path_of(module)


def test_an_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"bnlab\.networks defines no 'resnet'"):
        sources.function_digest("bnlab.networks", "resnet")


MODULE = '''"""Doc."""

import math

SIZE = 3
"""Doc of a constant."""
UNUSED = 4
LIMITS = {}
LIMITS["low"] = 0
LIMITS.update(high=1)
if SIZE > 2:
    try:
        from math import tau as turn
    except ImportError:
        turn = 6.28

        def half():
            return turn / 2



class Shape:
    """Doc."""

    sides = 4


def helper(value: Shape) -> float:
    """Doc."""
    return math.sqrt(value.sides)  # a comment


def used() -> float:
    """Doc."""
    return helper(Shape()) + SIZE


def sibling() -> int:
    """Doc."""
    return UNUSED


async def waiting() -> int:
    return 1


def limited() -> float:
    return LIMITS["low"] + turn
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with one module more."""
    source = copy_package(tmp_path)
    (source / "bnlab" / "example.py").write_text(MODULE, "utf-8")
    return source


def digests(source: Path) -> dict[str, str]:
    """Return the digests of the example module and of its functions."""
    code = """
from evergreen import sources

print("module", sources.module_digest("bnlab.example"))
for function in ("used", "sibling", "helper", "limited"):
    print(function, sources.function_digest("bnlab.example", function))
"""
    return dict(line.split() for line in python(code, source).splitlines())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  # a comment", "", set()),
        ('"""Doc."""\n\nimport', '"""Another doc."""\n\nimport', set()),
        ('    """Doc."""\n    return helper', "    return helper", set()),
        ('"""Doc of a constant."""', '"""Another doc."""', set()),
        ("helper(Shape()) + SIZE", "(\n        helper(Shape())\n        + SIZE\n    )", set()),
        ("return UNUSED", "return UNUSED + 1", {"module", "sibling"}),
        ("UNUSED = 4", "UNUSED = 5", {"module", "sibling"}),
        ("SIZE = 3", "SIZE = 5", {"module", "used", "limited"}),
        ('LIMITS["low"] = 0', 'LIMITS["low"] = 1', {"module", "limited"}),
        ("high=1", "high=2", {"module", "limited"}),
        ("tau as turn", "pi as turn", {"module", "limited"}),
        ("turn = 6.28", "turn = 6.283", {"module", "limited"}),
        ("if SIZE > 2", "if SIZE > 1", {"module", "limited"}),
        ("sides = 4", "sides = 5", {"module", "used", "helper"}),
        ("math.sqrt", "math.cbrt", {"module", "used", "helper"}),
        ("import math", "import numpy as math", {"module", "used", "helper"}),
        ("import math", "import json, math", {"module"}),
        ("helper(Shape())", "2 * helper(Shape())", {"module", "used"}),
        ("return 1", "return 2", {"module"}),
    ],
)
def test_a_digest_changes_with_all_that_its_function_uses_and_with_nothing_else(
    copy: Path, old: str, new: str, expected: set[str]
) -> None:
    before = digests(copy)
    replace(copy / "bnlab" / "example.py", old, new)
    after = digests(copy)
    assert {name for name in before if before[name] != after[name]} == expected


def test_a_digest_is_the_sha_256_of_its_parts_and_tells_where_they_end() -> None:
    assert sources.digest("ab", b"c") == hashlib.sha256(b"2:ab1:c").hexdigest()
    assert sources.digest("ab", "c") != sources.digest("a", "bc")


def test_threads_may_ask_at_the_same_time() -> None:
    """While one thread parses, garbage is collected, and that lets another thread parse."""
    code = Path(sources.__file__).read_text("utf-8")
    parsing = threading.Event()
    failures: list[BaseException] = []

    class Garbage:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            parsing.set()
            other.join(0.3)

    def ask(mark: str) -> None:
        try:
            sources.imported(f"{code}# {mark}")
        except SystemError as error:
            failures.append(error)

    def ask_meanwhile() -> None:
        assert parsing.wait(60)
        ask("meanwhile")

    other = threading.Thread(target=ask_meanwhile)
    other.start()
    gc.collect()
    gc.disable()
    Garbage()
    try:
        gc.enable()
        ask("first")
    finally:
        parsing.set()
        other.join()
    assert failures == []
