"""Write and read objects as `save` and `load` do, without a project."""

import numpy as np
import pandas as pd

from checkpoint.formats import beside, choose


def round_trip(folder, key, obj, told=None):
    """Write an object and the parts its file cannot hold, as `save` does; return it as read."""
    file, entry = choose(key, obj)
    path, rest = folder / file, folder / f"{key}{beside.SUFFIX}"
    details = entry.write(obj, path)
    differences = entry.changes(obj, path, details)
    if told is not None:
        told += [beside.note(one, rest.name) for one in differences]
    again = entry.read(path, details)
    if beside.write_rest(differences, rest):
        again = beside.joined(again, beside.read_rest(rest))
    return again


TABLE = pd.DataFrame(
    {
        "text": ["007", None, "a,b"],
        "float": [0.1, np.nan, 1 / 3],
        "float32": np.array([0.1, 0.2, 1e-30], dtype="float32"),
        "int8": np.array([1, 2, 3], dtype="int8"),
        "big": np.array([1, 2**63, 3], dtype="uint64"),
        "bool": [True, False, True],
        "category": pd.Categorical(["b", "a", "b"], categories=["b", "a", "c"], ordered=True),
        "numbers": pd.Categorical([3, 1, None]),
        "date": pd.to_datetime(["2020-01-01", "2021-02-03 01:02:03.5", None], format="ISO8601"),
        "zone": pd.to_datetime(["2020-01-01", None, "2020-07-01"]).tz_localize("Europe/Paris"),
        "span": pd.to_timedelta([1, None, 90], unit="s"),
        "Int64": pd.array([2**60 + 1, None, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "awkward": ["", "NA", 'line\r\nbreak "quoted"'],
    }
)
