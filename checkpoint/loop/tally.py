"""Show which parts a loop has made: a bar while it runs, and one line at its end."""

import time

from ..progress import Rounds

MANY = 5  # up to this many parts are named in the line


class Tally:
    """The parts of a loop that were kept, made, or not saved."""

    def __init__(self, step: str, total: int, kept: int) -> None:
        self.step, self.total = step, total
        self.kept = kept  # how many are current, and are not made
        self.made: list[str] = []
        self.unsaved: list[str] = []
        self._rounds = Rounds(step, total)
        self._running = ""
        self._began = time.monotonic()

    def begin(self, number: int, name: str) -> None:
        """Note that the loop begins a part; `number` counts from 1."""
        self._rounds.begin(number, name)
        self._running = f"ended at part {number} of {self.total} ({name})"

    def end(self, name: str, is_saved: bool) -> None:
        """Note that the loop has finished a part."""
        (self.made if is_saved else self.unsaved).append(name)
        self._running = ""

    def close(self) -> None:
        """Show the final line; if the loop ended early, it names the part that did not finish."""
        ended = f", after {len(self.made)}{self._names()}" if self._running and self.made else ""
        self._rounds.end(f"{self.step}: {self._running or self._summary()}{ended}")

    def _summary(self) -> str:
        if not self.made:
            return f"all {self.kept} parts are current." if self.kept else "no part was saved."
        took = time.monotonic() - self._began
        others = f"; {self.kept} were current" if self.kept else ""
        return (
            f"made {len(self.made)} of {self.total} parts{self._names()} in {took:.0f} s{others}."
        )

    def _names(self) -> str:
        return f" ({', '.join(self.made)})" if len(self.made) <= MANY else ""
