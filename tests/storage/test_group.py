"""A project shared by two users of a group, and read by users outside it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from project_under_test import ONE
from storage.members import ANNA, BEN, GROUP, STRANGER, hand_to, members, only_root

pytestmark = [pytest.mark.slow, only_root]


@pytest.fixture(scope="module")
def act(blank_project, tmp_path_factory):
    """Yield a function that runs code as a user."""
    warm = shutil.copytree(blank_project, tmp_path_factory.mktemp("warm") / "my_project")
    with members(warm) as act:
        yield act


@pytest.fixture
def shared(blank_project):
    """Yield a project that belongs to Anna and is writable for her group."""
    folder = Path(tempfile.mkdtemp(prefix="group-"))
    folder.chmod(0o755)
    path = folder / "my_project"
    shutil.copytree(blank_project, path)
    hand_to(path, ANNA, GROUP)
    yield path
    shutil.rmtree(folder)


@pytest.fixture
def run(shared, act):
    """Return a function that runs code in the shared project as a given user."""
    return lambda *arguments, **options: act(shared, *arguments, **options)


def save(what):
    return f"save({ONE!r}, {{'a': {what!r}, 'figures/x.json': {what!r}}})"


def test_the_second_member_saves(shared, run):
    """Either member can replace the other's results, figures, sub-checkpoints and folders."""
    for user in (ANNA, BEN, ANNA):
        for code in (save(user), f"save('{ONE}/part', {{}})", "save('9_new/deep/part', {})"):
            done = run(user, code + f"\nfigures('{ONE}').joinpath('{user}.txt').touch()")
            assert done.returncode == 0, done.stderr
        done = run(BEN, f"print(load({ONE!r})['a'])")
        assert done.stdout.splitlines()[-1] == str(user), done.stderr
    assert (shared / "results" / ONE / "a.pkl").stat().st_uid == ANNA


def test_what_a_killed_save_of_the_first_member_left_is_removed(shared, run):
    code = "import checkpoint.storage.store as s\ns.check_places = lambda *_: os._exit(9)\n"
    assert run(ANNA, code + save("a")).returncode == 9
    assert list((shared / "results" / ONE).glob(".staging-*"))
    assert run(BEN, save("b")).returncode == 0
    assert not list((shared / "results" / ONE).glob(".staging-*"))


@pytest.mark.parametrize("place", ["", "figures", ".lock"])
def test_a_folder_of_the_first_member_alone(shared, run, place):
    """If only the owner can write to a folder, the error names the owner and the command to run."""
    assert run(ANNA, save("a")).returncode == 0
    path = shared / "results" / ONE / place
    path.chmod(0o755 if path.is_dir() else 0o644)
    done = run(BEN, save("b"))
    if place == ".lock" and done.returncode == 0:
        return  # newer versions of filelock need no write permission
    assert done.returncode == 1
    assert f"{path} belongs to user {ANNA}, and its group cannot write there" in done.stderr
    assert f"Ask user {ANNA} to run `chmod -R g+w {path}`" in done.stderr
    done = run(BEN, f"print(load({ONE!r})['a'])")
    assert done.stdout.splitlines()[-1] == "a", done.stderr
    subprocess.run(["chmod", "-R", "g+w", str(path)], check=True)
    assert run(BEN, save("b")).returncode == 0


def test_a_project_that_others_only_read(shared, run):
    """Without write permission, `load` and `status` work, and `save` names the owner."""
    assert run(ANNA, save("a")).returncode == 0
    subprocess.run(["chmod", "-R", "a-w", str(shared)], check=True)
    code = f"print(load({ONE!r})['a'])\ncommand('status')"
    done = run(STRANGER, code, groups=())
    assert done.returncode == 0, done.stderr
    assert "Loaded from" in done.stdout and f"\n{ONE}  " in done.stdout
    assert done.stderr == ""
    done = run(STRANGER, save("b"), groups=())
    assert f"belongs to user {ANNA}, and you cannot write there" in done.stderr
    done = run(ANNA, save("b"))
    assert f"{shared / 'results' / ONE} is yours, but read-only" in done.stderr
    assert f"Run `chmod -R u+w {shared / 'results' / ONE}`" in done.stderr
