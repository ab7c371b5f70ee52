"""Which parts of a loop were made: a bar while it goes on, and one line at its end."""

import time

from ..progress import Rounds

MANY = 5  # parts that the line names


class Tally:
    """The parts of a loop that were kept, made, and gone through without a save."""

    def __init__(self, step: str, total: int, kept: int) -> None:
        self.step, self.total = step, total
        self.kept = kept  # how many are current, and are not made
        self.made: list[str] = []
        self.unsaved: list[str] = []
        self._rounds = Rounds(step, total)
        self._running = ""
        self._began = time.monotonic()

    def begin(self, number: int, name: str) -> None:
        """Note that a part, the first of which has the number 1, is being made."""
        self._rounds.begin(number, name)
        self._running = f"ended at part {number} of {self.total} ({name})"

    def end(self, name: str, is_saved: bool) -> None:
        """Note that a part was gone through."""
        (self.made if is_saved else self.unsaved).append(name)
        self._running = ""

    def close(self) -> None:
        """Leave one line; a part that was begun and did not end is where the loop ended."""
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
