"""The rehearsal of the workflow: on a repository of one file, it does what a runner would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import rehearse
import yaml
from expressions import RehearsalError, fill, holds
from website import ROOT

CHECKOUT = {"uses": "actions/checkout@0000"}
PUSH = 'git push "https://x-access-token:$TOKEN@${SERVER#https://}/$REPOSITORY" HEAD:published'


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A teacher", "-c", "user.email=teacher@example.org")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


class Repository:
    """A repository with one file and a workflow, and the folder that it is rehearsed in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "the repository"
        self.kept = folder / "kept here"
        self.root.mkdir()
        git(self.root, "init", "--quiet")
        (self.root / "page.txt").write_text("page", "utf-8")

    def rehearse(self, jobs: dict[str, object], *options: str) -> Path:
        """Commit a workflow with some jobs, rehearse it, and return the jobs' folder."""
        path = self.root / ".github" / "workflows" / "build.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"name": "Build", "jobs": jobs}), "utf-8")
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "A workflow")
        rehearse.main(["--keep", str(self.kept), *options], root=self.root)
        return self.kept / "jobs"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def job(*steps: dict[str, object], **keys: object) -> dict[str, object]:
    return {"runs-on": "ubuntu-latest", "steps": list(steps), **keys}


def test_a_step_runs_in_a_clone_from_github_under_the_variables_of_actions(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNLAB_STORE", "mine")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/mine")
    (repository.root / "page.txt").write_text("committed", "utf-8")
    script = "env > seen; git remote get-url origin > origin; git config user.name > name || true"
    folder = repository.rehearse({"build": job(CHECKOUT, {"run": script})}) / "build" / "course"
    seen = dict(line.split("=", 1) for line in (folder / "seen").read_text("utf-8").splitlines())
    commit = git(repository.root, "rev-parse", "HEAD").strip()
    expected = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REPOSITORY": "a-teacher/a-course",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": commit,
        "GITHUB_WORKSPACE": str(folder),
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert "BNLAB_STORE" not in seen
    assert (folder / "origin").read_text("utf-8") == "https://github.com/a-teacher/a-course\n"
    assert (folder / "name").read_text("utf-8") == ""
    assert (folder / "page.txt").read_text("utf-8") == "committed"
    assert git(folder, "rev-parse", "HEAD").strip() == commit


def test_values_files_and_pushes_go_where_a_later_step_finds_them(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "elsewhere"
    store.mkdir()
    (store / "result").write_text("stored", "utf-8")
    cached = {"path": "_build/store", "key": "results-${{ hashFiles('**') }}"}
    build = job(
        CHECKOUT,
        {"id": "store", "uses": "actions/cache/restore@0000", "with": cached},
        {"id": "pages", "uses": "actions/configure-pages@0000", "if": "github.ref_name == 'main'"},
        {"id": "none", "run": "exit 1", "if": "github.event_name == 'pull_request'"},
        {"id": "count", "run": 'echo "lines=1" >> "$GITHUB_OUTPUT"; echo "A=b" >> "$GITHUB_ENV"'},
        {
            "run": 'mkdir _build/html; echo "$SITE $LINES $A $NONE" > _build/html/all',
            "env": {
                "SITE": "${{ steps.pages.outputs.base_url }}",
                "LINES": "${{ steps.count.outputs.lines }}",
                "NONE": "[${{ steps.none.outputs.anything }}]",
            },
        },
        {"run": "touch _build/html/.hidden; echo new > _build/store/new"},
        {
            "if": "steps.store.outputs.cache-hit != 'true'",
            "uses": "actions/cache/save@0000",
            "with": cached,
        },
        {"uses": "actions/upload-artifact@0000", "with": {"name": "site", "path": "_build/html"}},
    )
    publish = job(
        CHECKOUT,
        {"uses": "actions/download-artifact@0000", "with": {"name": "site", "path": "site"}},
        {"uses": "actions/cache/restore@0000", "with": cached},
        {"run": 'grep b site/all && cat _build/store/* && test -z "$A"'},
        {
            "run": PUSH,
            "env": {
                "TOKEN": "${{ github.token }}",
                "SERVER": "${{ github.server_url }}",
                "REPOSITORY": "${{ github.repository }}",
            },
        },
        {"uses": "actions/deploy-pages@0000"},
        needs="build",
        **{"if": "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"},
    )
    never = job({"run": "exit 1"}, needs=["build"], **{"if": "github.ref != 'refs/heads/main'"})
    after = job({"run": "exit 1"}, needs="never")
    jobs = {"publish": publish, "never": never, "after": after, "build": build}
    folder = repository.rehearse(jobs, "--store", str(store), "--repository", "Someone/notes")
    site = folder / "publish" / "course" / "site"
    assert (site / "all").read_text("utf-8") == "https://someone.github.io/notes 1 b []\n"
    assert not (site / ".hidden").exists()
    remote = repository.kept / "github" / "Someone" / "notes"
    commit = git(repository.root, "rev-parse", "HEAD")
    assert git(remote, "rev-parse", "published") == commit
    printed = capsys.readouterr().out
    for line in (
        "build: actions/configure-pages: imitated",
        "build: exit 1: skipped",
        "publish: actions/deploy-pages: not rehearsed",
        "never: skipped",
        "after: skipped",
    ):
        assert line in printed.splitlines()
    assert not (store / "new").exists()


def test_the_workflow_that_publishes_is_known_to_the_last_expression(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own steps, each with a script that shows its address and makes two folders."""
    jobs = yaml.safe_load((ROOT / rehearse.WORKFLOW).read_text("utf-8"))["jobs"]
    for name in jobs:
        for step in jobs[name]["steps"]:
            if "run" in step:
                step["name"] = step["run"]
                step["run"] = 'mkdir -p _build/html _build/store; echo "<$SITE_ADDRESS>"'
    repository.rehearse(jobs, "--python", sys.executable)
    printed = capfd.readouterr().out.splitlines()
    for step in ("make site", "make test"):
        place = printed.index(f"build: {step}")
        assert printed[place + 1] == "<https://a-teacher.github.io/a-course>"
    done = [line.split(":")[:2] for line in printed if re.search(r": passed in \d+ min", line)]
    assert {job for job, _ in done} == {"build", "launch", "notebooks"}
    assert [line for line in printed if line.endswith("not rehearsed")] == [
        "pages: actions/upload-pages-artifact: not rehearsed",
        "pages: actions/deploy-pages: not rehearsed",
    ]


def test_a_failing_step_ends_the_rehearsal(repository: Repository) -> None:
    steps = ({"run": "false\ntouch later"}, {"run": "touch later"})
    with pytest.raises(SystemExit, match=r"The step `build: false` failed with status 1"):
        repository.rehearse({"build": job(*steps), "next": job({"run": "exit 2"}, needs="build")})
    assert not (repository.kept / "jobs" / "build" / "course" / "later").exists()
    assert not (repository.kept / "jobs" / "next").exists()


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"run": "true", "env": {"A": "${{ steps.nothing.outputs.a }}"}}, "steps.nothing.outputs"),
        ({"run": "echo ${{ secrets.KEY }}"}, "`secrets.KEY`"),
        ({"run": "true", "if": "hashFiles('a') != ''"}, r"hashFiles\('a'\)"),
        ({"run": "true", "shell": "pwsh"}, "`shell`"),
        ({"uses": "actions/checkout@0000", "with": {"ref": "other"}}, "`ref`"),
        ({"run": 'echo "a<<END" >> "$GITHUB_OUTPUT"'}, "a<<END"),
    ],
)
def test_what_the_rehearsal_does_not_know_is_named(
    repository: Repository, step: dict[str, object], named: str
) -> None:
    with pytest.raises(SystemExit, match=named):
        repository.rehearse({"build": job(step)})


def test_one_job_alone_finds_what_the_others_left(repository: Repository) -> None:
    shared = {"name": "site", "path": "site"}
    jobs = {
        "build": job(
            {"run": "mkdir site && touch site/page"},
            {"uses": "actions/upload-artifact@0000", "with": shared},
        ),
        "pages": job(
            {"uses": "actions/download-artifact@0000", "with": shared},
            {"run": "test -e site/page"},
            needs="build",
        ),
    }
    with pytest.raises(SystemExit, match=r"needs the artifact `site`; first rehearse the job"):
        repository.rehearse(jobs, "--job", "pages")
    repository.rehearse(jobs, "--job", "build")
    repository.rehearse(jobs, "--job", "pages")
    with pytest.raises(SystemExit, match=r"There is no job `page`, only build, pages"):
        repository.rehearse(jobs, "--job", "page")


def test_expressions_are_evaluated_as_actions_does() -> None:
    contexts = {"github": {"ref": "refs/heads/main", "head": ""}}
    for condition, expected in {
        "github.ref == 'refs/heads/MAIN'": True,
        "${{ github.ref != 'refs/heads/main' }}": False,
        "github.head || github.ref == 'a'": False,
        "github.head && github.ref || 'a'": True,
        "!github.head": True,
        "'it''s' == 'it'": False,
    }.items():
        assert holds(condition, contexts) is expected, condition
    assert fill("${{ github.ref }}-${{ !github.ref }}", contexts) == "refs/heads/main-false"
    for wrong in ("github", "github.ref github.ref", "github.ref == ", "(github.ref)", "a == 'b'"):
        with pytest.raises(RehearsalError, match="does not know the expression"):
            holds(wrong, contexts)


def test_the_variables_are_printed_for_a_shell(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.rehearse({})
    capsys.readouterr()
    rehearse.main(["--variables", "--repository", "someone/notes"], root=repository.root)
    script = f"{capsys.readouterr().out}\nprintf '%s %s' $GITHUB_REPOSITORY \"$GITHUB_WORKSPACE\""
    shell = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=True)
    assert shell.stdout == f"someone/notes {repository.root}"
