"""Rehearse the workflow that tests and publishes, without GitHub.

Runs each ``run:`` step of .github/workflows/build.yml, read from that file, as the runner would:
job by job, each in a shallow clone of the last commit with an origin on GitHub, under the
variables that Actions sets and hardly any others. Steps that use an action are imitated where a
later step needs their effect; the others are listed as not rehearsed. What a step pushes to
GitHub goes to a repository in the rehearsal's own folder.
"""

from __future__ import annotations

import argparse
import collections
import graphlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from expressions import RehearsalError, fill, holds
from runner import ACTIONS, TOKEN, Runner, Values, git, github, variables

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = Path(".github") / "workflows" / "build.yml"
# Any other key is refused, for ignoring it could change what a step does.
WORKFLOW_KEYS = {"name", True, "concurrency", "permissions", "jobs"}  # YAML reads `on` as True
JOB_KEYS = {"name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "environment"}
STEP_KEYS = {"name", "id", "if", "uses", "with", "run", "env"}
WITHOUT_EFFECT = {"persist-credentials", "key", "restore-keys", "retention-days"}  # here


def rehearse(root: Path, folder: Path, options: argparse.Namespace) -> None:
    """Run the jobs in a folder, or the one that was asked for, until a step fails."""
    with (root / WORKFLOW).open(encoding="utf-8") as file:
        workflow = yaml.safe_load(file)
    require_known("The workflow", workflow, WORKFLOW_KEYS)
    jobs = workflow["jobs"]
    if options.job not in (None, *jobs):
        raise RehearsalError(f"There is no job `{options.job}`, only {', '.join(jobs)}.")
    context = github(root, options.repository, workflow["name"])
    push_to_github(root, folder / "github" / options.repository)
    needs = {name: job.get("needs", []) for name, job in jobs.items()}
    needs = {name: [need] if isinstance(need, str) else need for name, need in needs.items()}
    skipped = set()
    for name in graphlib.TopologicalSorter(needs).static_order():
        if options.job not in (None, name):
            continue
        job = jobs[name]
        require_known(f"The job `{name}`", job, JOB_KEYS | {"steps"})
        condition = job.get("if", "'always'")
        if not holds(condition, {"github": context}) or skipped & set(needs[name]):
            skipped.add(name)
            print(f"{name}: skipped")
            continue
        runner = Runner(name, folder, context, options.store, options.python)
        run_job(runner, job["steps"])
        if options.keep is None:
            shutil.rmtree(runner.folder)


def push_to_github(root: Path, repository: Path) -> None:
    """Make the repository that GitHub would hold, with a checkout's last commit on main."""
    if not repository.is_dir():
        repository.mkdir(parents=True)
        git(repository, "init", "--quiet", "--bare", "--initial-branch", "main")
    source = ("--depth", "1", root.as_uri(), "+HEAD:refs/heads/main")
    git(repository, "fetch", "--quiet", *source)


def require_known(what: str, mapping: Mapping[Any, Any], known: set[Any]) -> None:
    for key in mapping.keys() - known:
        raise RehearsalError(f"{what} has `{key}`, which the rehearsal does not know.")


def run_job(runner: Runner, steps: list[dict[str, Any]]) -> None:
    outputs: dict[str, dict[str, Values]] = {}
    contexts = {
        "github": runner.context | {"token": TOKEN},
        "runner": {"os": "Linux"},
        "steps": outputs,
    }
    exported: Values = {}
    for step in steps:
        action = step.get("uses", "").split("@")[0]
        label = f"{runner.job}: {step.get('name') or action or step['run'].splitlines()[0]}"
        require_known(f"The step `{label}`", step, STEP_KEYS)
        # Whatever a skipped step would have put out is empty.
        result, values = "skipped", collections.defaultdict(str)
        if holds(step.get("if", "'always'"), contexts):
            if "run" in step:
                print(label, flush=True)
                begun = time.monotonic()
                values = run_script(runner, step, label, contexts, exported)
                minutes, seconds = divmod(int(time.monotonic() - begun), 60)
                result = f"passed in {minutes} min {seconds} s"
            elif action in ACTIONS:
                imitate, known = ACTIONS[action]
                inputs = step.get("with", {})
                require_known(f"The step `{label}`", inputs, known | WITHOUT_EFFECT)
                used = {key: fill(str(inputs[key]), contexts) for key in known & inputs.keys()}
                values = imitate(runner, used)
                result = "imitated"
            else:
                result, values = "not rehearsed", {}
        print(f"{label}: {result}", flush=True)
        if "id" in step:
            outputs[step["id"]] = {"outputs": values}


def run_script(
    runner: Runner,
    step: dict[str, Any],
    label: str,
    contexts: Mapping[str, Any],
    exported: Values,
) -> Values:
    """Run a script as ``shell: bash -e {0}`` does, and return its outputs.

    What it writes to ``GITHUB_ENV`` is added to ``exported``, the variables of later steps.
    """
    files = {name: runner.folder / name for name in ("GITHUB_OUTPUT", "GITHUB_ENV")}
    for path in files.values():
        path.write_text("", "utf-8")
    script = runner.folder / "script.sh"
    script.write_text(fill(step["run"], contexts), "utf-8")
    own = {name: fill(str(value), contexts) for name, value in step.get("env", {}).items()}
    written = {name: str(path) for name, path in files.items()}
    result = subprocess.run(
        ["bash", "-e", str(script)],
        cwd=runner.workspace,
        env=runner.environment() | written | exported | own,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if result.returncode:
        raise RehearsalError(
            f"The step `{label}` failed with status {result.returncode}, see above."
        )
    exported |= read_values(files["GITHUB_ENV"])
    return read_values(files["GITHUB_OUTPUT"])


def read_values(path: Path) -> Values:
    """Return what a step wrote to ``GITHUB_OUTPUT`` or ``GITHUB_ENV``."""
    lines = path.read_text("utf-8").splitlines()
    for line in lines:
        if not re.match(r"[\w-]+=", line):
            raise RehearsalError(f"The rehearsal reads `name=value` in {path.name}, not `{line}`.")
    return dict(line.split("=", 1) for line in lines)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--repository", default="a-teacher/a-course", metavar="OWNER/NAME")
    add("--job", metavar="NAME", help="rehearse this job alone")
    add("--store", type=Path, metavar="FOLDER", help="the results that the cache starts with")
    add("--python", metavar="PROGRAM", help="another Python than the workflow's")
    add("--keep", type=Path, metavar="FOLDER", help="work in this folder and leave it there")
    add("--variables", action="store_true", help="only print the variables that Actions sets")
    options = parser.parse_args(arguments)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", options.repository):
        parser.error(f"--repository takes OWNER/NAME, not {options.repository}.")
    if options.store is not None and not options.store.is_dir():
        parser.error(f"--store {options.store} is not a folder.")
    return options


def main(arguments: list[str] | None = None, root: Path = ROOT) -> None:
    options = parse(arguments)
    try:
        if options.variables:
            context = github(root, options.repository, "Build")
            for name, value in variables(context, root).items():
                print(f"export {name}={shlex.quote(value)}")
            return
        if git(root, "status", "--porcelain"):
            print("rehearse: What is not committed is not rehearsed.")
        with tempfile.TemporaryDirectory(prefix="rehearse-") as temporary:
            rehearse(root, (options.keep or Path(temporary)).resolve(), options)
    except RehearsalError as error:
        sys.exit(f"rehearse: {error}")


if __name__ == "__main__":
    main()
