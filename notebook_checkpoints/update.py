"""Update projects to a newer version of the template, with cruft.

cruft generates the project twice, from the commit that made it and from the newest one, and applies
the difference. What people write stays out of it (`YOURS`), and `pyproject.toml`, which both write,
is merged or left as it is: never with conflict markers, which no tool could read.
"""

import difflib
import json
import re
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from answer_source import address_to_record
from checkpoint.errors import CheckpointError
from checkpoint.files import LEFTOVERS, replace
from checkpoint.project.project import Project, is_project
from checkpoint.project.settings import FILE, read_toml

from .repository import blob, files_of, git, has_commit, ids, refuse_unfit, written_tree

STATE = ".cruft.json"
RECORDED = ("source", "commit", "version")  # in [tool.checkpoint.template], written last
BEFORE = "before this update"  # a key of that file while an update runs: what it held, or null
# as in the [tool.cruft] of a project, which older ones do not have
LEFT = "left pyproject.toml as it is; take over what you need:"
YOURS = ["README.md", "LICENSE", "data", "notebooks", "results", "scripts"]
# copied as they are, so that they tell versions apart whose code is the same
COPIED = (".gitignore", ".gitattributes", "constraints.txt", "profiles/slurm/config.yaml")
RECORD = re.compile(
    r"^\[tool\.checkpoint\.template\]\n(?:(?!#|\[(?!tool\.checkpoint\.template)).*\n)*", re.M
)


class UpdateError(Exception):
    """A project cannot be updated; the message says why and what to do."""


class Update(NamedTuple):
    """What happened to a project.

    Attributes
    ----------
    project
        Its folder.
    result
        `updated`, `up to date`, `conflicts` (updated, and some files need a decision) or
        `not updated`.
    before, after
        The version of its `checkpoint/` folder.
    notes
        What to know and do, a line each.
    """

    project: str
    result: str
    before: str
    after: str
    notes: list[str]


class Templates:
    """Clones of templates, one per template for all of its projects.

    Parameters
    ----------
    folder
        Where to put the clones.
    address
        The template to update from, instead of the one that each project names.
    checkout
        The branch, tag or commit to update to; by default the newest commit of the main branch.
    """

    def __init__(self, folder: Path, address: str | None, checkout: str | None) -> None:
        self.address = address
        self.locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._folder = folder
        self._checkout = checkout
        self._clones: dict[str, Path | UpdateError] = {}

    def clone(self, address: str) -> Path:
        """Return a clone of a template, at the version to update to."""
        from cookiecutter.config import get_user_config
        from cookiecutter.repository import expand_abbreviations

        with self.locks["clones"]:
            if address not in self._clones:
                folder = self._folder / str(len(self._clones))
                url = expand_abbreviations(address, get_user_config()["abbreviations"])
                self._clones[address] = folder
                try:
                    git(self._folder, "clone", "--quiet", url.removeprefix("git+"), str(folder))
                    if self._checkout:
                        git(folder, "checkout", "--quiet", "--detach", self._checkout)
                except subprocess.CalledProcessError as error:
                    message = " ".join(error.stderr.split())
                    self._clones[address] = UpdateError(f"{address}: {message}")
            clone = self._clones[address]
            if isinstance(clone, UpdateError):  # for each project, tried once
                raise clone
            return clone


def update_all(
    roots: Iterable[Path], address: str | None, checkout: str | None
) -> Iterator[Update]:
    """Update projects, even if others fail, and yield each in this order as soon as it is done.

    Parameters as those of `Templates`.
    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        templates = Templates(Path(folder), address, checkout)
        yield from pool.map(lambda root: update(root, templates), roots)


def update(root: Path, templates: Templates) -> Update:
    """Update a project, unless something is in the way."""
    before = Project(root).version
    try:
        if not is_project(root):
            raise UpdateError("is not a project: it has no pyproject.toml with [tool.checkpoint]")
        top = git(root, "rev-parse", "--show-toplevel", ok=True).strip()
        with templates.locks[top]:  # one project of a repository at a time
            recover(root)
            refuse_unfit(root)
            changed, notes = _update(root, templates)
    except (UpdateError, CheckpointError, ValueError, OSError) as error:
        return Update(str(root), "not updated", before, before, [str(error)])
    except subprocess.CalledProcessError as error:
        message = (error.stderr or "").strip() or f"exit status {error.returncode}"
        reason = f"`{' '.join(map(str, error.cmd[:4]))} …` failed: {message.splitlines()[-1]}"
        return Update(str(root), "not updated", before, Project(root).version, [reason])
    undecided = [note for note in notes if note.startswith("decide: ") or note == LEFT]
    result = "conflicts" if undecided else "updated" if changed else "up to date"
    return Update(str(root), result, before, Project(root).version, notes)


def _update(root: Path, templates: Templates) -> tuple[bool, list[str]]:
    """Apply what is new; return whether anything was, and what to know about it."""
    state = state_of(root, templates.address)
    clone = templates.clone(templates.address or state["template"])
    newest = git(clone, "rev-parse", "HEAD").strip()
    if not (state["commit"] and has_commit(clone, state["commit"])):
        state["commit"] = commit_with(clone, Project(root))
    if state["commit"] == newest:
        return False, []
    with state_for_cruft(root, state):
        run_cruft(root, state, clone)
        notes = settle_pyproject(root, newest, state["template"])
    notes += [f"decide: {file} has conflict markers" for file in files_of(root, "--unmerged")]
    rejected = files_of(root, "--others", "*.rej")
    notes += [f"decide: {file} is what did not fit" for file in rejected]
    changed = git(root, "diff", "--name-only", "--relative", "HEAD", "--", ".").split()
    if {FILE, "constraints.txt"}.intersection(changed):
        notes.append("install it again: pip install -c constraints.txt -e .")
    return True, notes


def state_of(root: Path, address: str | None) -> dict[str, Any]:
    """Return what cruft needs to know: template, commit and answers."""
    recorded = read_toml(Project(root)).get("tool", {}).get("checkpoint", {}).get("template", {})
    if (root / STATE).is_file():
        state: dict[str, Any] = json.loads((root / STATE).read_text(encoding="utf-8"))
    elif "answers" in recorded:
        context = {"cookiecutter": recorded["answers"]}
        source = recorded.get("source") or address
        state = {"template": source, "commit": recorded.get("commit"), "context": context}
        state |= {"checkout": None, "directory": None}
    else:
        raise UpdateError(
            "has neither [tool.checkpoint.template] nor .cruft.json, so the answers that made it "
            "are not known; `cruft link` asks for them"
        )
    if address and (moved := address_to_record(address)):
        state["template"] = moved
    if not state["template"]:
        raise UpdateError("does not name its template; pass --template ADDRESS")
    return state


def commit_with(clone: Path, project: Project) -> str:
    """Return the commit of the template that has the same code as a project.

    Of several with the same code, it is the newest of those whose other files match best.
    """
    code = project.root / "src" / project.package / "checkpoint"
    tree = written_tree(clone, code, LEFTOVERS)
    commits = git(clone, "log", "--format=%H", "HEAD").split()
    trees = ids(clone, [f"{commit}:checkpoint" for commit in commits])
    same = [
        commit
        for commit, checkpoint_tree in zip(commits, trees, strict=True)
        if checkpoint_tree == tree
    ]
    if not same:
        raise UpdateError(
            f"src/{project.package}/checkpoint is that of no version of the template: it was "
            "edited, or the template is another one. Restore it, or write the commit that the "
            "project was made from into pyproject.toml: [tool.checkpoint.template] commit = …"
        )
    own = [blob(project.root / name) for name in COPIED]

    def fit(commit: str) -> int:
        names = [f"{commit}:{{{{cookiecutter.project_slug}}}}/{name}" for name in COPIED]
        return sum(map(str.__eq__, own, ids(clone, names)))

    return max(same, key=fit)  # the first of several, which is the newest


def recover(root: Path) -> None:
    """Restore the state file after an update that was killed.

    Raises
    ------
    UpdateError
        If the update had begun to change files.
    """
    path = root / STATE
    if not path.is_file():
        return
    git(root, "update-index", "--no-assume-unchanged", STATE, ok=True)
    state = json.loads(path.read_text(encoding="utf-8"))
    if BEFORE not in state:
        return
    changed = git(root, "status", "--porcelain", "-uno", "--", ".", f":(exclude){STATE}")
    if changed or BEFORE in git(root, "show", f"HEAD:./{STATE}", ok=True):
        raise UpdateError(
            "an update was cut short here; take it back with `git reset --hard`, or `git revert` "
            "if it was committed, then update again"
        )
    if state[BEFORE] is None:
        path.unlink()
    else:
        replace(path, state[BEFORE].encode())


@contextmanager
def state_for_cruft(root: Path, state: dict[str, Any]) -> Iterator[None]:
    """Write the state file that cruft needs; remove it afterwards if there was none."""
    path = root / STATE
    before = path.read_bytes().decode() if path.is_file() else None
    cruft_state = {**state, "skip": [*state.get("skip", []), *YOURS, *_inits(root)], BEFORE: before}
    after = None
    try:
        if before is not None:  # tracked, so that git would call the project changed
            git(root, "update-index", "--assume-unchanged", STATE, ok=True)
        replace(path, json.dumps(cruft_state).encode())
        yield
        after = json.loads(path.read_text(encoding="utf-8"))
    finally:
        if before is not None:
            git(root, "update-index", "--no-assume-unchanged", STATE, ok=True)
        if before is None:
            path.unlink(missing_ok=True)
        elif after is None:
            replace(path, before.encode())
        else:
            new_state = {name: value for name, value in after.items() if name in state}
            new_state |= {"skip": state["skip"]} if "skip" in state else {}
            text = json.dumps(new_state, ensure_ascii=False, indent=2)
            replace(path, f"{text}\n".encode())


def run_cruft(root: Path, state: dict[str, Any], clone: Path) -> None:
    """Let cruft apply the difference."""
    options = ("--skip-apply-ask", "--allow-untracked-files", "--template-path", str(clone))
    command = [sys.executable, "-m", "cruft", "update", *options]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8")
    after = json.loads((root / STATE).read_text(encoding="utf-8"))
    if done.returncode or after["commit"] == state["commit"]:
        message = (done.stdout + done.stderr).strip()
        raise UpdateError(
            f"cruft failed: {message.splitlines()[-1] if message else done.returncode}"
        )


def settle_pyproject(root: Path, commit: str, template: str) -> list[str]:
    """Resolve what cruft could not merge in `pyproject.toml`, and record commit and address.

    Returns the lines of the template that are not in it, for people to take over.
    """
    path, notes = root / FILE, []
    if FILE in files_of(root, "--unmerged"):
        base, ours, theirs = (git(root, "show", f":{stage}:./{FILE}") for stage in (1, 2, 3))
        # what the template wrote is the template's to replace
        base, ours = (with_record(text, theirs) for text in (base, ours))
        merged = merge(base, ours, theirs)
        if merged is None:
            changes = list(difflib.unified_diff(base.splitlines(), theirs.splitlines(), n=0))[2:]
            notes = [f"not in {FILE}: {line}" for line in changes if line[0] in "+-"]
            notes = [LEFT, *notes]
        path.write_text(ours if merged is None else merged, encoding="utf-8", newline="\n")
    rejected = root / f"{FILE}.rej"  # where git knows no version that both come from
    if rejected.is_file():
        lines = rejected.read_text(encoding="utf-8").splitlines()
        lines = [line for line in lines if line[:1] in ("+", "-")]
        lines = [line for line in lines if line[1:].partition(" = ")[0] not in RECORDED]
        notes = [LEFT, *(f"not in {FILE}: {line}" for line in lines)] if lines else []
        rejected.unlink()
    text = path.read_text(encoding="utf-8")
    version = f'version = "{Project(root).version}"'
    text = RECORD.sub(lambda match: re.sub(r'(?m)^version = ".*"$', version, match[0]), text)
    if record := RECORD.search(text):
        head, table, answers = record[0].partition("\n[")
        first, *lines = head.split("\n")
        old = [line for line in lines if line.startswith("source = ")]
        source = address_to_record(template)
        new = [f'source = "{source}"'] if source else old
        rest = [line for line in lines if not line.startswith(("source = ", "commit = "))]
        head = "\n".join([first, *new, f'commit = "{commit}"', *rest])
        text = text[: record.start()] + head + table + answers + text[record.end() :]
    path.write_text(text, encoding="utf-8", newline="\n")
    git(root, "add", FILE)
    return notes


def with_record(text: str, other: str) -> str:
    """Return a `pyproject.toml` with the record of its template from another one."""
    own_record, new_record = RECORD.search(text), RECORD.search(other)
    if not new_record:
        return text
    if own_record:
        return text[: own_record.start()] + new_record[0] + text[own_record.end() :]
    return text.rstrip("\n") + "\n\n" + new_record[0].rstrip("\n") + "\n"


def merge(base: str, ours: str, theirs: str) -> str | None:
    """Return two versions of a text merged; None if people have to decide."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for path, text in zip(paths, (ours, base, theirs), strict=True):
            path.write_text(text, encoding="utf-8", newline="\n")
        command = ["git", "merge-file", "-p", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    return done.stdout if done.returncode == 0 else None


def _inits(root: Path) -> list[str]:
    """Return the project's own module that the template wrote."""
    return [f"src/{package}/__init__.py" for package in Project(root).packages]
