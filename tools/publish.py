"""Commit the built notebooks, beside the project they belong to, to the branch `notebooks`.

Colab opens notebooks on GitHub only, and Binder starts from a branch; this makes the one that
both of them open. The branch holds a single commit: the tree of the commit that was built, with
the notebooks in it and without its workflows. Neither the working tree nor the index is touched,
and nothing is pushed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

BRANCH = "notebooks"
FOLDER = "notebooks"
ROOT = Path(__file__).resolve().parent.parent


def git(root: Path, *arguments: str, **environment: str) -> str:
    result = subprocess.run(
        ["git", "-C", str(root), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        sys.exit(f"publish: git {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def publish(root: Path) -> str:
    """Return the commit that the branch is at now."""
    built = sorted((root / "_build" / "html" / FOLDER).glob("*.ipynb"))
    if not built:
        sys.exit("publish: There are no notebooks in _build/html; call `make site` first.")
    head = git(root, "rev-parse", "HEAD")
    if changed := git(root, "status", "--porcelain", "--untracked-files=no"):
        sys.exit(f"publish: Commit your changes and build again; these are not in it:\n{changed}")
    unlike = [path.name for path in built if head not in path.read_text("utf-8")]
    if unlike:
        sys.exit(
            f"publish: {', '.join(unlike)} were not built from the commit {head[:12]} of a "
            "repository with a known address; set it in _config.yml and call `make site`."
        )
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(root, "read-tree", head, **index)
        # A workflow may not push workflows.
        git(root, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", ".github", **index)
        for path in built:
            blob = git(root, "hash-object", "-w", "--no-filters", str(path))
            entry = f"100644,{blob},{FOLDER}/{path.name}"
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
    git(root, "update-ref", f"refs/heads/{BRANCH}", commit)
    return commit


if __name__ == "__main__":
    print(publish(ROOT))
