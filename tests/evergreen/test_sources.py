"""A digest sees every change of code that can change a result, and as few others as it can."""

from __future__ import annotations

import gc
import hashlib
import importlib
import os
import random
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from evergreen import sources
from evergreen.errors import EvergreenError
from evergreen.sources import Codebase, Script, SourceError, codebase
from evergreen.sources.reach import Reach

ROOT = Path(__file__).parents[2]


class Package:
    """A package ``lab`` in a folder of its own, whose modules a test writes and edits."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "lab"
        self.lessons = folder / "lessons"
        self.lessons.mkdir()
        self.write("lab", "")
        self.codebase = Codebase({"lab": self.root}, [self.lessons])

    def path(self, module: str) -> Path:
        first, *names = module.split(".")
        path = (self.root if first == "lab" else self.lessons / first).joinpath(*names)
        return path / "__init__.py" if first == "lab" and not names else path.with_suffix(".py")

    def write(self, module: str, code: str) -> None:
        path = self.path(module)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code), "utf-8")

    def edit(self, module: str, old: str, new: str) -> None:
        path = self.path(module)
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")

    def changes(
        self, roots: str | Script, module: str, old: str, new: str, **options: object
    ) -> bool:
        """Edit a module, and tell whether a digest changes by it."""
        before = self.codebase.digest_of([roots], **options)
        assert before == self.codebase.digest_of([roots], **options)
        self.edit(module, old, new)
        return before != self.codebase.digest_of([roots], **options)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path)


MODULE = '''"""Doc."""

from __future__ import annotations

import dataclasses
import functools
import math

SIZE = 3
"""Doc of a constant."""
UNUSED = 4
if SIZE > 2:
    try:
        from math import tau as turn
    except ImportError:
        turn = 6.28


@dataclasses.dataclass
class Shape:
    """Doc."""

    sides: int = 4

    @property
    def corners(self) -> int:
        return self.sides


def helper(value: Shape) -> float:
    """Doc."""
    return math.sqrt(value.sides)  # a comment


@functools.cache
def used() -> float:
    """Doc."""
    half: float = turn / 2
    return helper(Shape()) + SIZE * half


def sibling() -> int:
    return UNUSED


async def waiting() -> int:
    pass
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # a comment", ""),
        ('"""Doc."""\n\nfrom', '"""Another doc."""\n\nfrom'),
        ('    """Doc."""\n    half', "    half"),
        ('    """Doc."""\n\n    sides', "    # no doc\n    sides"),
        ('"""Doc of a constant."""', ""),
        (
            "helper(Shape()) + SIZE * half",
            "(\n        helper(Shape())\n        + SIZE * half\n    )",
        ),
        ("value: Shape) -> float", "value) -> int"),
        ("half: float =", "half ="),
        ("def corners(self) -> int:", "def corners(self):"),
        ("return UNUSED", "return UNUSED + 1"),
        ("UNUSED = 4", "UNUSED = 5"),
        ("async def waiting() -> int:\n    pass", "class New:\n    pass"),
        ("import math\n", "import math\nimport json\n"),
    ],
)
def test_what_cannot_change_a_result_does_not_count(package: Package, old: str, new: str) -> None:
    package.write("lab.shapes", MODULE)
    assert not package.changes("lab.shapes:used", "lab.shapes", old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SIZE = 3", "SIZE = 5"),
        ("tau as turn", "pi as turn"),
        ("turn = 6.28", "turn = 6.283"),
        ("if SIZE > 2", "if SIZE > 1"),
        ("sides: int = 4", "sides: int = 5"),
        ("sides: int = 4", "sides: int = 4\n    angle: float = 1"),
        ("sides: int = 4", "sides: InitVar[int] = 4"),
        ("@dataclasses.dataclass\n", "@dataclasses.dataclass(frozen=True)\n"),
        ("@functools.cache\n", ""),
        ("math.sqrt", "math.cbrt"),
        ("import math\n", "import numpy as math\n"),
        ("helper(Shape())", "2 * helper(Shape())"),
        ("value.sides)", "value.corners)"),
        ("from __future__ import annotations\n", ""),
    ],
)
def test_what_a_function_uses_counts(package: Package, old: str, new: str) -> None:
    package.write("lab.shapes", MODULE)
    assert package.changes("lab.shapes:used", "lab.shapes", old, new)


def test_everything_in_a_module_that_is_named_whole_counts(package: Package) -> None:
    package.write("lab.shapes", MODULE)
    assert package.changes("lab.shapes", "lab.shapes", "return UNUSED", "return UNUSED + 1")
    assert not package.changes("lab.shapes", "lab.shapes", "  # a comment", "")


def test_what_a_module_imports_for_others_counts_where_it_is_named_whole(
    package: Package,
) -> None:
    package.write("lab", "from lab.values import RATE\n")
    package.write("lab.values", "RATE = 0.1\nOTHER = 1\n")
    assert package.changes("lab", "lab.values", "RATE = 0.1", "RATE = 0.2")
    assert not package.changes("lab", "lab.values", "OTHER = 1", "OTHER = 2")


IMPORTS = [
    ("from lab.values import RATE", "RATE"),
    ("from lab.values import RATE as rate", "rate"),
    ("from lab import values", "values.RATE"),
    ("from lab import values as v", "v.RATE"),
    ("import lab.values", "lab.values.RATE"),
    ("import lab.values as v", "v.RATE"),
    ("import os, lab.values as v", "v.RATE"),
    ("from .values import RATE", "RATE"),
    ("from . import values", "values.RATE"),
    ("from lab.values import *", "RATE"),
    ("try:\n    from lab.values import RATE\nexcept ImportError:\n    RATE = 0", "RATE"),
    ("import lab.values\nvalues = lab.values", "values.RATE"),
    ("from lab import values", "getattr(values, 'RATE')"),
    ("from lab import values", "vars(values)['RATE']"),
    ("import lab.values", "getattr(lab, 'values').RATE"),
    ("import lab\ndef late():\n    import lab.values", "[late(), getattr(lab, 'values').RATE]"),
    ("from lab import values\nmodules = [values]", "modules[0].RATE"),
    ("import importlib\nvalues = importlib.import_module('lab.values')", "values.RATE"),
    ("import importlib", "importlib.import_module('lab.' + 'values').RATE"),
    ("import sys, lab.values", "sys.modules['lab.values'].RATE"),
    ("from lab.values import RATE", "eval('RATE')"),
    ("from lab.values import RATE", "globals()['RATE']"),
    ("import builtins\nfrom lab.values import RATE", "builtins.eval('RATE')"),
    ("from lab.values import RATE\nclass Base:\n    rate = RATE", "Base.rate"),
    ("from lab.values import RATE\nfind = lambda: RATE", "find()"),
    ("from lab.values import RATE\ndef find(rate=RATE):\n    return rate", "find()"),
    ("from lab.values import RATE", "[RATE for x in range(3)][0]"),
    ("from lab import values", "[values for values in [values.RATE]][0]"),
    ("from lab.between import again", "again"),
    ("from lab.between import rates", "rates.RATE"),
    ("import lab.between", "lab.between.rates.RATE"),
    ("from lab.between import *", "again"),
    ("from lab.between import *", "rates.RATE"),
]


@pytest.mark.parametrize(("imports", "use"), IMPORTS)
def test_a_constant_of_another_module_counts_however_it_is_imported(
    package: Package, imports: str, use: str
) -> None:
    package.write("lab.values", "RATE = 0.1\nOTHER = 1\n")
    package.write(
        "lab.between", "from lab import values as rates\nfrom .values import RATE as again\n"
    )
    package.write("lab.networks", f"{imports}\n\ndef build():\n    return {use}\n")
    assert package.changes("lab.networks:build", "lab.values", "RATE = 0.1", "RATE = 0.2")


@pytest.mark.parametrize(
    ("imports", "use"),
    # Python allows no star there, and does not make the name a global one.
    [case for case in IMPORTS if "*" not in case[0] and "globals" not in case[1]],
)
def test_an_import_inside_a_function_counts_too(package: Package, imports: str, use: str) -> None:
    package.write("lab.values", "RATE = 0.1\nOTHER = 1\n")
    package.write(
        "lab.between", "from lab import values as rates\nfrom .values import RATE as again\n"
    )
    body = textwrap.indent(f"{imports}\nreturn {use}\n", "    ")
    package.write("lab.networks", f"def build():\n{body}")
    assert package.changes("lab.networks:build", "lab.values", "RATE = 0.1", "RATE = 0.2")


@pytest.mark.parametrize(
    ("imports", "use"),
    [
        case
        for case in IMPORTS
        if not re.search("getattr|vars|modules|importlib|eval|globals|= lab", "".join(case))
    ],
)
def test_what_is_not_used_of_an_imported_module_does_not_count(
    package: Package, imports: str, use: str
) -> None:
    package.write("lab.values", "RATE = 0.1\nOTHER = 1\n")
    package.write(
        "lab.between", "from lab import values as rates\nfrom .values import RATE as again\n"
    )
    package.write("lab.networks", f"{imports}\n\ndef build():\n    return {use}\n")
    assert not package.changes("lab.networks:build", "lab.values", "OTHER = 1", "OTHER = 2")


def test_a_name_of_a_function_is_not_the_modules(package: Package) -> None:
    package.write("lab.data", "def load(): return 1\n")
    package.write(
        "lab.networks",
        """
        from lab import data

        def build(data):
            return data

        def sizes(rows):
            return [data.size for data in rows]
        """,
    )
    assert not package.changes("lab.networks:build", "lab.data", "return 1", "return 2")
    assert not package.changes("lab.networks:sizes", "lab.data", "return 2", "return 3")


@pytest.mark.parametrize("used", ["'matplotlib' in sys.modules", "sys.modules['matplotlib']"])
def test_asking_for_a_module_by_its_name_reads_no_other(package: Package, used: str) -> None:
    package.write("lab.values", "RATE = 1\n")
    package.write("lab.networks", f"import sys, lab.values\ndef build(): return {used}\n")
    assert not package.changes("lab.networks:build", "lab.values", "RATE = 1", "RATE = 2")


def test_a_name_that_takes_a_submodules_place_is_not_the_submodule(package: Package) -> None:
    package.write("lab", "from lab.rate import rate\n")
    package.write("lab.rate", "OTHER = 1\ndef rate(): return 2\n")
    package.write("lab.networks", "import lab\ndef build(): return lab.rate()\n")
    assert not package.changes("lab.networks:build", "lab.rate", "OTHER = 1", "OTHER = 2")
    assert package.changes("lab.networks:build", "lab.rate", "return 2", "return 3")


@pytest.mark.parametrize(
    "function",
    [
        """
        def build(values):
            def rate():
                global values
                return values.RATE
        """,
        """
        def build():
            from lab import values
            def rate():
                nonlocal values
                return values.RATE
        """,
        """
        def build(values):
            def use():
                global values
                from lab import values
            use()
        """,
        """
        class Build:
            def values(self):
                return values.RATE
        build = Build().values
        """,
        """
        def build():
            class Build:
                from lab import values
            return Build.values.RATE
        """,
    ],
)
def test_whose_a_name_is_follows_python(package: Package, function: str) -> None:
    package.write("lab.values", "RATE = 1\n")
    package.write("lab.networks", f"from lab import values\n{textwrap.dedent(function)}")
    assert package.changes("lab.networks:build", "lab.values", "RATE = 1", "RATE = 2")


@pytest.mark.parametrize(
    "statement",
    [
        "TABLE['rate'] = 1",
        "TABLE.update(rate=1)",
        "Table.rate = 1",
        "for key in ['rate']:\n    TABLE[key] = 1",
        "if TABLE == {}:\n    TABLE['rate'] = 1",
        "with open('/dev/null') as file:\n    RATE = 1",
        "COUNT += 1",
        "del COUNT, TABLE['1']",
        "@register(1)\ndef found(): ...",
        "@register(1)\nclass Found: ...",
        "class Found(metaclass=Table, rate=1): ...",
        "class Found(Noticing):\n    rate = 1",
        "class Found:\n    TABLE['rate'] = 1",
        "class Found:\n    @register(1)\n    def method(self): ...",
        "_ = register(1)",
        "assert register(1)",
        "while COUNT < 1:\n    break",
        "import pandas.api1",
    ],
)
def test_a_statement_with_an_effect_counts_where_nothing_else_of_its_module_is_used(
    package: Package, statement: str
) -> None:
    start = """
        TABLE = {}
        COUNT = 0
        class Table(type): ...
        class Noticing:
            def __init_subclass__(cls): TABLE[cls] = 1
        def register(value):
            return TABLE.setdefault
        """
    package.write("lab.tables", textwrap.dedent(start) + statement)
    package.write("lab.between", "import lab.tables\n")
    package.write("lab.networks", "import lab.between\n\ndef build(): return 2\n")
    new = statement.replace("1", "3")
    assert package.changes("lab.networks:build", "lab.tables", statement, new)


def test_what_an_effect_uses_counts(package: Package) -> None:
    package.write("lab.rates", "def rate(): return 1\n")
    package.write("lab.tables", "from lab.rates import rate\nprint(rate())\n")
    package.write("lab.networks", "import lab.tables\n\ndef build(): return 2\n")
    assert package.changes("lab.networks:build", "lab.rates", "return 1", "return 2")


def test_importing_a_module_imports_its_parents(package: Package) -> None:
    package.write("lab", "print(1)\n")
    package.write("lab.parts.__init__", "print(2)\n")
    package.write("lab.parts.one", "RATE = 1\nprint(3)\n")
    package.write("lab.networks", "from lab.parts.one import RATE\n\ndef build(): return RATE\n")
    for module, text in (("lab", "1"), ("lab.parts.__init__", "2"), ("lab.parts.one", "3")):
        call = f"print({text})"
        assert package.changes("lab.networks:build", module, call, "print(4)")


def test_a_class_counts_whose_base_in_another_module_notices_it(package: Package) -> None:
    package.write("lab.bases", "class Base:\n    def __init_subclass__(cls): print(cls)\n")
    package.write("lab.middle", "from lab.bases import Base as B\nclass Middle(B): ...\n")
    package.write("lab.last", "from lab import middle\nclass Last(middle.Middle):\n    rate = 1\n")
    package.write("lab.networks", "import lab.last\n\ndef build(): return 2\n")
    assert package.changes("lab.networks:build", "lab.last", "rate = 1", "rate = 2")


@pytest.mark.parametrize(
    "code",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lab.values import RATE\n",
        "if __name__ == '__main__':\n    from lab.values import RATE\n    print(RATE)\n",
        "from __future__ import annotations\nfrom lab import values\ndef f(x: values.RATE): ...\n",
    ],
)
def test_what_is_not_executed_is_not_used(package: Package, code: str) -> None:
    package.write("lab.values", "RATE = 1\nprint('imported')\n")
    package.write("lab.networks", f"{code}\ndef build(): return 2\n")
    assert not package.changes("lab.networks", "lab.values", "RATE = 1", "RATE = 2")


def test_annotations_that_are_evaluated_are_used(package: Package) -> None:
    package.write("lab.values", "class Rate:\n    low = 1\n")
    package.write(
        "lab.networks", "from lab.values import Rate\n\ndef build(rate: Rate): return 2\n"
    )
    assert package.changes("lab.networks:build", "lab.values", "low = 1", "low = 2")
    assert package.changes("lab.networks:build", "lab.networks", ": Rate", ": print(1)")


def test_annotations_count_where_a_decorator_may_read_them(package: Package) -> None:
    code = """
        from __future__ import annotations
        import functools

        @functools.singledispatch
        def area(shape): return 0

        @area.register
        def _(shape: int): return 1
        """
    package.write("lab.shapes", code)
    assert package.changes("lab.shapes:area", "lab.shapes", "shape: int", "shape: float")


def test_modules_that_import_each_other_are_followed(package: Package) -> None:
    package.write(
        "lab.one", "from lab.two import *\nfrom lab import two\ndef f(): return two.g()\n"
    )
    package.write(
        "lab.two", "from lab.one import *\nfrom lab import one\ndef g(): return one.h()\n"
    )
    package.edit("lab.one", "def f()", "def h(): return 1\ndef f()")
    assert package.changes("lab.one:f", "lab.one", "return 1", "return 2")
    assert not package.changes("lab.one:h", "lab.two", "one.h()", "one.f()")


def test_a_digest_does_not_depend_on_the_order_of_sets(package: Package) -> None:
    for number in range(6):
        others = "".join(f"from lab.m{(number + step) % 6} import *\n" for step in (1, 2, 4))
        code = f"{others}def f{number}(): return f{(number + 1) % 6}() + g{number} + len([nothing])"
        package.write(f"lab.m{number}", f"{code}\ng{number} = {number}\nunused = 1\n")
    code = f"""
        from pathlib import Path
        from evergreen.sources import Codebase
        codebase = Codebase({{"lab": Path({str(package.root)!r})}})
        roots = [f"lab.m{{number}}:f{{number}}" for number in range(6)]
        print(*(codebase.digest_of([root]) for root in [*roots, "lab.m0"]))
        """
    found = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(found) == 1


TEXTS = [
    "raise ValueError('1')",
    "raise errors.RateError(f'1 {rate}')",
    "raise ValueError('1 %s' % rate)",
    "raise ValueError('1 ' + str(rate))",
    "raise ValueError(', '.join(['1']))",
    "raise ValueError('1 {}'.format(rate)) from None",
    "assert rate, '1'",
    "warnings.warn('1', stacklevel=2)",
    "_log.warning('1 %s', rate)",
    "logging.getLogger(__name__).name; logging.info('1')",
]


@pytest.mark.parametrize("statement", TEXTS)
def test_texts_count_only_if_they_are_asked_for(package: Package, statement: str) -> None:
    code = "import logging, warnings\n_log = logging.getLogger()\ndef check(rate):\n"
    new = statement.replace("1", "2", 1)
    for texts in (True, False):
        package.write("lab.checks", f"{code}    {statement}\n")
        assert (
            package.changes("lab.checks:check", "lab.checks", statement, new, texts=texts) == texts
        )


@pytest.mark.parametrize(
    "looking",
    [
        "try: check(1)\n    except ValueError as error: return str(error)",
        "try: check(1)\n    except ValueError as error:\n        if 'x' in error.args: raise",
        "try: check(1)\n    except ValueError: return traceback.format_exc()",
        "try: check(1)\n    except ValueError: return sys.exc_info()",
        "with warnings.catch_warnings(record=True) as caught: return caught",
        "return pool.submit(check).exception()",
    ],
)
def test_texts_count_where_code_looks_at_them(package: Package, looking: str) -> None:
    package.write("lab.checks", "def check(rate):\n    raise ValueError('1')\n")
    start = "import sys, traceback, warnings\nfrom lab.checks import check\n"
    package.write("lab.networks", f"{start}def build():\n    check(2)\n    {looking}\n")
    root = "lab.networks:build"
    assert package.changes(root, "lab.checks", "'1'", "'2'", texts=False)


def test_a_text_that_is_data_counts(package: Package) -> None:
    package.write("lab.checks", "def check(rate):\n    return f'rate {rate}'\n")
    assert package.changes("lab.checks:check", "lab.checks", "'rate", "'Rate", texts=False)


REFUSALS = [
    "if rate < 1: raise ValueError('no')",
    "if rate < 1:\n        text = f'no {rate}'\n        raise ValueError(text)",
    "if rate < 1: raise refused(rate)",
    "if not isinstance(rate, float) or not math.isfinite(rate): raise TypeError(1)",
    "assert rate > 1",
    "for _ in 'ab':\n        if rate < 1: raise ValueError",
]


@pytest.mark.parametrize("statement", REFUSALS)
def test_refusals_count_only_if_they_are_asked_for(package: Package, statement: str) -> None:
    start = "import math\ndef refused(rate): return ValueError(rate)\ndef check(rate):\n    "
    new = statement.replace("1", "2", 1)
    for refusals in (True, False):
        package.write("lab.checks", f"{start}{statement}\n    return rate\n")
        root = "lab.checks:check"
        changed = package.changes(root, "lab.checks", statement, new, refusals=refusals)
        assert changed == refusals


@pytest.mark.parametrize(
    "statement",
    [
        "if (low := rate - 1) < 0: raise ValueError(low)",
        "if stack.pop() < 1: raise ValueError",
        "if next(rates, 1): raise ValueError",
        "assert stack.pop() > 1",
        "if rate < 1: raise StopIteration",
        "if rate < 1: raise KeyError(rate)",
        "if rate < 1: raise",
        "if rate < 1: raise error",
        "if rate < 1:\n        stack.pop()\n        raise ValueError",
        "if rate < 1: raise ValueError\n    else: rate = 2",
        "if rate < 1: raise keras.errors.Interruption",
    ],
)
def test_a_guard_that_does_more_than_refuse_counts(package: Package, statement: str) -> None:
    package.write("lab.checks", f"def check(rate, error):\n    {statement}\n    return rate\n")
    new = statement.replace("1", "2", 1) if "1" in statement else statement.replace("0", "3")
    assert package.changes("lab.checks:check", "lab.checks", statement, new, refusals=False)


@pytest.mark.parametrize(
    "going_on",
    [
        "try: return check(1)\n    except ValueError: return 0",
        "try: return check(1)\n    except Exception: pass",
        "try: return check(1)\n    except: return 0",
        "try: return check(1)\n    except REFUSED: return 0",
        "try: return check(1)\n    finally: return 0",
        "with contextlib.suppress(ValueError): return check(1)",
        "with forgiving: return check(1)",
        "try: return translated()\n    except OSError: return 0",
        "try: return path(1)\n    except ValueError: return 0",
        "try: return path.train()\n    except ValueError: return 0",
        "try: return sum(path)\n    except ValueError: return 0",
        "try: return [size for size in path]\n    except ValueError: return 0",
        "try: return nested(path)\n    except ValueError: return 0",
        "try: return map(nested, 'ab')\n    except ValueError: return 0",
        "try: return path / checks.check\n    except ValueError: return 0",
        "try: yield\n    except ValueError: return 0",
        "try: from lab.checks import checked\n    except ValueError: checked = 0",
    ],
)
def test_refusals_count_where_code_goes_on_after_them(package: Package, going_on: str) -> None:
    package.write(
        "lab.checks", "class Refused(ValueError): ...\ndef check(rate):\n    return rate\n"
    )
    package.edit("lab.checks", "    return", "    if rate < 5: raise Refused\n    return")
    start = """
        import contextlib
        from lab import checks
        from lab.checks import Refused, check
        def nested(path):
            return check(path)
        REFUSED = (Refused,)
        class Forgiving:
            def __enter__(self): ...
            def __exit__(self, *_): return True
        forgiving = Forgiving()
        def translated():
            try: return check(1)
            except ValueError as error: raise OSError from error
        def build(path):
            check(2)
        """
    package.write("lab.networks", f"{textwrap.dedent(start)}    {going_on}\n")
    root = "lab.networks:build"
    assert package.changes(root, "lab.checks", "rate < 5", "rate < 6", refusals=False)


def test_an_exception_of_pythons_own_protocols_refuses_nothing(package: Package) -> None:
    code = """
        class Missing(KeyError): ...
        class Table:
            def __missing__(self, key):
                if key < 1: raise KeyError
            def check(self, key):
                if key > 7: raise ValueError
        class Tables(Table):
            def __missing__(self, key):
                if key < 3: raise Missing
        """
    package.write("lab.tables", code)
    options = {"refusals": False}
    assert package.changes("lab.tables:Table", "lab.tables", "key < 1", "key < 2", **options)
    assert not package.changes("lab.tables:Table", "lab.tables", "key > 7", "key > 8", **options)
    assert package.changes("lab.tables:Tables", "lab.tables", "key < 3", "key < 4", **options)


def test_a_builtin_that_a_star_may_hide_may_do_anything(package: Package) -> None:
    package.write("lab.types", "SEEN = []\ndef isinstance(*values): SEEN.append(values)\n")
    code = "from lab.types import *\ndef check(x):\n    if isinstance(x, 1): raise ValueError\n"
    package.write("lab.checks", code)
    assert package.changes("lab.checks:check", "lab.checks", "x, 1", "x, 2", refusals=False)


def test_a_refusal_of_a_module_counts_where_code_does_without_the_module(package: Package) -> None:
    package.write("lab.fast", "SIZE = 3\nif SIZE < 2: raise ImportError\n")
    package.write("lab.networks", "try: import lab.fast\nexcept ImportError: FAST = 0\n")
    assert package.changes("lab.networks:FAST", "lab.fast", "< 2", "< 4", refusals=False)


@pytest.mark.parametrize(
    "refusing",
    [
        "try: return check(1)\n    except ValueError as error: raise OSError from error",
        "try: return check(1)\n    except ImportError: return 0",
        "try: text = path.read_text()\n    except ValueError: text = 0\n    return check(text)",
        "try: found = json.loads(path.read_text()) == sizes(path)\n    except Exception: found = 0",
        "with contextlib.suppress(ValueError): path.unlink()",
        "with contextlib.suppress(ImportError): return check(1)",
    ],
)
def test_refusals_do_not_count_where_nothing_goes_on_after_them(
    package: Package, refusing: str
) -> None:
    package.write(
        "lab.checks", "class Refused(ValueError): ...\ndef check(rate):\n    return rate\n"
    )
    package.edit("lab.checks", "    return", "    if rate < 5: raise Refused\n    return")
    start = """
        import contextlib, json
        from lab.checks import check
        def sizes(path):
            return {file.stem: len(file.read_bytes()) for file in sorted(path.glob("*"))}
        def build(path):
            check(2)
        """
    package.write("lab.networks", f"{textwrap.dedent(start)}    {refusing}\n")
    root = "lab.networks:build"
    assert not package.changes(root, "lab.checks", "rate < 5", "rate < 6", refusals=False)


@pytest.mark.parametrize(("kind", "counts"), [("OSError", False), ("ValueError", True)])
def test_what_a_function_returns_is_what_its_refusal_raises(
    package: Package, kind: str, counts: bool
) -> None:
    code = f"""
        def uncovered(): return ValueError("no")
        def check(rate):
            if rate < 5: raise uncovered()
        def build(rate):
            try: check(rate)
            except {kind}: return 0
        """
    package.write("lab.checks", code)
    root = "lab.checks:build"
    assert package.changes(root, "lab.checks", "rate < 5", "rate < 6", refusals=False) == counts


@pytest.mark.parametrize(
    "statement",
    [
        "try: open('x')\n    except OSError as error: return error.errno == 2",
        "warnings.filterwarnings('ignore', 'A worker')",
        "try: check(1)\n    except ValueError as error: raise OSError(f'{error}') from error",
        "try: check(1)\n    except ValueError as error: logging.info('no: %s', error)",
    ],
)
def test_texts_do_not_count_where_code_only_passes_them_on(
    package: Package, statement: str
) -> None:
    package.write("lab.checks", "def check(rate):\n    raise ValueError('1')\n")
    start = "import logging, warnings\nfrom lab.checks import check\n"
    package.write("lab.networks", f"{start}def build():\n    check(2)\n    {statement}\n")
    assert not package.changes("lab.networks:build", "lab.checks", "'1'", "'2'", texts=False)


def test_what_only_a_text_or_a_refusal_uses_does_not_count(package: Package) -> None:
    code = """
        def advice(): return 'restore it'
        def check(rate):
            if rate > 3:
                raise ValueError(f'Too large: {advice()}')
            if isinstance(rate, str):
                raise TypeError(f'A text: {advice()}')
            elif rate < 1:
                print(rate)
            raise OSError(f'Gone: {advice()}')
        """
    package.write("lab.checks", code)
    root, options = "lab.checks:check", {"texts": False, "refusals": False}
    assert not package.changes(root, "lab.checks", "'restore", "'get", **options)
    assert not package.changes(root, "lab.checks", "'get", "'restore", texts=False)
    assert package.changes(root, "lab.checks", "'restore", "'get", refusals=False)


def test_a_resolved_module_counts_only_as_far_as_the_caller_names_it(package: Package) -> None:
    networks = "from lab.rates import RATE\ndef one(): return RATE\ndef two(): return 2\nprint(1)\n"
    package.write("lab.rates", "RATE = 1\n")
    package.write("lab.networks", networks)
    trainer = "from lab import networks\ndef train(name): return getattr(networks, name)()\n"
    package.write("lab.trainer", trainer)

    def digest() -> str:
        roots = ["lab.trainer:train", "lab.networks:one"]
        return package.codebase.digest_of(roots, resolved=["lab.networks"])

    before = digest()
    package.edit("lab.networks", "return 2", "return 3")
    assert digest() == before
    package.edit("lab.rates", "RATE = 1", "RATE = 2")
    assert digest() != before
    before = digest()
    package.edit("lab.networks", "print(1)", "print(2)")
    assert digest() != before
    package.edit("lab.trainer", "(name)", "(name, _=0)")
    assert package.changes("lab.trainer:train", "lab.networks", "return 3", "return 4")


def test_a_single_name_can_be_resolved(package: Package) -> None:
    package.write("lab.tables", "TABLE = {'a': 1}\ndef find(name): return TABLE[name]\n")
    root = "lab.tables:find"
    assert not package.changes(root, "lab.tables", ": 1", ": 2", resolved=["lab.tables:TABLE"])
    assert package.changes(
        root, "lab.tables", "[name]", "[str(name)]", resolved=["lab.tables:TABLE"]
    )


@pytest.mark.parametrize(
    "code",
    [
        "from lab import data\ndata.load()",
        "from lab.data import load\nload()",
        "def later():\n    from lab import data\n    return data.load()",
        "import helper\nhelper.load()",
        "%time lab.data.load()\nimport lab.data",
        "%%time\nfrom lab import data\ndata.load()",
        "from lab import data\n%timeit -n 3 data.load()",
        "from lab import data\nx = %timeit -o data.load()",
        "%run helper.py",
        "from lab.data import load\nawait load()",
    ],
)
def test_what_a_lesson_uses_counts(package: Package, code: str) -> None:
    package.write("lab.data", "def load():\n    return 1\ndef other():\n    return 3\n")
    package.write("helper", "from lab.data import load\n")
    lesson = Script(TransformerManager().transform_cell(code))
    assert package.changes(lesson, "lab.data", "return 1", "return 2")
    if "%run" not in code and "-o" not in code:
        assert not package.changes(lesson, "lab.data", "return 3", "return 4")


def test_a_lessons_own_code_counts_but_not_its_comments(package: Package) -> None:
    def digest(code: str) -> str:
        return package.codebase.digest_of([Script(code)])

    assert digest("x = 1  # one\n") == digest("x = 1\n")
    assert digest("x = 1\n") != digest("x = 2\n")
    assert digest("if __name__ == '__main__': print(1)") != digest("")


@pytest.mark.parametrize(
    "code",
    [
        "help(data.load)",
        "import inspect as i\nprint(i.getsource(data.load))",
        "from inspect import getsource as g\nprint(g(data.load))",
        "print(data.load.__doc__)",
        "data.load?",
        "data.load??",
        "data.show()",
    ],
)
def test_comments_and_docstrings_count_where_code_shows_them(package: Package, code: str) -> None:
    package.write(
        "lab.data",
        '''
        def load():
            """Doc."""  # a comment

        def show():
            help(load)
        ''',
    )
    lesson = Script(TransformerManager().transform_cell(f"from lab import data\n{code}"))
    assert package.changes(lesson, "lab.data", "Doc.", "Another doc.")
    assert package.changes(lesson, "lab.data", "a comment", "another comment")


def test_a_module_beside_a_lesson_is_found_and_can_be_a_package(package: Package) -> None:
    package.write("helper", "def rate(): return 1\n")
    package.write("parts.one", "RATE = 1\n")
    lesson = Script("import helper\nfrom parts import one\nprint(helper.rate(), one.RATE)")
    assert package.changes(lesson, "helper", "return 1", "return 2")
    assert package.changes(lesson, "parts.one", "RATE = 1", "RATE = 2")


def test_the_files_of_all_modules_on_the_way_are_known(package: Package) -> None:
    for module in ("lab.one", "lab.two", "lab.three", "helper"):
        package.write(module, "")
    package.write("lab.one", "from lab import two\ndef f():\n    import lab.three\n")
    lesson = Script("import helper, numpy\nfrom lab import one")
    expected = ["helper", "lab", "lab.one", "lab.two"]
    found = package.codebase.uses_of([lesson]).modules
    assert list(found) == sorted(map(package.path, expected))
    assert package.path("lab.three") in package.codebase.uses_of(["lab.one:f"]).modules


def test_a_package_is_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evergreen_found").mkdir()
    (tmp_path / "evergreen_found" / "__init__.py").write_text("raise SystemExit", "utf-8")
    (tmp_path / "evergreen_single.py").write_text("RATE = 1", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    codebase = Codebase(["evergreen_found", "evergreen_single"])
    codebase.digest_of(["evergreen_found", "evergreen_single:RATE"])
    assert not {"evergreen_found", "evergreen_single"} & sys.modules.keys()


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("lab.nothing", "no module 'lab.nothing' in lab, "),
        ("lab.values.RATE", "no module 'lab.values.RATE'"),
        ("numpy", "no module 'numpy'"),
        ("lab.values:rate", "lab.values defines no 'rate'"),
    ],
)
def test_a_root_that_is_not_there_is_refused_by_name(
    package: Package, root: str, message: str
) -> None:
    package.write("lab.values", "RATE = 1\n")
    with pytest.raises(SourceError, match=message) as refused:
        package.codebase.digest_of([root])
    assert isinstance(refused.value, EvergreenError)


def test_a_resolved_module_or_a_package_that_is_not_there_is_refused(package: Package) -> None:
    with pytest.raises(SourceError, match=r"lab\.nothing"):
        package.codebase.digest_of(["lab"], resolved=["lab.nothing"])
    with pytest.raises(SourceError, match="no_such_package"):
        Codebase(["no_such_package"])
    with pytest.raises(SourceError, match="lab"):
        Codebase({"lab": package.root / "gone"})


def test_what_is_not_python_is_refused_with_file_and_line(package: Package) -> None:
    package.write("lab.broken", "x = 1\ny = = 2\n")
    with pytest.raises(SyntaxError) as refused:
        package.codebase.digest_of(["lab.broken"])
    assert (refused.value.filename, refused.value.lineno) == (str(package.path("lab.broken")), 2)
    with pytest.raises(SyntaxError) as refused:
        package.codebase.digest_of([Script("x = 1\n\nx +", "lessons/first.md")])
    assert (refused.value.filename, refused.value.lineno) == ("lessons/first.md", 3)


def test_an_import_that_finds_nothing_is_left_to_whoever_runs_it(package: Package) -> None:
    lesson = Script("from lab import gone\nimport lab.gone, nowhere\nfrom .. import above")
    before = package.codebase.digest_of([lesson])
    package.write("lab.gone", "print(1)\n")
    assert package.codebase.digest_of([lesson]) != before


def test_a_digest_is_the_sha_256_of_its_parts_and_tells_where_they_end() -> None:
    assert sources.digest("ab", b"c") == hashlib.sha256(b"2:ab1:c").hexdigest()
    assert sources.digest("ab", "c") != sources.digest("a", "bc")


@pytest.fixture
def recalled(package: Package) -> Callable[[], bool]:
    """Ask for what a lesson uses, let that be known, and tell later whether it still is."""
    package.write("lab.one", "import lab.rates\ndef f(): return lab.rates.RATE\n")
    package.write("lab.rates", "RATE = 1\n")
    package.write("helper", "RATE = 1\n")
    roots = [Script("from lab import one\nimport helper, parts.nothing\nprint(one.f())")]
    before = set(sources.remembered())
    package.codebase.uses_of(roots)
    (question,) = set(sources.remembered()) - before
    known = sources.remembered()[question]._replace(digest="as another process has found it")
    del codebase._remembered[question]
    sources.recall({question: known})
    return lambda: package.codebase.digest_of(roots) == known.digest


def test_what_another_process_found_of_the_same_files_is_not_looked_for_again(
    package: Package, recalled: Callable[[], bool]
) -> None:
    (package.lessons / "aside.md").write_text("No module.", "utf-8")
    assert recalled()
    assert recalled()


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("lab.rates", "RATE = 2\n"),
        ("lab.unused", "RATE = 1\n"),
        ("lab.one.__init__", "def f(): return 3\n"),
        ("helper", "RATE = 2\n"),
        ("helper.__init__", "RATE = 1\n"),
        ("lab", "print(1)\n"),
        ("parts", "RATE = 1\n"),
        ("aside", "RATE = 1\n"),
        ("parts.nothing", "RATE = 1\n"),
    ],
)
def test_what_was_found_of_other_files_is_looked_for_again(
    package: Package, recalled: Callable[[], bool], module: str, text: str
) -> None:
    package.write(module, text)
    assert not recalled()


def test_a_folder_in_a_package_is_enough_to_look_again(
    package: Package, recalled: Callable[[], bool]
) -> None:
    (package.root / "rates").mkdir()
    assert not recalled()


def test_a_package_behind_a_link_counts(
    package: Package, recalled: Callable[[], bool], tmp_path: Path
) -> None:
    def changed() -> bool:
        states.append(package.codebase.state())
        return states[-1] != states[-2]

    states = [package.codebase.state()]
    (tmp_path / "elsewhere").mkdir()
    linked, again = package.root / "linked", package.root / "linked_again"
    linked.symlink_to(tmp_path / "elsewhere")
    assert changed()
    assert not recalled()
    (tmp_path / "elsewhere" / "two.py").write_text("RATE = 1\n", "utf-8")
    assert changed()
    again.symlink_to(tmp_path / "elsewhere")
    assert changed()
    (package.root / "round").symlink_to(package.root)
    assert changed()
    assert not changed()
    again.unlink()
    again.symlink_to(package.root)
    assert changed()


def test_a_package_of_a_module_s_name_beside_it_counts(package: Package) -> None:
    single = package.root / "rates.py"
    single.write_text("RATE = 1\n", "utf-8")
    codebase = Codebase({"rates": single})
    before = codebase.digest_of(["rates"])
    package.write("lab.rates.__init__", "RATE = 2\n")
    assert codebase.digest_of(["rates"]) != before


def test_a_lesson_that_imports_by_name_sees_a_new_module_beside_it(package: Package) -> None:
    roots = [Script("import importlib\nfor name in 'ab':\n    importlib.import_module(name)")]
    package.write("a", "print(1)\n")
    before = package.codebase.digest_of(roots)
    package.write("b", "print(2)\n")
    assert package.codebase.digest_of(roots) != before


@pytest.mark.parametrize("module", ["lab.one", "lab.two", "helper", "beside"])
def test_what_was_saved_while_it_was_read_is_not_remembered(
    package: Package, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    package.write("lab.one", "RATE = 1\n")
    package.write("helper", "RATE = 1\n")
    roots = ["lab.one", Script("import helper, beside, lab.two")]
    follow = Reach.follow

    def follow_and_save(reach: Reach) -> None:
        follow(reach)
        package.write(module, "print(2)\n")

    before = set(sources.remembered())
    with monkeypatch.context() as patched:
        patched.setattr(Reach, "follow", follow_and_save)
        read = package.codebase.digest_of(roots)
    assert set(sources.remembered()) == before
    assert package.codebase.digest_of(roots) != read


def test_threads_may_share_a_codebase(package: Package) -> None:
    for number in range(20):
        package.write(f"lab.m{number}", f"from lab import m{(number + 1) % 20}\n{MODULE}")
    roots = [f"lab.m{number}:used" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda root: package.codebase.digest_of([root]), 4 * roots))
    assert found == 4 * [package.codebase.digest_of([root]) for root in roots]


def test_threads_may_ask_at_the_same_time(package: Package) -> None:
    """While one thread parses, garbage is collected, and that lets another thread parse."""
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
            package.codebase.digest_of([Script(f"{20 * MODULE}# {mark}")])
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


class RandomPackage:
    """Modules ``lab.m0`` to ``lab.m4`` of constants and functions that return numbers.

    A function uses constants and earlier functions, and gets them by an import of a random
    kind; the modules also write into each other's tables when they are imported.
    """

    MODULES = ("m0", "m1", "m2", "m3", "m4")

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = folder / "lab"
        self.folder.mkdir()
        self.functions: list[tuple[str, str]] = []
        codes = {name: [f"K = {self.number()}", "TABLE = {0: 0}"] for name in self.MODULES}
        for name in self.MODULES:
            for _ in range(3):
                self.add_function(name, codes[name])
            if name != "m0" and self.random.random() < 0.5:
                self.add_effect(name, codes[name])
        shown = [f"from .{name} import {function}" for name, function in self.functions[-2:]]
        for name, lines in {"__init__": shown, **codes}.items():
            (self.folder / f"{name}.py").write_text("\n".join(lines) + "\n", "utf-8")

    def number(self) -> int:
        return self.random.randrange(1, 100)

    def imported(self, module: str, name: str, by: str) -> tuple[str, str]:
        """Return an import statement, and what then stands for a name of a module."""
        if module == by:
            return "", name
        alias = f"a{len(self.functions)}_{self.number()}"
        kinds = [
            (f"from lab.{module} import {name} as {alias}", alias),
            (f"from .{module} import {name} as {alias}", alias),
            (f"from lab import {module}", f"{module}.{name}"),
            (f"import lab.{module} as {alias}", f"{alias}.{name}"),
            (f"from lab import {module} as {alias}", f"getattr({alias}, {name!r})"),
        ]
        return self.random.choices(kinds, (4, 4, 4, 4, 1))[0]

    def add_function(self, module: str, lines: list[str]) -> None:
        known = [(name, "K") for name in self.MODULES]
        known += [(name, "TABLE[0]") for name in self.MODULES]
        known += 2 * [(name, f"{function}()") for name, function in self.functions]
        terms, inner = [str(self.number())], []
        for other, name in self.random.sample(known, 2):
            plain, rest = re.fullmatch(r"(\w+)(.*)", name).groups()
            statement, term = self.imported(other, plain, module)
            # A module that is imported later, or imports this one, is only there when called.
            at_top = self.MODULES.index(other) < self.MODULES.index(module)
            (lines if at_top and self.random.random() < 0.5 else inner).append(statement)
            terms.append(term + rest)
        name = f"f{len(self.functions)}"
        guard = f"if {terms[1]} == {self.number()}: raise ValueError({self.number()})"
        body = [*inner, guard, f"return {' + '.join(terms)}"]
        lines += [f"def {name}():", *(f"    {line}" for line in body if line)]
        self.functions.append((module, name))

    def add_effect(self, module: str, lines: list[str]) -> None:
        other = self.random.choice(self.MODULES[: self.MODULES.index(module)])
        statement, table = self.imported(other, "TABLE", module)
        lines += [statement, f"{table}[0] = {table}[0] + {self.number()}"]

    def mutate(self) -> None:
        """Change one number."""
        path = self.folder / f"{self.random.choice(self.MODULES)}.py"
        text = path.read_text("utf-8")
        number = self.random.choice(list(re.finditer(r"(?<![\w\[{])\d+(?![\w:])", text)))
        path.write_text(text[: number.start()] + "1" + text[number.start() :], "utf-8")

    def value(self, module: str, function: str) -> int | str:
        """Call a function in a fresh import of the package."""
        for name in [name for name in sys.modules if name.split(".")[0] == "lab"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            return getattr(importlib.import_module(f"lab.{module}"), function)()
        except ValueError as error:
            return str(error)


@pytest.fixture
def fresh_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "lab"]:
        del sys.modules[name]


@pytest.mark.usefixtures("fresh_imports")
@pytest.mark.parametrize("seed", range(8))
def test_no_value_changes_without_its_digest(tmp_path: Path, seed: int) -> None:
    package = RandomPackage(tmp_path, seed)
    codebase = Codebase({"lab": package.folder})

    def found() -> dict[tuple[str, str], tuple[int | str, str]]:
        return {
            (module, function): (
                package.value(module, function),
                codebase.digest_of([f"lab.{module}:{function}"]),
            )
            for module, function in package.functions
        }

    before, values, same = found(), 0, 0
    for _ in range(6):
        package.mutate()
        after = found()
        for root, (value, key) in after.items():
            values += value != before[root][0]
            same += key == before[root][1]
            assert key != before[root][1] or value == before[root][0], root
        before = after
    assert values, "No mutation did anything."
    assert same, "Everything counts."


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lessons").glob("*.md")), ids=lambda path: path.stem
)
def test_every_lesson_of_the_course_has_a_digest(path: Path) -> None:
    cells = read_myst_markdown_notebook(path.read_text("utf-8"), MdParserConfig()).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    lesson = Script("\n".join(map(TransformerManager().transform_cell, sources)), path.name)
    codebase = Codebase({"bnlab": ROOT / "src" / "bnlab"}, [path.parent])
    assert ROOT / "src" / "bnlab" / "__init__.py" in codebase.uses_of([lesson]).modules
    assert re.fullmatch("[0-9a-f]{64}", codebase.digest_of([lesson]))
    assert codebase.digest_of([lesson]) == codebase.digest_of([lesson])
