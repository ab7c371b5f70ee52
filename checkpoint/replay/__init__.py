"""Whether a session made what its notebook makes, run from top to bottom.

`judge` runs both on paper. Nothing is executed: each statement gets a hash of its text and of how
everything that it reads was made, and each name a hash of how it came to its value. If every
statement of the notebook ran in the session on what a run from top to bottom gives it, and the
last save did too, the results are the notebook's, whatever else the session did.

What to record
--------------
At every save, the executions of the kernel so far, in order, the one that is saving last. An
`Execution` has, from IPython's `pre_run_cell` and `post_run_cell` events:

- `source`: `info.raw_cell`. Keep the text, not only its hash, since the session has to be replayed
  against the notebook as it stands later. A session repeats itself: store each text once and
  refer to it by number, and compress; a few kilobytes. Executions with `silent=True` fire no event
  and are not seen.
- `cell`: `info.cell_id`. JupyterLab and VS Code send it, nbclient and papermill do not. Only used
  to tell whether a cell of parameters can have been injected.
- `ran`: False if `result.error_before_exec` is a `SyntaxError`.
- `error`: whether `result.error_in_exec` is set; for the execution that is saving, False.
- `line`: the line of the traceback's frame that runs the cell itself, counted in the code that
  IPython compiled (which has as many lines as the source). The file name of that frame is the one
  that `get_ipython().compile` gave the cell.
- `missing`: `error.name` of a `NameError` or `AttributeError` raised by the cell's own frame;
  empty if it came from inside a function.
- `interrupted`: whether the error is a `KeyboardInterrupt`.
- `draws`: which of NumPy's global state (`numpy`, from `numpy.random.get_state()`), Python's
  (`python`, from `random.getstate()`) and PyTorch's (`torch`, from `torch.get_rng_state()`) differ
  from before the execution, of the modules that are imported. None if it was not looked at: then
  unknown calls are assumed to draw.
- `kinds`: the types of the global variables that the code mentions (`co_names` of the compiled
  cell), as they are afterwards, also after an error:

  - `plain`: int, float, complex, str, bytes, bool, None, NumPy scalars; tuples and frozensets of
    them.
  - `frame`: a pandas DataFrame, no subclass, with at least one row, unique column names, and
    nothing but `plain` values in columns of dtype object.
  - `array`: any other DataFrame, Series, Index or ndarray, without objects that can change.
  - `anndata`: an AnnData, no subclass, in memory.
  - `list`, `set`, `dict`: exactly these types; `flat list`, `flat set`, `flat dict`: the same,
    with `plain` elements or values only.
  - `iterator`: has `__next__`.

  Anything else is left out, and so may be what takes long to look at. A wrong kind may make a
  wrong `clean`; a missing one costs only alarms.

- `inputs`: the names of the inputs that `load` and `data_file` gave it; `renewed`: those among
  them that had other content when an earlier execution read them.

The record keeps this list, and at save time the verdict against the notebook on disk, or, where
its path is not known, against the executed cells themselves: each id's, else each text's, last
execution, in the order of its first. Later, `status` need not judge again while the hashes of the
notebook's cells (code, order, tags) are those of the recorded verdict; otherwise it calls `judge`
with the recorded executions and the cells as they stand.

What it cannot see
------------------
Silent executions, threads and subprocesses, state that a library keeps inside itself (a counter,
a cache) and does not show as an option, files that change meanwhile (they are recorded as
inputs), the network. The clock, and random numbers that nobody seeded, are seen, and told in
`Verdict.unseeded`.
"""

from .verdict import RAISES, SKIPPED, Cell, Execution, Verdict, judge

__all__ = ["RAISES", "SKIPPED", "Cell", "Execution", "Verdict", "judge"]
