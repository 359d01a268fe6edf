"""Which classes derive from which, as far as their names tell."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from evergreen.sources.modules import Module
from evergreen.sources.reduction import PROTOCOL, is_class


class Hierarchy:
    """The classes of some modules, by the last part of their names.

    Of two with the same name each counts as having the bases of both.
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self._bases: dict[str, set[str]] = {}
        self._noticing: set[str] = set()
        self._makes: dict[str, set[str]] = {}
        for module in modules:
            for name, bases in module.classes.items():
                self._bases.setdefault(name, set()).update(bases)
            self._noticing |= module.noticing
            for name, classes in module.makes.items():
                self._makes.setdefault(name, set()).update(classes)

    def ancestors(self, name: str) -> set[str]:
        """Return a class with all from which it derives, as far as they are known."""
        found: set[str] = set()
        waiting = {name}
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= (self._bases.get(name, set()) | _builtin(name)) - found
        return found

    def is_noticed(self, name: str) -> bool:
        """Tell whether a class from which another derives may notice its definition."""
        return bool(self._noticing) and not self._noticing.isdisjoint(self.ancestors(name) - {name})

    def may_be_caught(self, name: str, caught: set[str]) -> bool:
        """Tell whether what is raised by a name may be caught by handlers of others.

        Parameters
        ----------
        name : str
            Of an exception, or of a function that returns one.
        caught : set of str
        """
        return any(self._may_be_caught(made, caught) for made in self._made_by(name))

    def _made_by(self, name: str) -> set[str]:
        """Return the exceptions that a name stands for, and functions of which nobody knows."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = {name}
        while waiting:
            name = waiting.pop()
            seen.add(name)
            if is_class(name) or name not in self._makes:
                found.add(name)
            else:
                waiting |= {*self._makes[name]} - seen
        return found

    def _may_be_caught(self, name: str, caught: set[str]) -> bool:
        if not self._is_known(name):
            return True  # another package's, which may catch it
        ancestors = self.ancestors(name)
        if caught and not all(map(self._is_known, ancestors | caught)):
            return True
        return not ancestors.isdisjoint(caught | PROTOCOL)

    def _is_known(self, name: str) -> bool:
        return name in self._bases or bool(_builtin(name))


def _builtin(name: str) -> set[str]:
    """Return the bases of a builtin class, and nothing for other names."""
    found = getattr(builtins, name, None)
    return {base.__name__ for base in found.__mro__} if isinstance(found, type) else set()
