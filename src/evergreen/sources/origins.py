"""Where the names of a module come from, and what is known to have no effect."""

from __future__ import annotations

import ast
import builtins

from evergreen.sources.text import chain

_PURE_DECORATORS = frozenset(
    {
        *("property", "staticmethod", "classmethod", "abc.abstractmethod", "enum.unique"),
        *("contextlib.contextmanager", "contextlib.asynccontextmanager", "dataclasses.dataclass"),
        *("functools.cache", "functools.cached_property", "functools.lru_cache"),
        *("functools.singledispatch", "functools.total_ordering", "functools.wraps"),
        *("typing.final", "typing.no_type_check", "typing.overload", "typing.override"),
        "typing.runtime_checkable",
    }
)
PURE_FUNCTIONS = frozenset(
    {
        *("abs", "all", "any", "bool", "bytes", "callable", "chr", "complex", "dict", "divmod"),
        *("enumerate", "float", "format", "frozenset", "getattr", "hasattr", "int", "isinstance"),
        *("issubclass", "len", "list", "max", "min", "ord", "range", "repr", "reversed", "round"),
        *("set", "slice", "sorted", "str", "sum", "tuple", "type", "zip"),
        *("numpy.all", "numpy.any", "numpy.array_equal", "numpy.isfinite", "numpy.isinf"),
        *("numpy.isnan", "numpy.issubdtype", "numpy.ndim", "numpy.shape", "numpy.size"),
        *("os.path.exists", "os.path.isdir", "os.path.isfile", "dataclasses.is_dataclass"),
    }
)
_PURE_METHODS = frozenset(
    {
        *("all", "any", "endswith", "exists", "is_absolute", "is_dir", "is_file", "isalnum"),
        *("isalpha", "isdecimal", "isdigit", "isdisjoint", "isidentifier", "isspace", "issubset"),
        *("issuperset", "items", "keys", "lower", "max", "min", "startswith", "strip", "sum"),
        *("upper", "values"),
    }
)
_BINDING = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)


class Origins:
    """Where the names of a module come from, as far as its own text tells.

    Attributes
    ----------
    imported : dict of str to str
        What each imported name stands for, with dots.
    bound : set of str
        Every name that is bound otherwise, wherever in the module.
    read : set of str
        Every name that is read.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.imported: dict[str, str] = {}
        self.bound: set[str] = set()
        self.read: set[str] = set()
        self._has_star = False  # which may hide a builtin
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                (self.read if isinstance(node.ctx, ast.Load) else self.bound).add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.bound.add(node.name)
            elif isinstance(node, ast.arg):
                self.bound.add(node.arg)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self._add(node)

    def _add(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._has_star |= alias.name == "*"
            name = alias.asname or alias.name
            origin = alias.name
            if isinstance(node, ast.ImportFrom):
                origin = f"{'.' * node.level}{node.module or ''}.{alias.name}"
            elif not alias.asname:
                name = origin = alias.name.split(".")[0]
            if self.imported.setdefault(name, origin) != origin:
                self.bound.add(name)

    def of(self, node: ast.AST) -> str:
        """Return the dotted name of a builtin or imported object, "" for any other."""
        name, *attributes = chain(node) or ("",)
        if not name or name in self.bound:
            return ""
        is_builtin = hasattr(builtins, name) and not self._has_star
        origin = self.imported.get(name) or (name if is_builtin else "")
        return ".".join([origin, *attributes]) if origin else ""

    def last_name(self, node: ast.AST | None) -> str:
        """Return what an object is called where it is defined, without dots, or ""."""
        names = chain(node)
        if len(names) == 1:
            return self.imported.get(names[0], names[0]).split(".")[-1]
        return names[-1] if names else ""

    def is_pure(self, decorator: ast.expr) -> bool:
        """Tell whether a decorator is known to do nothing but return what it makes."""
        made = decorator.func if isinstance(decorator, ast.Call) else decorator
        accessor = isinstance(made, ast.Attribute) and made.attr in ("setter", "getter", "deleter")
        return accessor or self.of(made) in _PURE_DECORATORS

    def is_inert(self, expression: ast.AST) -> bool:
        """Tell whether evaluating an expression is known to change nothing."""
        return not binds(expression) and all(
            self._changes_nothing(node.func)
            for node in ast.walk(expression)
            if isinstance(node, ast.Call)
        )

    def _changes_nothing(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Attribute) and function.attr in _PURE_METHODS:
            return True
        origin = self.of(function)
        return origin in PURE_FUNCTIONS or origin.startswith("math.")


def binds(expression: ast.AST) -> bool:
    """Tell whether an expression binds a name or waits for something on its way."""
    return any(isinstance(node, _BINDING) for node in ast.walk(expression))
