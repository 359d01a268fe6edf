"""This checkout as a fork that a teacher publishes: committed, built, and on its branch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from website import ROOT, Build, build, soup

from evergreen.notebooks.branch import publish


class Fork(NamedTuple):
    """A published checkout."""

    project: Path
    site: Build
    commit: str
    """Of the branch ``notebooks``."""

    @property
    def files(self) -> dict[str, str]:
        """The modes of the files on the branch."""
        lines = git(self.project, "ls-tree", "-r", self.commit).splitlines()
        return {line.split("\t")[1]: line.split()[0] for line in lines}


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A teacher", "-c", "user.email=teacher@example.org")
    result = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def fork(folder: Path) -> Fork:
    """Commit a copy of all files of this checkout, changed or not, then build and publish it.

    What the environment says of the repository counts, as in GitHub Actions.
    """
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The course")
    built = build(folder, "-W", "--keep-going")
    assert built.status == 0, built.output
    return Fork(folder, built, publish(folder))


def links(built: Build, name: str) -> dict[str, str]:
    """Return the launch menu of a built page: what each entry says, and where it leads."""
    menus = soup(built.html / f"{name}.html").select(".dropdown-launch-buttons")
    assert len(menus) == 1
    return {link.get_text(strip=True): link["href"] for link in menus[0].select("a")}
