"""Ctrl-C during a save: remembered until it can be heeded."""

import signal
import threading
from types import FrameType


class Interrupts:
    """Remembers an interrupt within a `with` block instead of raising it.

    Libraries that call back into Python, such as h5py, may swallow a KeyboardInterrupt; a file
    would then be half written, and nobody knew. A second interrupt is raised at once.

    Attributes
    ----------
    came
        Whether there was one.
    """

    def __init__(self) -> None:
        self.came = False
        self._replaced = False

    def __enter__(self) -> "Interrupts":
        ours = threading.current_thread() is threading.main_thread()
        if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._remember)
            self._replaced = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._replaced:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def heed(self) -> None:
        """Raise KeyboardInterrupt if there was an interrupt."""
        if self.came:
            raise KeyboardInterrupt("Nothing was saved; the previous checkpoint is intact.")

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            signal.default_int_handler(number, frame)
        self.came = True
