"""Tell what an object is without importing the library that it would come from."""

import sys
from typing import Any


def is_a(obj: Any, module: str, name: str, *, exactly: bool = False) -> bool:
    """Tell whether an object is of a library's type.

    Parameters
    ----------
    obj
        The object.
    module, name
        The type. If its module was never imported, nothing can be of that type.
    exactly
        Whether a subclass, which may hold more than its base, does not count.
    """
    kind = getattr(sys.modules.get(module), name, None)
    if kind is None:
        return False
    return type(obj) is kind if exactly else isinstance(obj, kind)


def type_name(obj: Any) -> str:
    """Return the name of an object's type as users know it: `pandas.DataFrame`, `list`."""
    kind = type(obj)
    package = kind.__module__.partition(".")[0]
    return kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"


def a_type(obj: Any) -> str:
    """Return the name of an object's type with its article: `a list`, `an int`."""
    name = type_name(obj)
    return f"an {name}" if name[0] in "aeiouAEIO" else f"a {name}"
