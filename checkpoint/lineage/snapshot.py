"""The current state of a project: records, notebooks, modules and raw files, each read once."""

from collections.abc import Iterator
from functools import cache, cached_property
from typing import NamedTuple

from msgspec import structs

from ..errors import CheckpointDamagedError, ProjectError
from ..notebooks import notebook
from ..notebooks.graph import is_foreign, named_in, saving_cell, scripts_that_save
from ..notebooks.parameters import SET
from ..notebooks.recipe import Recipe, makes_nothing, recipe_of
from ..project.names import unportable
from ..project.project import Project
from ..project.settings import FILE, read_kernels, read_sources
from ..replay import SKIPPED
from ..replay import Cell as CodeCell
from ..storage import committed, hashes, input_hashes, store
from ..storage.checkpoint import Checkpoint
from ..storage.json_record import parse
from ..storage.kernel_run import cells_of, compare, executions_of, signature
from ..storage.opened import results_in
from ..storage.outputs import entry_hash
from ..storage.params import param_hashes, user_params
from ..storage.parts import listing, part_names
from ..storage.schema import (
    RECORD,
    Baseline,
    InputEntry,
    Record,
    Run,
    Verdict,
)
from .changes import Cell, Change, How, Kind, ran_in_order

OURS = (None, "python3")  # kernels that run in the project's environment


class Saved(NamedTuple):
    """The content of a step's folder."""

    record: Record | None  # None if there is none or it cannot be read
    broken: str  # why it cannot be read; empty if it can
    by_hand: bool  # whether there is something to load although `save` recorded nothing
    params: dict[str, str]  # the hash of each group of the user's parameters


class _Source(NamedTuple):
    """The source that makes a step: its notebook, or a command."""

    cells: list[CodeCell]
    kernel: str | None = None  # the one that the notebook names
    recipe: Recipe | None = None  # None for a notebook that calls `save`
    unreadable: str = ""  # why the notebook cannot be read


class Snapshot:
    """A project at one moment; everything is read when it is first needed, and cached."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._steps = {step.name: step for step in project.steps()}
        self.notebooks = {s.name: s.path for s in self._steps.values() if not s.is_script}
        self.folder = cache(project.results_of)  # the folder of a step's results
        self.saved = cache(self._read)  # the content of that folder
        self.baseline = cache(self._baseline)  # the inputs and code that a step is compared with
        self.content = cache(self._content)  # the hash of what other steps can load from it
        self._source_of = cache(self._read_source)
        self._cells_of = cache(self._cells)
        self._module_hash = cache(lambda module: hashes.module_hash(project.root / module))
        self._inside_of = cache(self._inside)
        self._signatures: dict[str, list[str]] = {}

    def shown(self, step: str) -> str:
        """Return the notebook of a step, relative to the project."""
        name = step.partition("/")[0]
        return self.project.show(self.notebooks.get(name) or self.project.notebook(name))

    def steps(self) -> list[str]:
        """Return the steps of all notebooks, then the saved steps without a notebook."""
        folders = self.project.results.glob(f"*/{RECORD}")
        others = sorted({path.parent.name for path in folders} - self._steps.keys())
        return [*self._steps, *(name for name in others if not unportable(name))]

    def recipe(self, step: str) -> Recipe | None:
        """Return the recipe of a step that does not call `save`; None for other steps."""
        return self._source_of(step).recipe if step in self._steps else None

    def inputs(self, step: str) -> list[str]:
        """Return the steps and sub-checkpoints that a step is made from."""
        inputs = self.baseline(step).inputs
        return [name.removeprefix("results/") for name in inputs if is_step(name)]

    def parts(self, step: str) -> list[str]:
        """Return the sub-checkpoints of a step that a loop made or that other steps loaded."""
        loaded = [part for part in self._loaded_parts if part.startswith(f"{step}/")]
        return list(dict.fromkeys([*self.listed(step), *loaded]))

    @cached_property
    def _loaded_parts(self) -> list[str]:
        loaded = {name for step in self._steps for name in self.inputs(step)}
        return sorted(name for name in loaded if "/" in name)

    def listed(self, step: str) -> dict[str, str]:
        """Return the parts that a loop made, each with the hash of its content at that time."""
        record = self.saved(step).record
        return {f"{step}/{name}": h for name, h in record.parts.items()} if record else {}

    def inside(self, step: str) -> list[str]:
        """Return the sub-checkpoints in the folder of a step or sub-checkpoint."""
        return self._inside_of(step.partition("/")[0]).get(step, [])

    def _inside(self, whole: str) -> dict[str, list[str]]:
        inside: dict[str, list[str]] = {}
        for part in part_names(self.project, whole):
            around = part
            while around := around.rpartition("/")[0]:
                inside.setdefault(around, []).append(part)
        return inside

    def damage(self, step: str, record: Record) -> Iterator[Change]:
        """Yield the saved files that changed or are missing."""
        folder = self.folder(step)
        for file, entry in record.files.items():
            try:
                here = folder / file  # usually it is here and unchanged
                if hashes.has_stamp(here, entry):
                    continue
                if not hashes.is_unchanged(committed.locate(folder, file), entry):
                    yield Change(Kind.FILE, How.CHANGED, file, step)
            except FileNotFoundError:
                yield Change(Kind.FILE, How.MISSING, file, step)

    def input_now(self, name: str, recorded: InputEntry | None, since: str) -> InputEntry | None:
        """Return an input's current content, or `recorded` if unchanged; None if it is missing."""
        path = self.project.place(name)
        if name.endswith("/"):
            return listing(self.project, name.rstrip("/")) if path.is_dir() else None
        if not path.is_file():
            return None
        if recorded and input_hashes.is_same(self.project, path, recorded, since):
            return recorded
        return input_hashes.entry_of(self.project, path)

    def module_now(self, step: str, module: str) -> str | None:
        """Return the hash of a module's code; None if it is missing."""
        if module == FILE:
            recipe = self.recipe(step)
            return entry_hash(recipe.entry) if recipe else None
        return self._module_hash(module)

    def cells(self, step: str) -> list[Cell]:
        """Return the code cells that run for a step, up to the one that saves it."""
        record = self.saved(step).record if "/" in step else None
        if record and record.looped:
            step = f"{step.partition('/')[0]}/·"  # the same for all parts
        return self._cells_of(step)

    def _cells(self, step: str) -> list[Cell]:
        sources = [cell.source for cell in self._code_cells(step) if SKIPPED not in cell.tags]
        last = saving_cell(sources, step)
        run = sources[: None if last is None else last + 1]
        hashed = [(hashes.code_hash(source), source) for source in run]
        return [Cell(code, notebook.first_line(source)) for code, source in hashed if code]

    def verdict(self, step: str, record: Record) -> Verdict | None:
        """Return the verdict on whether the session matches the notebook; None if unknown."""
        run, cells = record.run, self._code_cells(step)
        if run is None or step.partition("/")[0] not in self.notebooks or self.unreadable(step):
            return run.verdict if run else None
        if run.verdict is None:
            return self._verdict_of_older(step, run)
        if run.verdict.notebook == self._signature(step, record):
            return run.verdict
        executions = executions_of(self.folder(step), run)
        if executions is None:
            return Verdict("edited", reason="cells were changed, removed or moved")
        return compare(executions, cells, step)

    def _signature(self, step: str, record: Record) -> list[str]:
        # all parts of a loop share the code of one notebook
        key = f"{step.partition('/')[0]}/" if record.looped else step
        if key not in self._signatures:
            self._signatures[key] = signature(self._code_cells(step), step)
        return self._signatures[key]

    def sources(self, step: str) -> list[str]:
        """Return the code cells of a step's notebook; empty if it cannot be read."""
        return [cell.source for cell in self._code_cells(step)]

    def is_foreign(self, step: str) -> bool:
        """Return whether a step is a notebook that is not adopted: it neither loads nor saves."""
        if step not in self.notebooks:
            return False
        if self.recipe(step):  # in another language
            return makes_nothing(self.project, self._steps[step], self.sources(step))
        # a helper function may save
        return is_foreign(self.sources(step)) and not scripts_that_save(self.project)

    def has_own_kernel(self, step: str) -> bool:
        """Return whether a notebook's kernel runs outside the project's environment."""
        name = step.partition("/")[0]
        return (read_kernels(self.project).get(name) or self._source_of(name).kernel) not in OURS

    def unreadable(self, step: str) -> str:
        """Return why a step's notebook cannot be read; empty if it can, or no notebook made it."""
        return self._source_of(step.partition("/")[0]).unreadable

    def has_set_cell(self, step: str) -> bool:
        """Return whether the notebook has a cell that `run --set` added."""
        return any(source.startswith(SET) for source in self.sources(step))

    def _code_cells(self, step: str) -> list[CodeCell]:
        return self._source_of(step.partition("/")[0]).cells

    def _read_source(self, name: str) -> _Source:
        known = self._steps.get(name)
        if known is None:
            return _Source([], unreadable="does not exist" if self._lost_its_notebook(name) else "")
        if known.is_script:
            return _Source([], recipe=recipe_of(self.project, known))
        try:
            content = notebook.read_whole(known.path)
        except ProjectError as error:
            return _Source([], unreadable=str(error).removeprefix(f"{known.path} "))
        recipe = recipe_of(self.project, known, content)
        return _Source(cells_of(content), notebook.kernel(content), recipe)

    def _lost_its_notebook(self, name: str) -> bool:
        """Return whether a notebook made a step, and nothing is left that could make it again."""
        record = self.saved(name).record
        ran = record and record.run and not (record.given or record.accepted)
        if not (ran and self.project.is_of_a_notebook(name)):
            return False  # for example, results of a script that `%run` ran
        left = {*read_sources(self.project), *(path.stem for path in self.project.notebook_files())}
        return name not in left and not scripts_that_save(self.project, name)

    def _baseline(self, step: str) -> Baseline:
        """Return what a step recorded, or else what its notebook names."""
        record = self.saved(step).record
        baseline = record.baseline if record else self._named(step)
        if (recipe := self.recipe(step)) and record and not record.given:
            # files that are code of the step now, but were not when it was made, count as changed
            code = dict.fromkeys([*recipe.code, FILE])
            baseline = structs.replace(baseline, modules={**code, **baseline.modules})
        return baseline

    def _content(self, step: str) -> str:
        record = self.saved(step).record
        return record.content_hash if record else Checkpoint(self.project, step).content_hash()

    def _verdict_of_older(self, step: str, run: Run) -> Verdict:
        cells = self.cells(step)
        if any(cell.code not in run.cells for cell in cells):
            return Verdict("edited", reason="cells were changed")
        if ran_in_order(run, cells):
            return Verdict("clean")
        return Verdict("unclean", reason="other cells ran, or in another order")

    def _read(self, step: str) -> Saved:
        folder = self.folder(step)
        store.recover(folder)
        try:
            raw = committed.read_raw(folder)
            record = None if raw is None else parse(raw)
        except CheckpointDamagedError as error:
            return Saved(None, str(error), False, {})
        params = param_hashes(user_params(raw or {}))
        # files in other formats cannot be loaded, so they are not results
        by_hand = record is None and (raw is not None or bool(results_in(folder)))
        return Saved(record, "", by_hand, params)

    def _named(self, step: str) -> Baseline:
        """Return what a step is made from according to its notebook's load and data_file calls."""
        if recipe := self.recipe(step):
            inputs = [f"results/{loaded}" for loaded in recipe.loads]
            return Baseline(None, {}, dict.fromkeys(inputs), {}, {})
        named = named_in(self.sources(step))
        inputs = [f"data/{file}" for file in named.files]
        steps = (loaded.removesuffix("/") for loaded in named.steps)
        inputs += [f"results/{loaded}" for loaded in steps if loaded.partition("/")[0] != step]
        cells: list[str] | None = [] if step.partition("/")[0] in self.notebooks else None
        return Baseline(cells, {}, dict.fromkeys(inputs), {}, {})


def is_step(name: str) -> bool:
    """Return whether the name of an input is that of a step or sub-checkpoint."""
    kind, _, step = name.partition("/")
    return kind == "results" and not any(map(unportable, step.split("/")))
