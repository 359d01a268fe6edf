"""Commit the built notebooks, beside the project they belong to, to a branch.

Colab opens notebooks on GitHub only, and Binder starts from a branch; this makes the one that
both of them open. The branch holds a single commit: the tree of the commit that was built, with
the notebooks in it and without its workflows. Neither the working tree nor the index is touched,
and nothing is pushed.

It needs nothing but Python and git: ``python -m evergreen.notebooks.branch``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = "notebooks"
MARK = "built.json"


def git(root: Path, *arguments: str, **environment: str) -> str:
    """Return what a git command prints, or leave with what it says."""
    result = subprocess.run(
        ["git", "-C", str(root), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        sys.exit(f"branch: git {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def publish(root: Path, branch: str = "notebooks", site: str = "_build/html") -> str:
    """Make the branch, and return the commit that it is at now.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder, a checkout.
    branch : str
        As the setting ``evergreen_branch`` names it.
    site : str
        The built site, seen from there.
    """
    notebooks = root / site / FOLDER
    built = sorted(notebooks.rglob("*.ipynb"))
    if not built:
        sys.exit(f"branch: There are no notebooks in {site}; build the book first.")
    head = git(root, "rev-parse", "HEAD")
    if changed := git(root, "status", "--porcelain", "--untracked-files=no"):
        sys.exit(f"branch: Commit your changes and build again; these are not in it:\n{changed}")
    mark = json.loads((notebooks / MARK).read_text("utf-8"))
    if mark["commit"] != head or mark["changed"]:
        sys.exit(f"branch: The notebooks were not built from the commit {head[:12]}; build again.")
    if not mark["repository"]:
        sys.exit(
            "branch: The notebooks do not know the repository's address; set it in _config.yml "
            "and build again."
        )
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(root, "read-tree", head, **index)
        # A workflow may not push workflows.
        git(root, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", ".github", **index)
        for path in built:
            blob = git(root, "hash-object", "-w", "--no-filters", str(path))
            entry = f"100644,{blob},{FOLDER}/{path.relative_to(notebooks).as_posix()}"
            git(root, "update-index", "--add", "--cacheinfo", entry, **index)
        tree = git(root, "write-tree", **index)
    # The same author and date as the commit that was built, so publishing twice changes nothing.
    who = dict(
        line.split("=", 1)
        for line in git(
            root, "show", "--no-patch", "--format=NAME=%an%nEMAIL=%ae%nDATE=%aI", head
        ).splitlines()
    )
    signed = {f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who}
    message = f"Publish the notebooks built from {head}"
    commit = git(root, "commit-tree", tree, "-m", message, **signed)
    git(root, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def main() -> None:
    """Make the branch of the checkout in the current folder."""
    parser = argparse.ArgumentParser(
        prog="python -m evergreen.notebooks.branch", description=__doc__
    )
    parser.add_argument("--branch", default="notebooks", help="its name (%(default)s)")
    parser.add_argument("--site", default="_build/html", help="the built site (%(default)s)")
    options = parser.parse_args()
    print(publish(Path.cwd(), options.branch, options.site))


if __name__ == "__main__":
    main()
