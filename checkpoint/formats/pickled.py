"""All other objects as `.pkl`.

The bytes of a pickle that contains a set of text differ between runs, since the order of such a
set differs between Python processes.
"""

import copyreg
import importlib
import operator
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any

from ..errors import CheckpointFormatError
from . import lazy
from .block_files import create, opened
from .kinds import is_a, is_view, shown, type_name
from .registry import ANY, Format, reason
from .rest import Difference

LOCAL = ("__main__", "__mp_main__")  # the notebook, in its own process and in child processes
PROTOCOL = 5  # every supported Python reads it
# attributes of exception groups, and the `obj` of an AttributeError, which Python omits as well
FIXED = ("message", "exceptions", "obj")


def unfit(obj: Any) -> str | None:
    """Return why an object is not meant for `.pkl`, or None; only trying shows if it pickles."""
    artist = is_a(obj, "matplotlib.artist", "Artist")
    if artist and not is_a(obj, "matplotlib.figure", "Figure"):
        return "is a part of a figure; save it as .png, .pdf or .svg"
    return None


def write(obj: Any, path: Path) -> None:
    """Pickle an object, computing lazy data in it."""
    with create(path) as file:
        _Pickler(file, protocol=PROTOCOL).dump(obj)


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Unpickle an object. This runs code: read pickles only from people you trust."""
    with opened(path) as file:
        return pickle.load(file)


def changes(obj: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Read the pickle back, since some can be written but not read; yield a change of type."""
    with opened(path) as file:
        again = _Unpickler(file).load()
    if type_name(again) != type_name(obj):  # by name, since each pint registry has its own types
        yield Difference("it", f"is {type(obj).__name__} and comes back as {type(again).__name__}")


def explain(obj: Any, error: Exception) -> str:
    """Return a message that says which part of an object cannot be pickled, and what to do."""
    unnamed = "local object" in str(error) or "attribute lookup" in str(error)
    advice = (
        "Define it at the top of a module in the project's package, below src/"
        if unnamed
        else "Save what it holds, as arrays, tables, lists or text, instead"
    )
    return f"{_blamed(obj)} cannot be pickled: {reason(error)}. {advice}"


def _blamed(obj: Any, place: str = "", depth: int = 9) -> str:
    """Return the place of the part in lists and dicts that cannot be pickled: `['sample2'][0]`."""
    parts: Any = ()
    if depth and isinstance(obj, dict | list | tuple):
        parts = obj.items() if isinstance(obj, dict) else enumerate(obj)
    for key, part in parts:
        try:
            write(part, Path(os.devnull))
        except Exception:
            return _blamed(part, f"{place}[{key!r}]", depth - 1)
    return place or "it"


class _Pickler(pickle.Pickler):
    """A pickler that saves the data of lazy objects instead of the path to the data.

    It refuses objects that no other notebook could load, and leaves out data that views hide.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handlers: dict[type, Callable[[Any], Any] | None] = {}
        self._computed: dict[int, Any] = {}

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if issubclass(kind, type | FunctionType):
            _refuse_if_local(getattr(obj, "__module__", None), obj.__qualname__)
            return NotImplemented
        if kind is ModuleType and obj.__name__ != "__main__":  # SciPy results contain one
            return importlib.import_module, (obj.__name__,)
        if kind not in self._handlers:
            self._handlers[kind] = _handler_of(kind)
        handler = self._handlers[kind]
        if handler is None or id(obj) in self._computed:
            return NotImplemented
        reduced = handler(obj)
        if reduced is None:
            return NotImplemented
        if reduced[0] is lazy.itself(None)[0]:
            plain = reduced[1][0][0]
            self._computed[id(plain)] = plain  # kept, so that its id is not reused
        return reduced


class _Unpickler(pickle.Unpickler):
    """An unpickler that finds only objects that another notebook can find.

    It rejects the notebook's objects that the pickler misses, such as a `functools.cache` function.
    """

    def find_class(self, module: str, name: str) -> Any:
        _refuse_if_local(module, name)
        return super().find_class(module, name)


def _refuse_if_local(module: str | None, name: str) -> None:
    if module in LOCAL:
        raise CheckpointFormatError(
            f"it needs {name}, which is defined in the notebook and does not exist "
            "where another notebook loads it. Define it in the project's package, below src/"
        )


def _handler_of(kind: type) -> Callable[[Any], Any] | None:
    if issubclass(kind, BaseException) and not isinstance(kind.__reduce__, FunctionType):
        return _of_exception
    if is_view(kind):
        return _of_view
    if hasattr(kind, "get_total_buffer_size"):
        return _of_arrow
    if issubclass(kind, getattr(sys.modules.get("matplotlib.figure"), "Figure", ())):
        return _of_figure
    return _of_array if _is_array_with_attributes(kind) else lazy.handler_of(kind)


def _is_array_with_attributes(kind: type) -> bool:
    numpy = sys.modules.get("numpy")
    if not numpy or not issubclass(kind, numpy.ndarray) or issubclass(kind, numpy.memmap):
        return False  # the attributes of a memmap only describe its file
    base = numpy.ma.MaskedArray if issubclass(kind, numpy.ma.MaskedArray) else numpy.ndarray
    methods = ("__reduce__", "__reduce_ex__", "__setstate__")
    return all(getattr(kind, name) is getattr(base, name) for name in methods)


class _Attribute:
    """An attribute that unpickling sets on an object."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __reduce__(self) -> lazy.Reduced:
        return setattr, self.arguments


def _of_array(array: Any) -> lazy.Reduced | None:
    """Keep the attributes of a NumPy array subclass, which NumPy's own pickle drops."""
    plain, attributes = array.view(), getattr(array, "__dict__", {})
    if is_a(array, "numpy.ma", "MaskedArray"):  # besides values, mask and fill value
        usual = sys.modules["numpy"].ma.array([]).__dict__
        hard = {"_hardmask": True} if array.hardmask else {}
        attributes = {name: attributes[name] for name in attributes.keys() - usual.keys()} | hard
    kept = (_Attribute(plain, name, value) for name, value in attributes.items())
    return (operator.getitem, ([plain, *kept], 0)) if attributes else None


def _of_arrow(values: Any) -> lazy.Reduced | None:
    """Leave out what a slice of an Arrow table or array hides; Arrow would pickle all of it."""
    import pyarrow as pa

    if values.nbytes >= values.get_total_buffer_size():
        return None
    is_table = isinstance(values, pa.Table | pa.RecordBatch)
    make = pa.table if isinstance(values, pa.ChunkedArray) else pa.record_batch
    table: Any = values if is_table else make([values], names=["values"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write(table)
    read: Any = pa.ipc.open_stream(sink.getvalue())
    cut = read.read_all() if isinstance(table, pa.Table) else read.read_next_batch()
    return lazy.itself(cut if is_table else cut.column(0))


def _of_figure(figure: Any) -> lazy.Reduced:
    """Drop a figure's registration in pyplot, which would show another figure when it is read."""
    make, arguments, state, *more = figure.__reduce_ex__(PROTOCOL)
    return make, arguments, {k: v for k, v in state.items() if k != "_restore_to_pylab"}, *more


def _of_exception(error: BaseException) -> lazy.Reduced:
    """Keep an exception with its cause, and skip a custom `__init__` when it is read."""
    reduced: Any = error.__reduce__()
    make, arguments, *states = reduced
    state = {**(states[0] if states else {}), **vars(error), **_slots(error)}
    if error.__cause__:
        state["__cause__"] = error.__cause__
    if not isinstance(type(error).__init__, FunctionType):
        return make, arguments, state or None
    if isinstance(error, OSError):  # sets args in the `__init__` that is skipped
        state["args"] = error.args
    return copyreg.__newobj__, (type(error), *error.args), state or None  # type: ignore[attr-defined]


def _slots(error: BaseException) -> dict[str, Any]:
    """Return an exception's attributes outside its `__dict__`, such as a NameError's `name`."""
    found: dict[str, Any] = {}
    for kind in type(error).__mro__:
        names = [n for n, member in vars(kind).items() if type(member) is MemberDescriptorType]
        values = {name: getattr(error, name) for name in names if hasattr(error, name)}
        if kind.__module__ == "builtins":  # None means not set; some cannot be set
            found |= {n: v for n, v in values.items() if v is not None and n not in FIXED}
        else:
            found |= values
    return found


def _of_view(obj: Any) -> lazy.Reduced:
    return lazy.itself(shown(obj))


FORMATS = (
    Format(
        suffix=".pkl",
        holds="anything else that pickles",
        comes_back="the same",
        writer=write,
        reader=read,
        types=ANY,
        unfit=unfit,
        comparer=changes,
        explain=explain,
        runs_code=True,
    ),
)
