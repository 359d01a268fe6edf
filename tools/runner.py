"""A runner of GitHub Actions, imitated: what it gives a step, and what the actions in use do.

An action is imitated where a later step needs its effect.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from expressions import RehearsalError

SERVER = "https://github.com"
TOKEN = "the-token-of-a-rehearsal"
# What a runner has too, and how this machine reaches the package registries.
KEPT = re.compile(
    r"PATH|HOME|LANG|PIP_.*|UV_.*|npm_config_.*|(?:https?|all|no)_proxy|"
    r"SSL_CERT_(?:FILE|DIR)|(?:REQUESTS|CURL)_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO",
    re.IGNORECASE,
)

Values = dict[str, str]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RehearsalError(f"git {arguments[0]} failed in {folder}: {result.stderr.strip()}")
    return result.stdout.strip()


def github(root: Path, repository: str, workflow: str) -> Values:
    """Return the context ``github`` for a push of a checkout's last commit to main."""
    owner = repository.split("/")[0]
    return {
        "actor": owner,
        "api_url": "https://api.github.com",
        "event_name": "push",
        "ref": "refs/heads/main",
        "ref_name": "main",
        "ref_type": "branch",
        "repository": repository,
        "repository_owner": owner,
        "run_attempt": "1",
        "run_id": "1",
        "run_number": "1",
        "server_url": SERVER,
        "sha": git(root, "rev-parse", "HEAD"),
        "workflow": workflow,
    }


def variables(context: Values, workspace: Path) -> Values:
    """Return the variables that Actions sets in every step."""
    named = {f"GITHUB_{name.upper()}": value for name, value in context.items()}
    return named | {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_OS": "Linux",
    }


class Runner:
    """A new machine for one job; ``shared`` is the folder that all jobs of a workflow share.

    There, ``github`` has the repository that a push goes to, ``artifacts`` and ``cache`` hold
    what one job leaves to another.
    """

    def __init__(
        self, job: str, shared: Path, context: Values, store: Path | None, python: str | None
    ) -> None:
        self.job = job
        self.shared = shared
        self.context = context
        self.store = store
        self.python = python
        self.folder = shared / "jobs" / job
        self.workspace = self.folder / "course"
        self.programs = self.folder / "bin"
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.workspace, self.programs, self.folder / "temp"):
            folder.mkdir(parents=True)

    def environment(self) -> Values:
        """Return the variables of a step: those of Actions, and hardly any of this machine."""
        kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
        return {
            **kept,
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            **variables(self.context, self.workspace),
            "GITHUB_JOB": self.job,
            "RUNNER_TEMP": str(self.folder / "temp"),
            **self._git_settings(),
        }

    def _git_settings(self) -> Values:
        """Return settings of Git: none of the user's, and pushes to GitHub stay here."""
        # Not `insteadOf`, which would also change what Git says of the origin.
        key = f"url.{(self.shared / 'github').as_uri()}/.pushInsteadOf"
        host = SERVER.removeprefix("https://")
        addresses = (f"{SERVER}/", f"https://x-access-token:{TOKEN}@{host}/")
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": str(len(addresses))}
        for number, address in enumerate(addresses):
            settings |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": address}
        return settings

    def check_out(self, _inputs: Values) -> Values:
        repository = self.context["repository"]
        remote = (self.shared / "github" / repository).as_uri()
        # The action's clone is as shallow: nothing may depend on older commits.
        clone = ("clone", "--quiet", "--depth", "1", "--branch", "main", remote)
        git(self.folder, *clone, str(self.workspace))
        git(self.workspace, "remote", "set-url", "origin", f"{SERVER}/{repository}")
        return {}

    def set_up_python(self, inputs: Values) -> Values:
        version = inputs["python-version"]
        name = self.python or f"python{version}"
        found = shutil.which(name, path=f"{sys.base_prefix}/bin") or shutil.which(name)
        if found is None:
            raise RehearsalError(f"There is no {name}; name another Python with --python.")
        for name in ("python", "python3", f"python{version}"):
            program = self.programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(found)} "$@"\n', "utf-8")
            program.chmod(0o755)
        return {}

    def restore_cache(self, inputs: Values) -> Values:
        # One entry per path is enough for one run of the workflow, whatever its key.
        saved = self._cache(inputs)
        source = saved if saved.is_dir() else self.store
        if source is None:
            return {"cache-hit": ""}
        shutil.copytree(source, self.workspace / inputs["path"], symlinks=True)
        return {"cache-hit": "true" if source == saved else "false"}

    def save_cache(self, inputs: Values) -> Values:
        shutil.rmtree(self._cache(inputs), ignore_errors=True)
        shutil.copytree(self.workspace / inputs["path"], self._cache(inputs), symlinks=True)
        return {}

    def _cache(self, inputs: Values) -> Path:
        return self.shared / "cache" / Path(inputs["path"]).name

    def upload_artifact(self, inputs: Values) -> Values:
        source = self.workspace / inputs["path"]
        if not source.is_dir():
            raise RehearsalError(f"The job `{self.job}` has no {inputs['path']} to upload.")
        artifact = self.shared / "artifacts" / inputs["name"]
        shutil.rmtree(artifact, ignore_errors=True)
        # The action leaves hidden files out, too.
        shutil.copytree(source, artifact, ignore=shutil.ignore_patterns(".*"))
        return {}

    def download_artifact(self, inputs: Values) -> Values:
        artifact = self.shared / "artifacts" / inputs["name"]
        if not artifact.is_dir():
            raise RehearsalError(
                f"The job `{self.job}` needs the artifact `{inputs['name']}`; first rehearse the "
                "job that uploads it, in the same folder (--keep FOLDER)."
            )
        shutil.copytree(artifact, self.workspace / inputs["path"], dirs_exist_ok=True)
        return {}

    def configure_pages(self, _inputs: Values) -> Values:
        owner, name = self.context["repository"].lower().split("/")
        host = f"{owner}.github.io"
        return {"base_url": f"https://{host}" if name == host else f"https://{host}/{name}"}


# Each imitation, and the inputs of its action that it uses.
ACTIONS: dict[str, tuple[Callable[[Runner, Values], Values], set[str]]] = {
    "actions/checkout": (Runner.check_out, set()),
    "actions/setup-python": (Runner.set_up_python, {"python-version"}),
    "actions/cache/restore": (Runner.restore_cache, {"path"}),
    "actions/cache/save": (Runner.save_cache, {"path"}),
    "actions/upload-artifact": (Runner.upload_artifact, {"name", "path"}),
    "actions/download-artifact": (Runner.download_artifact, {"name", "path"}),
    "actions/configure-pages": (Runner.configure_pages, set()),
}
