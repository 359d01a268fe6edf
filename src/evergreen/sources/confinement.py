"""Which handlers of exceptions guard nothing but the standard library.

Only what other code raises can be a refusal, so these go on after none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from evergreen.sources.origins import PURE_FUNCTIONS, Origins

# Attributes and methods of texts, numbers, collections, paths, files and digests. They are known
# by their names alone, so none is here that other classes are likely to have as well.
_COMMON = frozenset(
    {
        *("append", "as_posix", "casefold", "decode", "encode", "endswith", "exists", "expanduser"),
        *("extend", "glob", "hexdigest", "is_absolute", "is_dir", "is_file", "is_relative_to"),
        *("is_symlink", "isdecimal", "isdigit", "isidentifier", "items", "iterdir", "join"),
        *("joinpath", "keys", "lower", "lstat", "mkdir", "parent", "parents", "partition"),
        *("read_bytes", "read_text", "relative_to", "removeprefix", "removesuffix", "resolve"),
        *("rglob", "rpartition", "rsplit", "rstrip", "split", "splitlines", "st_mtime", "st_size"),
        *("startswith", "stat", "stem", "strip", "suffix", "touch", "unlink", "upper", "values"),
        *("with_name", "with_suffix", "write_bytes", "write_text"),
    }
)
_ITERATING = frozenset(
    {
        *("all", "any", "dict", "enumerate", "frozenset", "list", "max", "min", "reversed", "set"),
        *("sorted", "sum", "tuple", "zip"),
    }
)
# Of these nothing calls what it is given.
_MODULES = frozenset(
    {
        *("datetime", "errno", "gzip", "hashlib", "importlib.metadata", "importlib.util", "json"),
        *("math", "os", "os.path", "pathlib", "pathlib.Path", "platform", "shutil", "stat"),
        *("struct", "subprocess", "sys", "tempfile", "time", "zlib"),
    }
)
_HARMLESS = (
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context, ast.Constant),
    *(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.While, ast.Pass),
    *(ast.Break, ast.Continue, ast.Return, ast.With, ast.withitem, ast.keyword, ast.Starred),
    *(ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp, ast.NamedExpr, ast.Subscript),
    *(ast.Slice, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.JoinedStr, ast.FormattedValue),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
)


def confined(tree: ast.Module, origins: Origins) -> set[ast.AST]:
    """Return the handlers, and the calls of ``contextlib.suppress``, with such a block."""
    finder = _Finder(tree, origins)
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try | ast.TryStar) and finder.are_confined(node.body):
            found.update(node.handlers)
        elif isinstance(node, ast.With) and finder.are_confined(node.body):
            found.update(item.context_expr for item in node.items)
    return found


class _Finder:
    def __init__(self, tree: ast.Module, origins: Origins) -> None:
        self._origins = origins
        self._functions = {
            part.name: part for part in tree.body if isinstance(part, ast.FunctionDef)
        }
        # A function of the module is known by its name, if nothing else ever has that name.
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                self._functions.pop(node.arg, None)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self._functions.pop(node.id, None)
        self._known: dict[str, bool] = {}

    def are_confined(self, nodes: Iterable[ast.AST]) -> bool:
        return all(map(self._is_confined, nodes))

    def _is_confined(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                if name not in self._known:
                    self._known[name] = True  # as far as it calls itself
                    self._known[name] = self.are_confined(self._functions[name].body)
                return self._known[name] and self.are_confined([*node.args, *node.keywords])
            case ast.Call(func=ast.Name(id=name)):
                origin = self._origins.of(node.func)
                iterates = name in _ITERATING and any(map(_may_be_lazy, node.args))
                if iterates or not (
                    origin in PURE_FUNCTIONS or origin == "open" or _is_known(origin)
                ):
                    return False
            case ast.Call(func=ast.Attribute()):
                pass
            case ast.Name(ctx=ast.Load()):
                origin = self._origins.imported.get(node.id, "")
                known = _is_known(origin) or any(name.startswith(f"{origin}.") for name in _MODULES)
                return node.id not in self._functions and (not origin or known)
            case ast.Attribute():
                if node.attr not in _COMMON and not _is_known(self._origins.of(node)):
                    return False
            case ast.For(iter=source) | ast.comprehension(iter=source) | ast.Starred(value=source):
                if _may_be_lazy(source):
                    return False
            case ast.Assign(targets=[ast.Tuple() | ast.List()], value=source):
                if _may_be_lazy(source):
                    return False
            case _ if not isinstance(node, (*_HARMLESS, ast.Name)):
                return False
        return self.are_confined(ast.iter_child_nodes(node))


def _may_be_lazy(node: ast.expr) -> bool:
    """Tell whether going through an object may run code that is not written here."""
    return isinstance(node, ast.Name | ast.Attribute | ast.Starred)


def _is_known(origin: str) -> bool:
    return origin in _MODULES or origin.rpartition(".")[0] in _MODULES
