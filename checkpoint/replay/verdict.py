"""Decide whether a session made what the notebook makes, and if not, name the cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..notebooks.notebook import first_line as first_line_of
from ..notebooks.parameters import TAG, looks_injected
from ..watch.cells import Execution
from .cells import Ending, Step
from .kernel import Kernel
from .memory import RANDOM, UNREPEATABLE

SKIPPED, RAISES = "skip-execution", "raises-exception"  # tags that nbclient heeds
REMEDY = "restart the kernel and run all"


@dataclass(frozen=True)
class Cell:
    """A code cell of the notebook as it is now."""

    source: str
    id: str | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """The result of `judge`."""

    # `clean`: the results are what the notebook makes, run from top to bottom. `edited`: the
    # notebook has code that did not run. `unclean`: all of its code ran, but not as a run
    # from top to bottom would run it, which may matter
    state: Literal["clean", "edited", "unclean"]
    reason: str = ""  # as a message that names the cell; empty if clean
    # whether the results depend on random numbers without a seed, or on the clock; they are
    # then as valid as those of another run, but no other run reproduces them
    unseeded: bool = False

    @property
    def clean(self) -> bool:
        """Whether the results are what the notebook makes."""
        return self.state == "clean"


def judge(
    executions: Sequence[Execution], cells: Sequence[Cell], step: str | None = None
) -> Verdict:
    """Tell whether a kernel's results are what the notebook makes, run from top to bottom.

    Parameters
    ----------
    executions
        What the kernel ran, in order, up to and including the execution that saved.
    cells
        The code cells of the notebook as it is now, in order.
    step
        The step or sub-checkpoint that was saved; None for the notebook's last save.

    Returns
    -------
    Verdict
        `clean` only if that is certain, as far as the replay can see.

    Examples
    --------
    >>> run = [Execution(s) for s in ("n = 1", "n = n + 1", "n = n + 1", 'save("1_a", {"n": n})')]
    >>> notebook = [Cell(s) for s in ("n = 1", "n = n + 1", 'save("1_a", {"n": n})')]
    >>> judge(run, notebook, "1_a").reason
    'cell `n = n + 1` ran more than once and changes `n` each time; restart the kernel and run all'
    """
    ran = [execution for execution in executions if execution.ran]
    comparison = _Comparison(ran, _expected(ran, cells), step)
    comparison.replay()
    verdict = comparison.verdict()
    if not verdict.clean:  # now that all types are known
        comparison.replay()
        verdict = comparison.verdict()
    return verdict


def _expected(ran: Sequence[Execution], cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that a run of the notebook executes, with an injected parameter cell."""
    expected = [cell for cell in cells if SKIPPED not in cell.tags]
    tagged = [i for i, cell in enumerate(expected) if TAG in cell.tags]
    # papermill and `run --set` inject a cell, and their kernels receive no cell ids
    if not tagged or any(execution.cell for execution in ran):
        return expected
    sources = {cell.source for cell in cells}
    injected = [
        i
        for i, execution in enumerate(ran)
        if looks_injected(execution.source) and execution.source not in sources
    ]
    before = expected[tagged[-1]].source
    if len(injected) == 1 and injected[0] and ran[injected[0] - 1].source == before:
        expected.insert(tagged[-1] + 1, Cell(ran[injected[0]].source))
    return expected


class _Comparison:
    """Replays a session and a notebook, and compares them."""

    def __init__(self, ran: Sequence[Execution], cells: Sequence[Cell], step: str | None) -> None:
        self.ran, self.cells, self.step = ran, cells, step
        self._draws = _draws(ran)
        self._facts: dict[str, str] = {}
        self._expected_errors = {cell.source for cell in cells if RAISES in cell.tags}
        self.session: list[Step] = []
        self.notebook: list[Step] = []

    # ------------------------------------------------------------ both runs

    def replay(self) -> None:
        """Replay both, using the types that an earlier replay learned."""
        again = self._last_draws()
        session = Kernel(self._facts)
        self.session = []
        for number, execution in enumerate(self.ran):
            now = {name: step.text for name, step in again.items() if step.cell == number}
            draws, kinds = self._draws[execution.source], execution.kinds
            ending = self._ending(number)
            self.session += session.run(execution.source, draws, ending, kinds, now)
        notebook = Kernel(self._facts, again)
        self.notebook = []
        for cell in self.cells:
            ending = Ending()
            if cell.source in self._expected_errors:
                same = [i for i, e in enumerate(self.ran) if e.source == cell.source]
                ending = self._ending(same[-1]) if same else ending
            self.notebook += notebook.run(cell.source, self._draws.get(cell.source), ending)

    def _ending(self, number: int) -> Ending:
        execution = self.ran[number]
        expected = execution.source in self._expected_errors and not execution.interrupted
        salt = "" if expected else f"failed {number}"
        # after a cell magic or leading empty lines, Python counts only the lines that follow
        first = execution.source.partition("\n")[0].strip()
        line = execution.line if first and not first.startswith("%%") else 0
        return Ending(execution.error, line, execution.missing, salt)

    def _last_draws(self) -> dict[str, Step]:
        """Return the last statement with which the session began to draw as the notebook does.

        The keys are the random states. Random numbers without a seed are as good from there as
        from the start of a kernel.
        """
        last: dict[str, Step] = {}
        for name in UNREPEATABLE:
            first = next((step for step in self.notebook if name in step.reads), None)
            again = [step for step in self.session if first and step.text == first.text]
            if len(again) > 1:
                last[name] = again[-1]
        return last

    # ------------------------------------------------------------ the answer

    def verdict(self) -> Verdict:
        """Return the verdict on the two replays."""
        # if no statement saves, a function of a module may: then the cell that was running counts
        running = self.ran[-1].source if self.ran else None
        saves = self._saves(self.notebook) or [
            step for step in self.notebook if self.cells[step.cell].source == running
        ]
        if not saves:
            name = f'"{self.step}"' if self.step else "anything"
            return Verdict("edited", f"no cell of the notebook saves {name}")
        last = max(self.notebook.index(step) for step in saves)
        needed = self.notebook[: last + 1]
        if outdated := self._before_renewal(needed[-1].cell):
            return outdated
        done = {step.key for step in self.session if step.done}
        loosely = {step.loose for step in self.session if step.done}
        allowed = self._expected_errors
        for step in needed:
            failed = not step.done and self.cells[step.cell].source in allowed
            known = step.key in done or step.loose in loosely or failed or step.harmless
            if not known:
                return self._blame(step)
        for step in {step.text: step for step in saves}.values():  # the last of those alike
            if blamed := self._saved_otherwise(step, saves):
                return self._blame(blamed)
        return Verdict("clean", unseeded=any(step.tainted for step in saves))

    def _before_renewal(self, last: int) -> Verdict | None:
        """Blame a cell that ran before an input changed on which it may depend; None if none did.

        The replay does not see the contents of inputs, so all cells from the first that reads the
        input up to `last` have to run again, in order.
        """
        sources = [cell.source for cell in self.cells[: last + 1]]
        ran_last = {execution.source: i for i, execution in enumerate(self.ran)}
        renewals = {name: i for i, e in enumerate(self.ran) for name in e.renewed}
        for name, number in renewals.items():
            reading = {e.source for e in self.ran if name in e.inputs}
            place = next((i for i, source in enumerate(sources) if source in reading), 0)
            numbers = [ran_last.get(source, -1) for source in sources[place:]]
            for i, source in enumerate(sources[place:]):
                if numbers[i] < number or (i and numbers[i] < numbers[i - 1]):
                    cell = first_line(source)
                    reason = f"cell `{cell}` did not run since {name} was read with other content"
                    return Verdict("unclean", f"{reason}; {REMEDY}")
        return None

    def _saves(self, steps: Sequence[Step]) -> list[Step]:
        """Return the statements that save the step or, if none, those that compute its name."""
        exact = [step for step in steps if self.step in step.saves]
        computed = [step for step in steps if None in step.saves]
        every = [step for step in steps if step.saves]
        if self.step is None:
            return every[-1:] if steps is self.notebook else every
        return exact or computed

    def _saved_otherwise(self, step: Step, saves: Sequence[Step]) -> Step | None:
        """Return a save that the session ran with other values; None if there is none."""
        texts = {save.text for save in saves}
        same = [past for past in self.session if past.text == step.text]
        if not same or same[-1].key != step.key:
            return step
        others = [past for past in self._saves(self.session) if past.text in texts or self.step]
        if self.step in step.saves and others and others[-1].key != saves[-1].key:
            return saves[-1]
        return None

    # ------------------------------------------------------------ the reason

    def _blame(self, step: Step) -> Verdict:
        """Return the verdict for a statement that the notebook runs on other values."""
        step = self._root(step)
        cell = first_line(self.cells[step.cell].source)
        past = self._last_alike(step)
        if past is None:
            return Verdict("edited", f"cell `{cell}` has changed or did not run since")
        if not past.done and self.ran[past.cell].source.startswith("%%capture"):
            return Verdict("unclean", f"cell `{cell}` ended in an error that it hides")
        differing = [n for n in step.reads if past.reads.get(n) != step.reads[n]]
        names = sorted(n.partition("/")[0] for n in differing if n[0] != "·")
        drew = self._draws.get(self.cells[step.cell].source)
        reason = f"cell `{cell}` ran on other values than a run of all cells gives it"
        if drew and any(name.startswith(RANDOM) for name in differing):
            reason = f"cell `{cell}` drew random numbers after other cells had drawn some"
        told = (self._tell(name, step, past) for name in names)
        return Verdict("unclean", f"{next(filter(None, told), reason)}; {REMEDY}")

    def _last_alike(self, step: Step) -> Step | None:
        return next((past for past in reversed(self.session) if past.text == step.text), None)

    def _root(self, step: Step) -> Step:
        """Return the first statement that ran on other values, among those that lead to this."""
        done = {past.key for past in self.session if past.done}
        before = self.notebook[: self.notebook.index(step)]
        past = self._last_alike(step)
        for name, value in step.reads.items():
            makers = [s for s in before if name.partition("/")[0] in s.changed]
            differs = past is None or past.reads.get(name) != value
            if makers and differs and makers[-1].key not in done and makers[-1].reads:
                return self._root(makers[-1])
        return step

    def _tell(self, name: str, step: Step, past: Step) -> str | None:
        """Return how a name came to have another value when a statement ran; None if unknown."""
        position = self.session.index(past)
        later = {p.key for p in self.session[position + 1 :]}
        made = [s for s in self.notebook[: self.notebook.index(step)] if name in s.changed]
        for maker in reversed(made):
            if maker.key in later:
                cell = first_line(self.cells[maker.cell].source)
                return f"cell `{cell}` ran after cells that use it"
        earlier = [p for p in self.session[:position] if name in p.changed]
        twice = f"ran more than once and changes `{name}` each time"
        if earlier:
            last = earlier[-1]
            cell = first_line(self.ran[last.cell].source)
            if self.ran[last.cell].source not in {cell.source for cell in self.cells}:
                return f"cell `{cell}`, which is not in the notebook, changed `{name}`"
            if name in last.reads and sum(p.text == last.text for p in earlier) > 1:
                return f"cell `{cell}` {twice}"
        if name in past.changed and any(p.text == past.text for p in self.session[:position]):
            return f"cell `{first_line(self.ran[past.cell].source)}` {twice}"
        if earlier:
            return f"cell `{cell}` changed `{name}` in another order than the notebook's"
        return None


def _draws(ran: Sequence[Execution]) -> dict[str, frozenset[str] | None]:
    """Return which random states each piece of code was seen to move, in any of its executions."""
    names = dict(zip(("numpy", "python", "torch"), RANDOM, strict=True))
    by_source: dict[str, frozenset[str] | None] = {}
    for execution in ran:
        moved = execution.draws
        before = by_source.get(execution.source, frozenset())
        known = moved is not None and before is not None
        drawn = frozenset(names.get(name, name) for name in moved or ())
        by_source[execution.source] = drawn | (before or frozenset()) if known else None
    return by_source


def first_line(source: str) -> str:
    """Return the first line of a cell that is not a comment, by which people know the cell."""
    lines = source.splitlines()
    code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return first_line_of("\n".join(code) or source)
