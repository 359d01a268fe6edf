"""Where this checkout stands: its commit, and the address that it is published under."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_ON_GITHUB = re.compile(r"(?:https://|(?:ssh://)?git@)github\.com[:/]([^/]+/[^/]+?)(?:\.git)?/?")


def folder(app: Sphinx) -> Path:
    """Return the project's folder: the book's own, or the one above it that has the settings."""
    source = Path(app.srcdir).resolve()
    return source if (source / "_config.yml").is_file() else source.parent


def git(checkout: Path, *arguments: str) -> str | None:
    """Return what a git command prints, or None where it fails."""
    command = ["git", "-C", str(checkout), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def commit(checkout: Path) -> str | None:
    """Return the commit that a checkout is at, or None where git does not know."""
    return git(checkout, "rev-parse", "HEAD")


def repository(checkout: Path, configured: str = "") -> str | None:
    """Return the web address of the repository, or None if nothing tells it.

    GitHub Actions names the repository that it works for, so a fork needs no edit. Then
    comes the address in the book's settings, then an origin on GitHub.

    Parameters
    ----------
    checkout : pathlib.Path
        The project's folder.
    configured : str
        ``repository: url:`` in ``_config.yml``.
    """
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}"
    if configured:
        return configured.rstrip("/")
    origin = _ON_GITHUB.fullmatch(git(checkout, "remote", "get-url", "origin") or "")
    return f"https://github.com/{origin[1]}" if origin else None


def name_on_github(address: str | None) -> str | None:
    """Return ``owner/name`` for an address on GitHub, where Colab and Binder look, else None."""
    parts = urlsplit(address or "")
    return parts.path.strip("/") if parts.netloc == "github.com" else None


def site(configured: str = "") -> str:
    """Return the address that the built site is published at, or an empty text.

    The publishing workflow passes it in ``SITE_ADDRESS``; otherwise it is ``html: baseurl:``
    in ``_config.yml``.
    """
    return os.environ.get("SITE_ADDRESS") or configured
