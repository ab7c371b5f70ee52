"""Interrupted saves: either the previous or the new checkpoint is always whole.

The trials come from `benchmarks/durability.py`, which also tries the bare writers.
"""

import os
import signal
import subprocess
import sys

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
STEP = "1_step"
IMPORT = "from my_project.checkpoint import load, save;"


@pytest.fixture
def durability(tmp_path, monkeypatch):
    import durability

    monkeypatch.chdir(tmp_path)
    durability.make_project(tmp_path / "project")
    return durability


def left_over(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith((".staging", ".commit"))]


def test_killed_at_random_moments(durability, tmp_path):
    way = durability.Checkpoints()
    assert durability.signalled(way, 40, signal.SIGKILL) == 40
    folder = tmp_path / "project" / "results" / STEP
    assert len(left_over(folder)) <= 1
    way.write(1)
    assert left_over(folder) == []


def test_interrupted_at_random_moments(durability):
    assert durability.signalled(durability.Checkpoints(), 20, signal.SIGINT) == 20


def test_no_room_on_the_disk(durability):
    assert durability.limited(durability.Checkpoints(), 20) == 20


def test_one_of_six_cannot_be_saved(durability):
    assert durability.spoiled(durability.Checkpoints(), 6) == 6


def test_the_trials_tell_torn_from_whole(durability):
    """Bare writers fail a trial, which shows that the trials can detect a torn save."""
    assert durability.spoiled(durability.Bare(), 6) < 6


SLOW = """
class Slow:
    def __reduce__(self):
        import time
        print("saving", flush=True)
        time.sleep(60)
        return (list, ())
import sys; sys.modules["slow"] = sys; Slow.__module__ = "slow"
save("1_one", {"a": 2, "b": Slow()})
"""


def test_ctrl_c_in_a_kernel(bake):
    """Interrupting the kernel during a save leaves the previous checkpoint intact."""
    baked = bake(pipeline="blank", notebooks="one")
    manager, client = start_new_kernel(env=baked.environment(), cwd=str(baked))
    said = []
    try:
        client.execute_interactive(
            "from my_project.checkpoint import load, save; save('1_one', {'a': 1})",
            output_hook=said.append,
            timeout=60,
        )

        def interrupt(message):
            said.append(message)
            if "saving" in message["content"].get("text", ""):
                manager.interrupt_kernel()

        reply = client.execute_interactive(SLOW, output_hook=interrupt, timeout=60)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert left_over(baked / "results" / "1_one") == []
        client.execute_interactive(
            "print('value', load('1_one')['a'])", output_hook=said.append, timeout=60
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "value 1" in "".join(message["content"].get("text", "") for message in said)


SWALLOWS = """
import signal
class Swallows:
    def __reduce__(self):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass  # as h5py does while it writes
        return (list, ())
import sys; sys.modules["swallows"] = sys; Swallows.__module__ = "swallows"
"""
LATE = """
from my_project.checkpoint.storage import store
flush = store.sync
def sync(path):
    if (path / '.commit').exists():
        signal.raise_signal(signal.SIGINT)
    flush(path)
store.sync = sync
"""


def test_an_interrupt_that_a_library_swallows(bake):
    """It still stops the save before the commit; one after it says that results were saved."""
    baked = bake(pipeline="blank", notebooks="one")
    code = f"""
{IMPORT}
save('1_one', {{'a': 1}})
{SWALLOWS}
try:
    save('1_one', {{'a': 2, 'b': Swallows()}})
except KeyboardInterrupt as error:
    print('interrupted:', error, load('1_one')['a'])
{LATE}
try:
    save('1_one', {{'a': 3}})
except KeyboardInterrupt as error:
    print('interrupted:', error, load('1_one')['a'])
"""
    done = baked.python("-c", code)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("interrupted")]
    assert said == [
        "interrupted: Nothing was saved; the previous checkpoint is intact. 1",
        "interrupted: Interrupted after the results were saved. 3",
    ]
    assert left_over(baked / "results" / "1_one") == []


@pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="mounting needs root")
def test_a_read_only_mount(bake, tmp_path):
    """`load` and `status` work on a read-only file system, and `save` names it in its error."""
    baked = bake(pipeline="blank", notebooks="one")
    assert baked.python("-c", f"{IMPORT} save('1_one', {{'a': 1}})").returncode == 0
    inside = (
        "mount --bind . . && mount -o remount,ro,bind . && cd . && "
        f'cd {baked} && "$0" -c "$1"; "$0" -m my_project.checkpoint status; "$0" -c "$2"'
    )
    load_it = f"{IMPORT} print('value', load('1_one')['a'])"
    save_it = f"{IMPORT} save('1_one', {{'a': 2}})"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, sys.executable, load_it, save_it],
        cwd=baked,
        env=baked.environment(),
        capture_output=True,
        text=True,
    )
    if "unshare" in done.stderr:
        pytest.skip("this machine does not let a test mount")
    assert "value 1" in done.stdout, done.stderr
    assert "1_one  current" in done.stdout
    assert "is on a read-only file system" in done.stderr
