"""Check and hash the parameters that a user gives to `save`."""

from collections.abc import Mapping
from typing import Any

from ..errors import CheckpointValueError
from ..formats.kinds import a_type
from .hashes import value_hash

RESERVED = ("timestamp", "data_shapes", "checkpoint")  # the other keys of `params.json`


def checked(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the `params` of a save, converted to JSON types.

    Raises
    ------
    CheckpointValueError
        If JSON cannot represent a value, or a key is one that `save` writes itself. The message
        names it.
    """
    from ..formats import json_values

    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise CheckpointValueError(f"params must be a dict, got {a_type(params)}", key="params")
    for key in RESERVED:
        if key in params:
            raise CheckpointValueError(
                f"params[{key!r}]: save writes {key!r} itself; choose another name", key=key
            )
    try:
        groups: dict[str, Any] = json_values.plain(dict(params), "params")
    except (TypeError, ValueError) as error:
        raise CheckpointValueError(str(error), key="params") from error
    except RecursionError:
        raise CheckpointValueError(
            "params contain themselves; JSON cannot hold that", key="params"
        ) from None
    return groups


def user_params(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user's parameters in a `params.json`, whether or not `save` wrote it."""
    return {key: value for key, value in raw.items() if key not in RESERVED}


def param_hashes(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the hash of each group of the user's parameters."""
    return {name: value_hash(group) for name, group in params.items()}
