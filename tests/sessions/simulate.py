"""Simulate random notebook sessions, and compare the replay's verdicts with the truth.

    python tests/sessions/simulate.py typical 10000 1

runs 10,000 sessions of the mix `typical` (or `careful`, `messy`) with the seed 1. In each, a
person writes a small notebook cell by cell, with typos and scratch cells in between, and then
edits, reruns, moves and deletes cells. The truth is what the final notebook saves when it is run
in a new kernel. The script prints the false answers, of which there must be none, and how many
harmless sessions (whose results are the notebook's) are called unclean or edited.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

sys.path[:0] = [str(Path(__file__).parents[level]) for level in (1, 2)]

from sessions import lab  # noqa: E402
from sessions.kernel import Kernel  # noqa: E402
from sessions.notebooks import ADDED, LOOKS, SCRATCH, STEP, is_plot, notebook, tweaked  # noqa: E402

from checkpoint.replay import Cell, Execution, Verdict, judge  # noqa: E402


@dataclass(frozen=True)
class Mix:
    """How a person works: the weights of their actions, and how many they take."""

    acts: dict[str, int]
    times: tuple[int, int]
    end: dict[str, int]
    edits_after: float
    typos: float = 0.08
    looks: float = 0.12


MIXES = {
    "careful": Mix(
        {
            "plot": 30,
            "run_all": 14,
            "restart": 16,
            "edit_and_rest": 14,
            "look": 14,
            "typo": 8,
            "rest": 4,
        },
        (1, 5),
        {"run_all": 25, "restart": 45, "rest": 30},
        0.15,
    ),
    "typical": Mix(
        {
            "plot": 24,
            "run_all": 8,
            "restart": 6,
            "edit_and_rest": 12,
            "edit": 8,
            "look": 12,
            "typo": 12,
            "rest": 10,
        }
        | {"rerun": 6, "scratch": 5, "add": 4, "delete": 2, "swap": 1},
        (2, 8),
        {"rest": 40, "run_all": 30, "restart": 15, "save": 15},
        0.2,
    ),
    "messy": Mix(
        {
            "plot": 16,
            "run_all": 4,
            "restart": 2,
            "half": 2,
            "edit_and_rest": 8,
            "edit": 14,
            "look": 8,
            "typo": 10,
        }
        | {"rest": 8, "rerun": 16, "scratch": 14, "add": 6, "delete": 6, "swap": 5},
        (3, 12),
        {"rest": 35, "run_all": 15, "save": 50},
        0.25,
    ),
}


class AnyKernel(Protocol):
    """The interface that `Person` needs of a kernel."""

    def run(self, source: str, cell: str | None = None) -> bool: ...
    def restart(self) -> None: ...


@dataclass
class Person:
    """A simulated user who works with a notebook in a simulated or real kernel."""

    r: random.Random
    mix: Mix
    cells: list[str]
    kernel: AnyKernel = field(default_factory=Kernel)
    ids: list[str] = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.ids = [f"cell-{number}" for number in range(len(self.cells))]

    def work(self) -> None:
        """Write the notebook, work with it, run its end, and perhaps edit it once more."""
        r = self.r
        for place in range(len(self.cells)):
            self.typo(place) if r.random() < self.mix.typos else self._run(place, place + 1)
            if r.random() < self.mix.looks:
                self.look()
        for _ in range(r.randint(*self.mix.times)):
            getattr(self, self._choose(self.mix.acts))()
        getattr(self, self._choose(self.mix.end))()
        if r.random() < self.mix.edits_after:
            r.choice(
                [self._edit_file, self._edit_file, self._remove, self._exchange, self._insert]
            )()

    def _choose(self, weights: dict[str, int]) -> str:
        return self.r.choices(list(weights), list(weights.values()))[0]

    def _run(self, first: int = 0, last: int | None = None) -> None:
        for source, cell in list(zip(self.cells, self.ids, strict=True))[first:last]:
            if not self.kernel.run(source, cell):
                return

    def _place(self) -> int:
        return self.r.randrange(1, len(self.cells))

    def _change(self) -> int | None:
        """Change a number in a cell that draws no plot; return the cell's position, or None."""
        places = [
            i for i, cell in enumerate(self.cells) if tweaked(cell, self.r) and not is_plot(cell)
        ]
        if not places:
            return None
        place = self.r.choice(places)
        self.cells[place] = tweaked(self.cells[place], self.r) or ""
        return place

    # actions of a person

    def run_all(self) -> None:
        self._run()

    def restart(self) -> None:
        self.kernel.restart()
        self._run()

    def half(self) -> None:
        self.kernel.restart()
        self._run(0, self._place())

    def rest(self) -> None:
        self._run(self._place())

    def rerun(self) -> None:
        place = self._place()
        self._run(place, place + 1)

    def save(self) -> None:
        self._run(len(self.cells) - 1)

    def plot(self) -> None:
        places = [i for i, cell in enumerate(self.cells) if is_plot(cell)]
        for _ in range(self.r.randint(1, 4)) if places else ():
            place = self.r.choice(places[:1])
            self.cells[place] = tweaked(self.cells[place], self.r) or self.cells[place]
            self._run(place, place + 1)

    def edit(self) -> None:
        place = self._change()
        if place is not None:
            self._run(place, place + 1)

    def edit_and_rest(self) -> None:
        place = self._change()
        if place is not None:
            self._run(place)

    def look(self) -> None:
        self.kernel.run(self.r.choice(LOOKS))

    def typo(self, place: int | None = None) -> None:
        """Run a cell with a typo, then run it corrected."""
        place = self._place() if place is None else place
        cell = self.cells[place]
        names = ("df", "rows", "ad", "plt", "T", "K", "mean", "append", "lab")
        there = [name for name in names if name in cell]
        if there and self.r.random() < 0.7:
            name = self.r.choice(there)
            broken = cell.replace(name, name + "x", 1)
        else:
            broken = cell + self.r.choice(["\n)", " +", " ("])
        self.kernel.run(broken, self.ids[place])
        self.kernel.run(cell, self.ids[place])

    def scratch(self) -> None:
        """Run a scratch cell, and sometimes leave it in the notebook."""
        cell = self.r.choice(SCRATCH)
        self.kernel.run(cell)
        if self.r.random() < 0.25:
            self._add(self.r.randint(2, len(self.cells) - 1), cell)

    def add(self) -> None:
        place = self.r.randint(2, len(self.cells) - 1)
        self._add(place, self.r.choice(ADDED))
        self._run(place, None if self.r.random() < 0.4 else place + 1)

    def delete(self) -> None:
        self._remove()

    def swap(self) -> None:
        self._exchange()

    # edits of the file, without running anything

    def _edit_file(self) -> None:
        place = self.r.randrange(1, len(self.cells))
        how = self.r.random()
        if how < 0.3:
            self.cells[place] = "# a note\n" + self.cells[place]
        else:
            self.cells[place] = tweaked(self.cells[place], self.r) or self.cells[place]

    def _remove(self) -> None:
        if len(self.cells) > 5:
            place = self.r.randrange(2, len(self.cells) - 1)
            del self.cells[place], self.ids[place]

    def _exchange(self) -> None:
        if len(self.cells) > 5:
            i = self.r.randrange(1, len(self.cells) - 2)
            for each in (self.cells, self.ids):
                each[i], each[i + 1] = each[i + 1], each[i]

    def _insert(self) -> None:
        self._add(self.r.randrange(2, len(self.cells)), self.r.choice([*ADDED, *LOOKS]))

    def _add(self, place: int, source: str) -> None:
        self.made += 1
        self.cells.insert(place, source)
        self.ids.insert(place, f"new-{self.made}")


# ---------------------------------------------------------------- the truth


@dataclass(frozen=True)
class Session:
    """The record of a session.

    Attributes
    ----------
    number
        The session's number, from which it can be repeated.
    executions, cells
        What was run up to the last save, and the notebook's cells at the end.
    same
        Whether the notebook, run from top to bottom, saves the same results.
    """

    number: int
    executions: list[Execution]
    cells: list[str]
    same: bool

    def verdict(self) -> Verdict:
        """Return the replay's verdict."""
        return judge(self.executions, [Cell(source) for source in self.cells], STEP)

    def false(self, verdict: Verdict) -> bool:
        """Return whether a verdict is a false *clean*; call it while iterating over `sessions`.

        Results that depend on unseeded random numbers are not false if repeated runs differ.
        """
        if self.same or not verdict.clean:
            return False
        return not verdict.unseeded or repeatable(self.cells)


def fresh(cells: list[str]) -> object:
    """Return what a notebook saves in a new kernel, or None if it fails before the save."""
    kernel = Kernel()
    for cell in cells:
        if not kernel.run(cell):
            break
    return kernel.saved


def repeatable(cells: list[str]) -> bool:
    """Return whether a notebook saves the same results each time."""
    truth = fresh(cells)
    return all(fresh(cells) == truth for _ in range(20))


def sessions(mix: str, count: int, seed: int) -> Iterator[Session]:
    """Yield random sessions that saved something, run in a temporary folder."""
    made = number = 0
    with stage():
        while made < count:
            number += 1
            r = random.Random(f"{seed} {number}")
            person = Person(r, MIXES[mix], notebook(r))
            person.work()
            kernel = person.kernel
            if kernel.saved is None:
                continue
            made += 1
            same = fresh(person.cells) == kernel.saved
            yield Session(number, kernel.recorded, person.cells, same)


@contextlib.contextmanager
def stage() -> Iterator[None]:
    """Work in a temporary folder with data and with stand-ins for the plotting libraries."""
    before, modules = Path.cwd(), lab.install()
    replaced = {name: sys.modules.get(name) for name in modules}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.chdir(folder)
        sys.modules.update(modules)
        lab.table(3).to_csv("in.csv", index=False)
        try:
            yield
        finally:
            os.chdir(before)
            for name, module in replaced.items():
                del sys.modules[name]
                if module:
                    sys.modules[name] = module


def main() -> None:
    """Simulate sessions and print how often the replay is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mix", choices=MIXES)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--show", action="store_true", help="print each false alarm")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    spent = 0.0
    for session in sessions(options.mix, options.count, options.seed):
        start = time.perf_counter()
        verdict = session.verdict()
        spent += time.perf_counter() - start
        alarm = session.same and not verdict.clean
        counts["harmless"] += session.same
        counts["alarms"] += alarm
        counts["unseeded"] += verdict.unseeded
        if session.false(verdict):
            counts["false"] += 1
            print(f"FALSE session {session.number}: {verdict}", flush=True)
        if alarm and options.show:
            print(f"alarm session {session.number}: {verdict.reason}")
    share = 100 * counts["alarms"] / max(1, counts["harmless"])
    print(
        f"{options.mix}, seed {options.seed}: {options.count} sessions, {counts['harmless']} "
        f"of them harmless; false clean: {counts['false']}; harmless called unclean or edited: "
        f"{counts['alarms']} ({share:.1f} %); clean but unseeded: {counts['unseeded']}; "
        f"{1000 * spent / options.count:.0f} ms an answer"
    )


if __name__ == "__main__":
    main()
