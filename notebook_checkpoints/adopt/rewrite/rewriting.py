"""Rewrite one notebook: the edits of its cells, its load cell and its save cell."""

import ast
from collections.abc import Sequence
from itertools import chain

from ..scan.functions import needs_text
from ..scan.places import HOLE, quoted
from ..scan.scan import exists
from ..scan.uses import Use
from .adopted import KEPT
from .cells import CUT, rewritten
from .inputs import Loads, edits_of_reads, why_not
from .move import move_of
from .needless_code import edits_of_needless
from .outputs import Output, Outputs, Stored
from .parameters import params_of
from .plans import Project, Rewritten
from .refusals import FUNCTIONS
from .statements import Code, Edit, bound_names

MARK = "# adopt:"
RAW = "data/"


class Rewriting:
    """Rewrites one notebook.

    Parameters
    ----------
    project
        What it needs to know about the others.
    path, codes, outputs
        The notebook, its cells, and what becomes of the files that it writes.
    all_stored, own
        Where each file of the chain is, and those that it writes itself.
    """

    def __init__(
        self,
        project: Project,
        path: str,
        codes: list[Code],
        outputs: Outputs,
        all_stored: dict[str, Stored],
        own: dict[str, Stored],
    ) -> None:
        self.project, self.codes, self.outputs, self.own = project, codes, outputs, own
        self.scanned = project.chain.unit(path)
        self.step = self.scanned.unit.name
        self.move = move_of(project.root, self.scanned)
        self.stored = {
            id(use.call): all_stored[use.place.text]
            for use in self.scanned.reads
            if use.place.text in all_stored
            and use.place.text not in own
            and not why_not(codes[use.cell], use)
        }
        self.names = bound_names(self.scanned.unit.trees)
        used = {
            node.id
            for tree in self.scanned.unit.trees
            for node in ast.walk(tree)
            if isinstance(node, ast.Name)
        }
        stars = any(
            isinstance(node, ast.alias) and node.name == "*"
            for tree in self.scanned.unit.trees
            for node in ast.walk(tree)
        )
        taken = self.names | used
        self.prefix = "checkpoint." if stars or taken & {*FUNCTIONS} else ""
        self.loads = Loads(taken | {*FUNCTIONS, "checkpoint", "Path", "pathlib"}, self.prefix)
        self.edits: list[Edit] = []
        self.left: list[str] = []
        self.replaced: set[int] = set()  # ids of the paths that are no longer read or written there
        self.needs: set[str] = {"save"}
        own_path = "Path" not in taken or self._imports_path()
        self.path_class = "Path" if own_path else "pathlib.Path"

    def result(self) -> Rewritten:
        """Return the rewritten notebook."""
        self._reads()
        save = self._saves()
        self._paths_that_moved()
        self._marks()
        load = self._load_cell()
        content = rewritten(self.scanned.unit.content or {}, self.edits, load, save)
        inputs = [self.stored.get(id(use.call), use) for use in self.scanned.reads]
        self.left += self.scanned.unknown
        return Rewritten(self.scanned, self.move.path, content, self.own, inputs, self.left)

    # --- what it reads ---

    def _reads(self) -> None:
        fixed = [file.checkpoint for file in self.stored.values() if HOLE not in file.part]
        self.loads.choose(fixed)
        if self.stored:
            self.needs.add("load")
        self.edits += edits_of_reads(self.scanned, self.codes, self.stored, self.loads)
        for use in self.scanned.reads:
            if id(use.call) in self.stored:
                self.replaced.add(id(use.path))
            elif self._is_raw(use):
                assert use.path is not None
                code = self.codes[use.cell]
                name = use.place.code(use.place.text.removeprefix(RAW))
                text = f"{self.prefix}data_file({name})"
                text = f"str({text})" if use.call and needs_text(use.call) else text
                self.edits.append(Edit(use.cell, *code.span(use.path), text))
                self.replaced.add(id(use.path))
                self.needs.add("data_file")

    def _is_raw(self, use: Use) -> bool:
        """Tell whether a read is of a raw file; a clone may not have it yet."""
        written = any(True for _ in self.project.chain.writers(use.place))
        is_below = use.place.text.startswith(RAW)
        return is_below and not written and not why_not(self.codes[use.cell], use)

    # --- what it writes ---

    def _saves(self) -> str | None:
        """Edit the writers; return the code of a new save cell, None if a cell saves already."""
        for part, group in self.outputs.parts.items():
            self._save_at(group, part)
        if self.outputs.last:
            self._save_at(self.outputs.last, "")
        outputs = [*self.outputs.last, *chain.from_iterable(self.outputs.parts.values())]
        gone = [output for output in outputs if not output.stays]
        self.edits += edits_of_needless(self.scanned, self.codes, gone, self.replaced, self.move)
        return None if self.outputs.last else self._call("", [], "")

    def _save_at(self, group: list[Output], part: str) -> None:
        """Save what a group of statements writes, after the last of them."""
        last = group[-1]
        for output in group:
            code, cell = self.codes[output.use.cell], output.use.cell
            whole = code.whole_lines(output.statement)
            assert whole
            if output.stays:
                if output.kept and output.form:
                    note = f"{KEPT}{output.kept} this file"
                    self._note(cell, output.anchor, note)
            else:
                self.replaced.add(id(output.use.path))
                if output is not last:
                    self.edits.append(Edit(cell, *whole, ""))
        cell, code = last.use.cell, self.codes[last.use.cell]
        statement = last.statement
        whole = code.whole_lines(statement)
        assert whole
        indent = code.indent(statement)
        text = "".join(
            f"{indent}{line}\n" if line else "\n"
            for line in [
                *self._categories(group, part),
                *self._call(part, group, indent).split("\n"),
            ]
        )
        if not part:
            text = f"{CUT}{text}{CUT}"
        if last.stays:
            start = whole[1]
            text = text if code.source[:start].endswith("\n") else f"\n{text}"
            self.edits.append(Edit(cell, start, start, text))
        else:
            self.edits.append(Edit(cell, *whole, text))

    def _call(self, part: str, group: Sequence[Output], indent: str) -> str:
        """Return the call of `save`."""
        name = quoted(self.step)
        if part:
            name = group[0].use.place.code(f"{self.step}/{part}".replace("{", "").replace("}", ""))
        objects = []
        for output in group:
            code = self.codes[output.use.cell]
            if output.form:
                inside = code.text(output.form.node)
                value = output.form.template.format(inside)
            else:
                assert output.use.path is not None
                value = f"{self.path_class}({self._path_code(output.use)})"
                self.needs.add("Path")
            objects.append(f"{quoted(output.key)}: {value}")
        params = params_of(self.scanned, self.codes) if not part else ""
        if not params and len(objects) <= 1:
            return f"{self.prefix}save({', '.join([name, *(f'{{{entry}}}' for entry in objects)])})"
        lines = [f"{self.prefix}save(", f"    {name},"]
        if objects:
            lines += ["    {", *(f"        {entry}," for entry in objects), "    },"]
        lines += [f"    params={params},"] if params else []
        return "\n".join([*lines, ")"])

    def _path_code(self, use: Use) -> str:
        assert use.path is not None
        if self.move.changes(use.place) and HOLE not in use.place.text:
            return quoted(self.move.relative(use.place.text))
        if self.move.changes(use.place):
            return use.place.code(self.move.relative(use.place.text))
        return self.codes[use.cell].text(use.path)

    def _categories(self, group: Sequence[Output], part: str) -> list[str]:
        """Return what `write_h5ad` does to an AnnData in memory, if that is used afterwards."""
        lines = []
        for output in group:
            if not output.form or output.form.suffix != ".h5ad" or output.kept:
                continue
            name = self.codes[output.use.cell].text(output.form.node)
            if part or self._is_used_after(output):
                lines += [
                    f"{name}.strings_to_categoricals()  # as write_h5ad does",
                    f"if {name}.raw is not None:",
                    f"    {name}.strings_to_categoricals({name}.raw.var)",
                ]
        return lines

    def _is_used_after(self, output: Output) -> bool:
        assert output.form
        names = {node.id for node in ast.walk(output.form.node) if isinstance(node, ast.Name)}
        end = output.block.end_lineno or 0
        later = [
            statement
            for cell, code in enumerate(self.codes)
            for statement in code.tree.body
            if (cell, statement.lineno) > (output.use.cell, end)
        ]
        anchors = {id(output.block) for output in self.outputs.last}
        used = {
            node.id
            for statement in later
            if id(statement) not in anchors
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        }
        return bool(names & used) or self._has_aliases(names)

    def _has_aliases(self, names: set[str]) -> bool:
        return any(
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name)
            and (
                node.value.id in names
                or any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
            )
            for code in self.codes
            for node in ast.walk(code.tree)
        )

    # --- the rest ---

    def _load_cell(self) -> str:
        functions = sorted(name for name in self.needs if name in FUNCTIONS)
        lines = []
        if "Path" in self.needs:
            lines += [
                "import pathlib" if "." in self.path_class else "from pathlib import Path",
                "",
            ]
        if self.prefix:
            lines.append(f"from {self.project.package} import checkpoint")
        else:
            lines.append(f"from {self.project.package}.checkpoint import {', '.join(functions)}")
        loads = self.loads.lines()
        return "\n".join([*lines, *([""] if loads else []), *loads])

    def _paths_that_moved(self) -> None:
        """Rewrite the paths that stay, so that they lead to the same files from the new folder."""
        for use in self.scanned.uses:
            if id(use.path) in self.replaced or use.path is None:
                continue
            if self.move.changes(use.place) and use.is_certain:
                text = use.place.code(self.move.relative(use.place.text))
                span = self.codes[use.cell].span(use.path)
                self.edits.append(Edit(use.cell, *span, text))
        for cell, call, path, folder in self.move.folders(self.scanned):
            place, _ = self.codes[cell].span(call)
            if any(e.cell == cell and not e.text and e.start <= place < e.end for e in self.edits):
                continue  # it was removed
            text = quoted(self.move.relative(folder))
            if getattr(call.func, "attr", "") == "mkdir":
                text = f"{self.path_class}({text})"
                self.needs.add("Path")
            start, end = self.codes[cell].span(path)
            self.edits.append(Edit(cell, start, end, text))

        for cell, path, folder in self.move.figure_folders(self.scanned):
            span = self.codes[cell].span(path)
            self.edits.append(Edit(cell, *span, quoted(self.move.relative(folder))))

    def _marks(self) -> None:
        """Mark and list what stays although it reads or writes a file of the chain."""
        for use, reason in self.outputs.left:
            self._stays(use, f"not saved: {reason}")
        for use in self.scanned.reads:
            if id(use.path) in self.replaced or use.call is None:
                continue
            writers = [writer.unit.path for writer, _ in self.project.chain.writers(use.place)]
            own = [path for path in writers if path == self.scanned.unit.path]
            reason = why_not(self.codes[use.cell], use)
            if use.place.is_absolute:
                self._stays(use, "an absolute path exists on one machine only")
            elif own:
                continue
            elif writers and reason:
                self._stays(use, f"not loaded: {reason}")
            elif writers:
                who = " and ".join(dict.fromkeys(writers))
                self.left.append(f"reads {use.place.shown} as a file, as it is written by {who}")
            elif not exists(self.project.root, use.place):
                self._stays(use, f"{use.place.shown} is not here, and nothing writes it")

    def _stays(self, use: Use, reason: str) -> None:
        verb = "writes" if use.writes else "reads"
        self.left.append(f"{verb} {use.place.shown}: {reason} (`{use.line}`)")
        statement = self.codes[use.cell].statement(use.call) if use.call else None
        if statement is not None:
            self._note(use.cell, statement, f"{MARK} {reason}")

    def _note(self, cell: int, statement: ast.stmt, text: str) -> None:
        """Put a comment above a statement."""
        code = self.codes[cell]
        whole = code.whole_lines(statement)
        lines = code.lines[: statement.lineno - 1]
        if whole is None or (lines and lines[-1].rstrip().endswith("\\")):
            return
        already = any(
            edit.cell == cell and edit.start <= whole[0] < edit.end for edit in self.edits
        )
        text = f"{code.indent(statement)}{text}\n"
        if not already and Edit(cell, whole[0], whole[0], text) not in self.edits:
            self.edits.append(Edit(cell, whole[0], whole[0], text))

    def _imports_path(self) -> bool:
        """Tell whether `Path` is that of pathlib and nothing else."""
        bound = [
            node.module
            for tree in self.scanned.unit.trees
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if (alias.asname or alias.name) == "Path"
        ]
        assigned = any(
            isinstance(node, ast.Name) and node.id == "Path" and not isinstance(node.ctx, ast.Load)
            for tree in self.scanned.unit.trees
            for node in ast.walk(tree)
        )
        return bool(bound) and set(bound) == {"pathlib"} and not assigned
