"""A project shared by a group, with its large files on another disk, mounted for the test."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from project_under_test import ONE
from storage.members import ANNA, BEN, GROUP, STRANGER, hand_to, members, only_root

pytestmark = [pytest.mark.slow, only_root]
SAVE = f"""
import pathlib
save({ONE!r}, {{"n": np.arange(%d), "model": pathlib.Path("../model"), "figures/x.json": 1}})
"""
LOAD = f"previous = load({ONE!r})\nprint(len(previous['n']), previous['model'].name)"


def saves(disk):
    """Return the folders of all saves on the disk."""
    return list(disk.rglob(".save-*"))


def set_place(project, place):
    path = project / "checkpoint.local.toml"
    path.write_text(f'results = "{place}"\n', encoding="utf-8")


@pytest.fixture(scope="module")
def lab(blank_project, tmp_path_factory):
    """Yield a group's project, another disk of 3 MB, and a function that runs code as a user."""
    folder = Path(tempfile.mkdtemp(prefix="group-"))
    folder.chmod(0o755)
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        shutil.rmtree(folder)
        pytest.skip("this machine lets nobody mount a disk")
    shared = disk / "shared"
    shared.mkdir()
    os.chown(shared, 0, GROUP)
    shared.chmod(0o2775)
    for user in (ANNA, BEN):
        (disk / str(user)).mkdir(mode=0o700)
        os.chown(disk / str(user), user, user)
    project = shutil.copytree(blank_project, folder / "my_project")
    (project / "model" / "inner").mkdir(parents=True)
    (project / "model" / "inner" / "weights.bin").write_bytes(b"w")
    hand_to(project, ANNA, GROUP)
    for folder_of_model in (project / "model", project / "model" / "inner"):
        folder_of_model.chmod(0o755)
    warm = shutil.copytree(blank_project, tmp_path_factory.mktemp("warm") / "my_project")
    try:
        with members(warm) as act:
            yield project, disk, lambda *arguments, **options: act(project, *arguments, **options)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
        shutil.rmtree(folder)


def test_members_replace_what_others_saved(lab):
    """Whatever their umask, each save must remove the previous one with its folders."""
    project, disk, act = lab
    set_place(project, f"{disk}/shared/{{project}}")
    for number, (user, umask) in enumerate([(ANNA, 0o22), (BEN, 0o22), (BEN, 0o2), (ANNA, 0o2)]):
        done = act(user, SAVE % number, umask=umask)
        assert done.returncode == 0 and "Note" not in done.stdout, done
        assert len(saves(disk)) == 1
        for reader in (ANNA, BEN, STRANGER):
            done = act(reader, LOAD, groups=() if reader == STRANGER else (GROUP,))
            assert done.stdout.splitlines()[-1] == f"{number} model", done
    done = act(STRANGER, SAVE % 9, groups=())
    assert f"[tool.checkpoint] results: {disk}" in done.stderr
    assert f"belongs to user {ANNA}, and you cannot write there" in done.stderr

    # too little disk space, noticed before and during the save
    done = act(BEN, f"save({ONE!r}, {{'n': np.zeros(10**6)}})")
    assert f"Not enough room on the disk of {disk}/shared" in done.stderr
    done = act(BEN, f"save({ONE!r}, {{'b': [bytes(10**6) + bytes([n]) for n in range(9)]}})")
    assert "No space left on device" in done.stderr
    assert f"while saving 'b' in {disk}/shared" in done.stderr
    assert len(saves(disk)) == 1
    assert act(BEN, LOAD).stdout.splitlines()[-1] == "3 model"
    done = act(BEN, "command('clean', '--yes')")
    assert done.stderr == "" and not saves(disk)

    # without another disk: a folder in the project, which another member can replace as well
    (project / "checkpoint.local.toml").unlink()
    for number, user in enumerate((ANNA, BEN)):
        done = act(user, SAVE % number)
        assert done.returncode == 0 and "Note" not in done.stdout, done


def test_each_member_has_a_place_of_their_own(lab):
    """Results in a member's private folder are absent for the others, who may replace them."""
    project, disk, act = lab
    set_place(project, f"{disk}/$USER/{{project}}")
    assert act(ANNA, SAVE % 1).returncode == 0
    done = act(BEN, LOAD)
    assert f"with its large files in {disk}/{ANNA}/" in done.stderr
    assert "which you may not read. Ask whoever saved it, or run" in done.stderr
    done = act(BEN, "command('status')")
    assert f"{ONE}  absent" in done.stdout and done.stderr == "", done
    done = act(BEN, SAVE % 2)
    assert done.returncode == 0 and "Note" not in done.stdout, done
    assert act(BEN, LOAD).stdout.splitlines()[-1] == "2 model"
    # only Anna can remove her save, so it stays until she does
    assert len(saves(disk / str(ANNA))) == 1
    done = act(ANNA, SAVE % 3 + "command('clean', '--yes')")
    assert done.stderr == "" and not saves(disk / str(ANNA)), done
    subprocess.run(["umount", "-l", str(disk)], check=True)
    try:
        done = act(ANNA, SAVE % 4)
        assert f"[tool.checkpoint] results: {disk} belongs to" in done.stderr
    finally:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=True)
