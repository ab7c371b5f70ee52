"""MuData objects as `.h5mu` files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import h5ad
from .anndata_fidelity import of_anndata, of_matrices
from .block_files import until_stopped
from .elements import FRAMES, in_file
from .fidelity import differences, of_frames
from .h5ad import in_memory, write_anndata, write_frame, write_item
from .kinds import is_a
from .lazy import of_mudata
from .names import names_in_file
from .on_disk import opened
from .registry import Format
from .rest import Difference

MATRICES = ("obsm", "varm", "obsp", "varp")
MAPS = ("obsmap", "varmap")
USERBLOCK = 512  # bytes at the beginning of the file, where readers look for `MuData`


def unfit(mdata: Any) -> str | None:
    """Return why `.h5mu` cannot hold a MuData, or None."""
    nested = [name for name, inner in mdata.mod.items() if is_a(inner, "mudata", "MuData")]
    if nested:
        return f"has a MuData as its modality {nested[0]!r}"
    odd = [name for name in mdata.mod if names_in_file([name]) != [name]]
    return f"has a modality named {odd[0]!r}, which the file cannot hold" if odd else None


def write(mdata: Any, path: Path) -> None:
    """Write a MuData in mudata's layout, with the nearest forms of what HDF5 cannot hold."""
    import h5py
    import mudata

    mdata = _in_memory(mdata)
    version = mudata.__mudataversion__
    with h5py.File(path, "w", userblock_size=USERBLOCK) as file:
        file.attrs.update({"encoding-type": "MuData", "encoding-version": version})
        file.attrs["axis"] = mdata.axis
        for slot in FRAMES:
            write_frame(file, slot, getattr(mdata, slot))
        for slot in (*MATRICES, *MAPS, "uns"):
            write_item(file, slot, dict(getattr(mdata, slot)))
        group = file.create_group("mod")
        for name, adata in mdata.mod.items():
            write_anndata(group.create_group(name), in_memory(adata))
        group.attrs["mod-order"] = list(mdata.mod)
    with path.open("r+b") as raw:
        signature = f"MuData (format-version={version};creator=mudata;creator-version={version})"
        raw.write(signature.encode().ljust(USERBLOCK, b"\0"))


def changes(mdata: Any, path: Path, details: dict[str, Any] | None) -> Iterator[Difference]:
    """Yield what the file does not preserve; numeric matrices, often large, are not read back."""
    mdata = _in_memory(mdata)
    with opened(path) as file:
        for name, adata in mdata.mod.items():
            slot, place = f"mod[{name!r}].", ("mod", name)
            yield from of_anndata(in_memory(adata), file["mod"][name], slot, place)
        for slot in FRAMES:
            frame = getattr(mdata, slot)
            yield from of_frames(frame, in_file(file[slot]), slot, (slot,), loose=True)
        for slot in MATRICES:
            yield from of_matrices(dict(getattr(mdata, slot)), file[slot], slot, (slot,))
        yield from differences(dict(mdata.uns), in_file(file["uns"]), "uns", ("uns",))


def read(path: Path, details: dict[str, Any] | None) -> Any:
    """Read a MuData into memory."""
    import mudata

    return until_stopped(mudata.read_h5mu, path)


def shape(mdata: Any) -> dict[str, Any]:
    """Return the numbers of cells and features over all modalities."""
    return {"n_cells": mdata.n_obs, "n_features": mdata.n_vars}


def size(mdata: Any) -> int:
    """Return the size of the matrices of all modalities in bytes, as far as known."""
    return sum(map(h5ad.size, mdata.mod.values()))


def _in_memory(mdata: Any) -> Any:
    """Return a MuData that is not a view; for a backed view, read its modalities one by one."""
    if not (mdata.is_view and mdata.isbacked):
        return mdata.copy() if mdata.is_view else mdata
    make, (modalities,) = of_mudata(mdata)
    return make({name: in_memory(adata) for name, adata in modalities.items()})


FORMATS = (
    Format(
        suffix=".h5mu",
        holds="MuData",
        comes_back="MuData; text columns as categories",
        writer=write,
        reader=read,
        types=(("mudata", "MuData"),),
        unfit=unfit,
        comparer=changes,
        shape=shape,
        size=size,
        extra="mudata",
    ),
)
