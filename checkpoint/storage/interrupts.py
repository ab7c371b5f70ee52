"""Handle Ctrl-C during a save: either nothing is saved, or the save completes and says so."""

import signal
import threading
from types import FrameType


class Interrupts:
    """Record an interrupt (Ctrl-C) within a `with` block, in addition to raising it.

    Libraries that call back into Python, such as h5py, may swallow a KeyboardInterrupt and go on.

    Attributes
    ----------
    came
        Whether there was an interrupt.
    """

    def __init__(self) -> None:
        self.came = False
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
            raise KeyboardInterrupt("Nothing was saved; the previous checkpoint is intact.")

    def hold(self) -> None:
        """Raise a last time if there was an interrupt; later interrupts are only recorded."""
        self._held = True
        self.heed()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not self._held:
            signal.default_int_handler(number, frame)
