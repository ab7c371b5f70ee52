"""A simulated kernel that records what it runs as the session recording does."""

from __future__ import annotations

import random
from types import CodeType

import numpy as np
import pandas as pd
from sessions import lab

from checkpoint.replay import Execution


class Kernel:
    """A kernel that runs cells and records them as the session recording does."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Reset everything, as a new kernel would."""
        lab.restart()
        self.names = {
            "__name__": "__main__",
            "save": self._save,
            "print": lambda *_: None,
        }
        self.executions: list[Execution] = []
        self.saved: tuple | None = None
        self.recorded: list[Execution] = []
        self._saving = None

    def _save(self, _step, objects) -> None:
        self._saving = lab.canonical(objects)

    def run(self, source: str, cell: str | None = None) -> bool:
        """Run code, with its cell's id if it has one; return whether it ran to the end."""
        try:
            code = compile(source, "<cell>", "exec")
        except SyntaxError:
            self.executions.append(Execution(source, cell, error=True, ran=False))
            return False
        lab.FIGURES.clear()  # as the inline backend does
        before, self._saving, failure = _states(), None, None
        try:
            exec(code, self.names)
        except Exception as error:
            failure = error
        after = _states()
        self.executions.append(
            Execution(
                source,
                cell,
                error=failure is not None,
                **_where(failure),
                draws=frozenset(name for name in after if after[name] != before[name]),
                kinds=self._kinds(code),
            )
        )
        if self._saving is not None:
            self.saved, self.recorded = self._saving, list(self.executions)
        return failure is None

    def _kinds(self, code: CodeType) -> dict[str, str]:
        found = {name: kind_of(self.names[name]) for name in code.co_names if name in self.names}
        return {name: kind for name, kind in found.items() if kind}


def _states() -> dict[str, object]:
    state = np.random.get_state()
    return {"numpy": (state[1].tobytes(), state[2]), "python": hash(random.getstate())}


def _where(failure: Exception | None) -> dict:
    """Return the cell's line that raised an error, and the missing name if there is one."""
    line, inner = 0, False
    frame = failure.__traceback__ if failure else None
    while frame:
        name = frame.tb_frame.f_code.co_filename
        if name == "<cell>" and frame.tb_frame.f_code.co_name == "<module>":
            line, inner = frame.tb_lineno, False
        elif line and frame.tb_frame.f_code.co_name not in ("__getattr__", "__getattribute__"):
            inner = True
        frame = frame.tb_next
    own = isinstance(failure, NameError | AttributeError) and not inner
    return {"line": line, "missing": getattr(failure, "name", None) or "" if own else ""}


def kind_of(value: object) -> str:
    """Return the kind of a value, one of those that the documentation of `replay` lists."""
    if _plain(value):
        return "plain"
    if isinstance(value, pd.DataFrame):
        text = (
            [value[c] for c in value.columns if value[c].dtype == object]
            if value.columns.is_unique
            else []
        )
        whole = type(value) is pd.DataFrame and len(value) > 0 and value.columns.is_unique
        return "frame" if whole and all(column.map(_plain).all() for column in text) else "array"
    if isinstance(value, pd.Series | pd.Index | np.ndarray):
        return "array"
    if isinstance(value, lab.Adata):
        return "anndata"
    if type(value) in (list, set, dict):
        elements = value.values() if isinstance(value, dict) else value
        flat = "flat " if all(map(_plain, elements)) else ""
        return flat + type(value).__name__
    return "iterator" if hasattr(value, "__next__") else ""


def _plain(value: object) -> bool:
    scalar = isinstance(value, int | float | complex | str | bytes | None | np.generic)
    return scalar or (isinstance(value, tuple | frozenset) and all(map(_plain, value)))
