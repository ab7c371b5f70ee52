"""Whether a session made what its notebook makes, run from top to bottom.

`judge` runs both on paper. Nothing is executed: each statement gets a hash of its text and of how
everything that it reads was made, and each name a hash of how it came to its value. If every
statement of the notebook ran in the session on what a run from top to bottom gives it, and the
last save did too, the results are the notebook's, whatever else the session did.

At every save, the record keeps the executions of the kernel so far, in order, the one that is
saving last, and the verdict against the notebook on disk, or, where its path is not known, against
the executed cells themselves: each id's, else each text's, last execution, in the order of its
first. Later, `status` need not judge again while the hashes of the notebook's cells (code, order,
tags) are those of the recorded verdict; otherwise it calls `judge` with the recorded executions and
the cells as they stand.

What it cannot see
------------------
Silent executions, threads and subprocesses, state that a library keeps inside itself (a counter,
a cache) and does not show as an option, files that change meanwhile (they are recorded as
inputs), the network. The clock, and random numbers without a seed, are seen, and told in
`Verdict.unseeded`.
"""

from ..watch.cells import Execution
from .verdict import RAISES, SKIPPED, Cell, Verdict, judge

__all__ = ["RAISES", "SKIPPED", "Cell", "Execution", "Verdict", "judge"]
