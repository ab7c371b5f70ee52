"""Functions that make the objects of the fidelity tables, and the possible outcomes of a save."""

import dataclasses
import datetime
import decimal
import enum

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

EQUAL, TOLD, REFUSED = "equal", "told", "refused"


def cells(n=4, **slots):
    adata = ad.AnnData(sp.eye(n, 3, format="csr", dtype="float32"))
    adata.obs_names = [f"cell{i}" for i in range(n)]
    for slot, value in slots.items():
        if slot in ("obs", "var"):
            for name, column in value.items():
                getattr(adata, slot)[name] = column
        else:
            setattr(adata, slot, value)
    return adata


def obs(column):
    return lambda: cells(obs={"x": column})


def uns(value):
    return lambda: cells(uns={"x": value})


def table(*args, **kwargs):
    return lambda: pd.DataFrame(*args, **kwargs)


def column(values, dtype=None):
    return lambda: pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def ragged():
    array = np.empty(2, dtype=object)
    array[:] = [[1], [1, 2]]
    return array


def with_attrs(make, **attrs):
    def build():
        frame = make()
        frame.attrs.update(attrs)
        return frame

    return build


def raw_of(adata):
    adata.raw = adata
    return adata


def indexed(index):
    adata = cells()
    adata.obs.index = index
    return adata


def renamed(adata, name):
    adata.obs.index.name = name
    return adata


UTC, BERLIN = "UTC", "Europe/Berlin"
DAY = datetime.date(2020, 1, 2)
NOON = datetime.datetime(2020, 1, 2, 12)

D = decimal.Decimal
LATER = datetime.date(2021, 3, 4)


class Colour(enum.Enum):
    RED = 1


class Kind(enum.StrEnum):
    RNA = "rna"


@dataclasses.dataclass
class Settings:
    seed: int
    pair: tuple


class Failed(Exception):
    """An exception whose `args` differ from the arguments of its constructor, as in libraries."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class Units(np.ndarray):
    """An array with units, like those of unyt, astropy and pint."""

    def __new__(cls, values, unit):
        array = np.asarray(values).view(cls)
        array.unit = unit
        return array

    def __array_finalize__(self, other):
        self.unit = getattr(other, "unit", None)

    def __reduce__(self):
        return Units, (np.asarray(self), self.unit)
