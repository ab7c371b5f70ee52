"""Interrupt saves in several ways and check what is left: `save` against the bare writers.

    python benchmarks/durability.py [kills]

Each save writes six objects that hold one value: an AnnData and five arrays. It is *whole* if all
six can be read afterwards and hold the same value, and otherwise torn.
"""

import contextlib
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np

TEMPLATE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TEMPLATE))
STEP = "1_step"
ARRAYS = [f"array{i}" for i in range(5)]
SIZE = 60_000


class Checkpoints:
    """Save with `save`."""

    def write(self, value: int, spoil: str | None = None) -> None:
        """Save six objects that hold `value`; the one named by `spoil` cannot be saved."""
        from checkpoint import save

        with contextlib.redirect_stdout(io.StringIO()):
            save(STEP, objects(value, spoil))

    def read(self) -> set[int]:
        """Return the values that the six objects hold; raise an error if one cannot be read."""
        from checkpoint import load

        with contextlib.redirect_stdout(io.StringIO()):
            loaded = dict(load(STEP))
        return {value_of(obj) for obj in loaded.values()}


class Bare:
    """Save with `write_h5ad` and `np.save`, as notebooks do by hand."""

    def write(self, value: int, spoil: str | None = None) -> None:
        """Write six files that hold `value`."""
        for name, obj in objects(value, spoil).items():
            if isinstance(obj, ad.AnnData):
                obj.write_h5ad(f"{name}.h5ad")
            else:
                np.save(f"{name}.npy", obj, allow_pickle=not callable(obj))

    def read(self) -> set[int]:
        """Return the values that the six files hold; raise an error if one cannot be read."""
        arrays = [np.load(f"{name}.npy", allow_pickle=True) for name in ARRAYS]
        return {value_of(obj) for obj in [ad.read_h5ad("adata.h5ad"), *arrays]}


def objects(value: int, spoil: str | None) -> dict:
    """Return six objects that hold `value`; the one named by `spoil`, if any, cannot be saved."""
    made: dict = {"adata": ad.AnnData(np.full((SIZE // 20, 20), value, "float32"))}
    made |= {name: np.full(SIZE, value) for name in ARRAYS}
    if spoil:
        made[spoil] = lambda: None  # no format can save it
    return made


def value_of(obj: object) -> int:
    """Return the single value that an object holds."""
    values = np.unique(obj.X if isinstance(obj, ad.AnnData) else obj)
    if len(values) != 1:
        raise ValueError("torn")
    return int(values[0])


def signalled(way: Checkpoints | Bare, times: int, sign: signal.Signals) -> int:
    """Send a signal to a saving process at random moments; return how many saves are left whole."""
    chance = random.Random(0)
    whole = 0
    way.write(0)
    for trial in range(times):
        child = os.fork()
        if child == 0:
            try:
                for value in range(1, 1_000_000):
                    way.write(1000 * trial + value)
            except BaseException:
                os._exit(1)
        time.sleep(chance.uniform(0.002, 0.06))
        os.kill(child, sign)
        if not end(child) and sign == signal.SIGKILL:
            raise RuntimeError("the child had ended before it was killed: its saves fail")
        whole += is_whole(way)
    return whole


def end(child: int) -> bool:
    """Wait for a child process; return whether a signal ended it.

    It is killed after a second, because Python may swallow an interrupt in a callback.
    """
    for _ in range(100):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.WIFSIGNALED(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def limited(way: Checkpoints | Bare, times: int) -> int:
    """Save with growing limits on the file size; return how many saves are left whole."""
    whole = 0
    way.write(0)
    for trial in range(times):

        def limit(trial: int = trial) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails, as on a full disk
            most = 1000 + 600_000 * trial // (times - 1)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, -1))

        whole += in_a_child(way, lambda: way.write(1), limit)
    if way.read() != {1}:
        raise RuntimeError("a save fails where there is room, too")
    return whole


def spoiled(way: Checkpoints | Bare, times: int) -> int:
    """Save six objects, one of which cannot be saved; return how many saves are left whole."""
    names = ["adata", *ARRAYS]
    way.write(0)
    return sum(
        in_a_child(way, lambda i=i: way.write(i + 1, names[i % len(names)]), lambda: None)
        for i in range(times)
    )


def in_a_child(way: Checkpoints | Bare, work: Callable, prepare: Callable) -> bool:
    """Run `work` in a child process; return whether the save is whole, and repair a torn one."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    found = is_whole(way)
    if not found:
        way.write(0)
    return found


def is_whole(way: Checkpoints | Bare) -> bool:
    """Return whether all six objects can be read and hold the same value."""
    try:
        return len(way.read()) == 1
    except Exception:
        return False


def trials(way: Checkpoints | Bare, kills: int) -> dict[str, tuple[int, int]]:
    """Return, for each kind of trial, how many left a whole save and how many were run."""
    few = max(6, kills // 10)
    return {
        "killed (SIGKILL) at a random moment": (signalled(way, kills, signal.SIGKILL), kills),
        "interrupted (SIGINT) at a random moment": (signalled(way, few, signal.SIGINT), few),
        "no room for a file on the disk": (limited(way, few), few),
        "one of six objects cannot be saved": (spoiled(way, few), few),
    }


def make_project(folder: Path) -> None:
    """Make a folder a project and change into it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text("[project]\n[tool.checkpoint]\n", "utf-8")
    os.chdir(folder)


def main(kills: int) -> None:
    """Run the trials and print the table."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for way in (Checkpoints(), Bare()):
            make_project(Path(folder, type(way).__name__))
            found.append(trials(way, kills))
        os.chdir(TEMPLATE)
    print("| what happens to a save | `save`: whole left | bare writers: whole left |")
    print("|---|---|---|")
    for name, (whole, times) in found[0].items():
        print(f"| {name} | {whole:,} of {times:,} | {found[1][name][0]:,} of {times:,} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
