"""Scripts that an output would load from another host, from the package that drew it instead.

The package has its script on board, in the version that it needs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evergreen.pages.leftovers import keep_only

FOLDER = "_static/libraries"
"""Where the site has them."""


class _Library(NamedTuple):
    """Scripts that a package has on board.

    Attributes
    ----------
    package : str
        Its import name, and that of its distribution.
    addresses : re.Pattern
        Where its outputs look for a script.
    file : str
        Where the package has it, with the groups of the pattern.
    """

    package: str
    addresses: re.Pattern[str]
    file: str


_LIBRARIES = (
    _Library(
        "plotly",
        re.compile(r"https://cdn\.plot\.ly/plotly(?:-[\w.]+?)??(?:\.min)?(?:\.js)?(?=[\"'])"),
        "package_data/plotly.min.js",
    ),
    _Library(
        "bokeh",
        re.compile(r"https://cdn\.bokeh\.org/bokeh/\w+/(bokeh(?:-[a-z]+)?)-[\w.]+?\.min\.js"),
        r"server/static/js/\1.min.js",
    ),
)
# Of these an output can do without.
_SPARED = (
    # Matplotlib's players; the theme has these icons.
    re.compile(r"<link\b[^>]*\bhref=[\"'][^\"']*/font-awesome/[^>]*>"),
    # What draws formulas in Plotly's labels; `localized` leaves it where there are any.
    re.compile(r"<script\b[^>]*\bsrc=[\"'][^\"']*/mathjax/[^>]*></script>", re.IGNORECASE),
)
_FORMULA = re.compile(r'"\$[^"]+\$"')
_NAMED = re.compile(rf"{FOLDER}/([\w.+-]+/[\w.-]+\.js)")


def localized(text: str, root: str) -> str:
    """Return HTML that takes from the site what a package has on board.

    Parameters
    ----------
    text : str
    root : str
        The way from its page to the site's first folder.
    """
    if not _FORMULA.search(text):
        for pattern in _SPARED:
            text = pattern.sub("", text)
    for library in _LIBRARIES:
        if folder := _folder(library.package):
            for found in reversed(list(library.addresses.finditer(text))):
                address = root + _address(library, found.expand(library.file))
                text = text[: found.start()] + address + text[found.end() :]
            text = _without_copies(text, library, folder, root)
    return text


def uses(text: str) -> bool:
    """Tell whether HTML takes something from there."""
    return FOLDER in text


def publish(text: str, site: Path) -> None:
    """Copy what HTML takes from there into the site."""
    for name in sorted(set(_NAMED.findall(text))):
        source = _sources().get(name)
        copy = site / FOLDER / name
        if source and not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


def keep(pages: Iterable[Path], site: Path) -> None:
    """Delete what no page takes any more."""
    folder = site / FOLDER
    if folder.is_dir():
        texts = (page.read_text("utf-8") for page in pages if page.is_file())
        keep_only(folder, {name for text in texts for name in _NAMED.findall(text)})
        if not any(folder.iterdir()):
            folder.rmdir()


def _without_copies(text: str, library: _Library, folder: Path, root: str) -> str:
    """Replace a whole script that stands in the text itself by its address."""
    if "\\" in library.file or len(text) < 1_000_000:
        return text
    script = (folder / library.file).read_text("utf-8")
    tag = f'<script src="{root}{_address(library, library.file)}">'
    return text.replace(f"<script>{script}</script>", f"{tag}</script>")


def _address(library: _Library, file: str) -> str:
    version = importlib.metadata.version(library.package)
    return f"{FOLDER}/{library.package}-{version}/{Path(file).name}"


@cache
def _folder(package: str) -> Path | None:
    """Return the folder of an installed package, which is not imported for that."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found and found.origin else None


@cache
def _sources() -> dict[str, Path]:
    """Return the file of each script that could be taken, by its path in the site's folder."""
    found = {}
    for library in _LIBRARIES:
        if folder := _folder(library.package):
            pattern = re.sub(r"\\\d", "*", library.file)
            for file in folder.glob(pattern):
                name = _address(library, file.name).removeprefix(f"{FOLDER}/")
                found[name] = file
    return found
