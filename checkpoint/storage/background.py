"""Work that goes on while its owner does something else."""

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Thread, Generic[T]):
    """A call in a thread of its own, whose outcome is asked for later.

    Parameters
    ----------
    call
        What to do. It should spend its time where Python lets other threads run: hashing,
        flushing to disk.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._outcome: list[T] = []
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Make the call."""
        try:
            self._outcome.append(self._call())
        except BaseException as error:
            self._error = error

    def result(self) -> T:
        """Wait, then return what the call returned or raise what it raised."""
        self.join()
        if self._error:
            raise self._error
        return self._outcome[0]
