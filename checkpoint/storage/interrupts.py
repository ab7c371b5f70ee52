"""Handle Ctrl-C, which libraries may swallow.

During a save, either nothing is saved, or the save completes and says so.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..progress import checking

OF_SAVE = "Nothing was saved; the previous checkpoint is intact."


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of the block at the latest if there was an interrupt."""
    with Interrupts("Nothing was read.") as interrupts, checking(interrupts.heed):
        try:
            yield
        finally:
            interrupts.heed()


class Interrupts:
    """Record an interrupt (Ctrl-C) within a `with` block, in addition to raising it.

    Libraries that call back into Python, such as h5py, may swallow a KeyboardInterrupt and go on.

    Parameters
    ----------
    message
        What `heed` says.

    Attributes
    ----------
    came
        Whether there was an interrupt.
    """

    def __init__(self, message: str = OF_SAVE) -> None:
        self.came = False
        self._message = message
        self._held = False
        self._replaced = False

    def __enter__(self) -> "Interrupts":
        ours = threading.current_thread() is threading.main_thread()
        if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._replaced = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._replaced:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def heed(self) -> None:
        """Raise KeyboardInterrupt if there was an interrupt."""
        if self.came:
            raise KeyboardInterrupt(self._message)

    def hold(self) -> None:
        """Raise a last time if there was an interrupt; later interrupts are only recorded."""
        self._held = True
        self.heed()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not self._held:
            signal.default_int_handler(number, frame)
