"""What the packages import, pyproject.toml requires, so that its ranges can be tried."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from website import ROOT

SOURCE = ROOT / "src"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
# What a notebook imports needs no extra: the contracts keep Sphinx out of it.
LIGHT = {
    module.replace(".", "/")
    for contract in SETTINGS["tool"]["importlinter"]["contracts"]
    if "sphinx" in contract.get("forbidden_modules", ())
    for module in contract["source_modules"]
}
OURS = {"bnlab", "evergreen", "benchmarks"}
OF_STUDIES = {"bnlab/runs/cluster"}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def providers() -> dict[str, set[str]]:
    """Return the distributions of each import package."""
    found = importlib.metadata.packages_distributions()
    return {package: {normalized(name) for name in names} for package, names in found.items()}


def imported(path: Path) -> set[str]:
    """Return the packages of others that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    packages = {name.split(".")[0] for name in names}
    return packages - sys.stdlib_module_names - OURS


def required(*extras: str) -> set[str]:
    """Return the distributions that an installation with some extras asks for by name."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    return {
        normalized(re.split(r"[^\w.-]", name, maxsplit=1)[0]) for part in lists for name in part
    }


def within(path: Path, parts: set[str]) -> bool:
    name = path.relative_to(SOURCE).as_posix()
    return any(name in (part, f"{part}.py") or name.startswith(f"{part}/") for part in parts)


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix()
)
def test_every_package_that_a_module_imports_is_required(path: Path) -> None:
    extras = [] if within(path, LIGHT) else ["book"]
    extras += ["study"] if within(path, OF_STUDIES) else []
    missing = {
        package
        for package in imported(path)
        if not providers().get(package, set()) & required(*extras)
    }
    assert not missing


def test_every_package_that_tests_and_tools_import_is_required() -> None:
    paths = [
        path
        for folder in (ROOT / "tests", ROOT / "tools")
        for path in folder.rglob("*.py")
        if path.relative_to(folder).parts[0] != "book"
    ]
    beside = {path.stem for path in paths} | {path.parent.name for path in paths}
    missing = {
        package
        for path in paths
        for package in imported(path) - beside
        if not providers().get(package, set()) & required("book", "study", "test", "dev")
    }
    assert not missing


@pytest.mark.parametrize("extra", [None, *PROJECT["optional-dependencies"]])
def test_every_requirement_has_a_lower_bound(extra: str | None) -> None:
    every = PROJECT["optional-dependencies"] | {None: PROJECT["dependencies"]}
    assert [name for name in every[extra] if ">=" not in name] == []
