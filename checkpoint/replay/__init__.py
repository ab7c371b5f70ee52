"""Decide whether a session made what its notebook makes when it is run from top to bottom.

`judge` replays both without executing anything: each statement gets a hash of its text and of how
everything that it reads was made, and each name a hash of how it got its value. If every statement
of the notebook, and the last save, ran in the session on the values that a run from top to bottom
has there, the results are those of the notebook, whatever else the session did.

Every save records the executions of the kernel so far, in order, ending with the one that saves,
and the verdict. The verdict is on the notebook on disk or, if its path is unknown, on the executed
cells themselves: the last execution of each cell id (or of each text, without ids), in the order of
the first executions. While the hashes of the notebook's cells (code, order, tags) are those of the
recorded verdict, `status` uses that verdict; otherwise it calls `judge` with the recorded
executions and the current cells.

What it cannot see
------------------
Silent executions, threads and subprocesses, state that a library keeps inside itself (a counter,
a cache) and does not expose as an option, files that change meanwhile (they are recorded as
inputs), the network. It does see the clock and random numbers without a seed, and reports them in
`Verdict.unseeded`.
"""

from ..watch.cells import Execution
from .verdict import RAISES, SKIPPED, Cell, Verdict, judge

__all__ = ["RAISES", "SKIPPED", "Cell", "Execution", "Verdict", "judge"]
