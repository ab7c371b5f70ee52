"""Check the types of objects without importing the libraries that define them."""

import sys
from collections.abc import Mapping
from typing import Any


def is_a(obj: Any, module: str, name: str, *, exactly: bool = False) -> bool:
    """Return whether an object is an instance of a library's type.

    Parameters
    ----------
    obj
        The object.
    module, name
        The type's module and name. If the module was never imported, the result is False.
    exactly
        Whether to exclude subclasses, which may hold more than the type itself.
    """
    kind = getattr(sys.modules.get(module), name, None)
    if kind is None:
        return False
    return type(obj) is kind if exactly else isinstance(obj, kind)


def type_name(obj: Any) -> str:
    """Return the name of an object's type as users know it: `pandas.DataFrame`, `list`."""
    kind = type(obj)
    package = (kind.__module__ or "builtins").partition(".")[0]  # None for sympy functions
    return kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"


def a_type(obj: Any) -> str:
    """Return the name of an object's type with its article: `a list`, `an int`."""
    return a(type_name(obj))


def a(name: str) -> str:
    """Return a name with its article: `a DataFrame`, `an AnnData`."""
    return f"an {name}" if name[0] in "aeiouAEIO" else f"a {name}"


def is_view(kind: type) -> bool:
    """Return whether a type is that of a part of an AnnData view, such as `adata[:5].obs`.

    Such an object refers to the whole AnnData, which a pickle would include.
    """
    package = (kind.__module__ or "").partition(".")[0]
    return package == "anndata" and kind.__name__.endswith("View")


def shown(obj: Any) -> Any:
    """Return a part of an AnnData view as an independent object, and other objects unchanged."""
    if not is_view(type(obj)):
        return obj
    if is_a(obj, "pandas", "DataFrame"):
        return obj.copy(deep=False)
    if is_a(obj, "numpy", "ndarray"):
        return obj.__array__()
    if isinstance(obj, Mapping):
        return {key: shown(value) for key, value in obj.items()}
    if hasattr(obj, "tocsr"):
        plain = next(
            kind for kind in type(obj).__mro__ if not kind.__module__.startswith("anndata")
        )
        return plain(obj)
    return obj
