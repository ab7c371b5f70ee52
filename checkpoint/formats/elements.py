"""Read elements of a file in anndata's format: `obs`, a matrix, a whole AnnData."""

from collections.abc import Callable
from typing import Any

from . import in_blocks
from .kinds import is_a, shown

FRAMES = ("obs", "var")
MATRICES = ("layers", "obsm", "varm", "obsp", "varp")


def in_file(element: Any) -> Any:
    """Read an element of a file; return values in memory unchanged."""
    from anndata.experimental import read_dispatched

    if not is_stored(element):
        return element
    value: Any = read_dispatched(element, _in_blocks)
    # anndata reads a raw without cells as None
    if is_a(value, "anndata", "AnnData") and value.raw is None and "raw" in element:
        value.raw = read_dispatched(element["raw"], _in_blocks)
    return value


def are_folders(group: Any) -> bool:
    """Return whether the names in a group are folder names, as in zarr."""
    return is_a(group, "zarr", "Group")


def is_stored(element: Any) -> bool:
    """Return whether a value is an element of a file, not a value in memory."""
    kinds = (("h5py", "HLObject"), ("zarr", "Group"), ("zarr", "Array"))
    return any(is_a(element, *kind) for kind in kinds)


def part_of(stored: Any, name: str) -> Any:
    """Return a part, such as `obs`, of an AnnData in a file or in memory."""
    return stored[name] if is_stored(stored) else getattr(stored, name)


def matrices_of(adata: Any, slot: str) -> dict[Any, Any]:
    """Return the entries of layers, obsm, varm, obsp or varp."""
    # since anndata 0.13 the layer None is X
    return {key: shown(value) for key, value in getattr(adata, slot).items() if key is not None}


def _in_blocks(read: Callable[[Any], Any], name: str, element: Any, iospec: Any) -> Any:
    """Read an element of a file as anndata does, but large matrices in HDF5 block by block."""
    import anndata
    import scipy.sparse

    kind = iospec.encoding_type
    if kind == "array" and is_a(element, "h5py", "Dataset"):
        return in_blocks.read(element)
    is_sparse = kind in ("csr_matrix", "csc_matrix") and not are_folders(element)
    if not is_sparse or element["data"].nbytes <= in_blocks.BLOCK:
        return read(element)
    if anndata.settings.use_sparse_array_on_read:
        kind = kind.replace("matrix", "array")
    shape, data = element.attrs["shape"], element["data"]
    matrix = getattr(scipy.sparse, kind)(tuple(map(int, shape)), dtype=data.dtype)
    # not through the constructor, which may copy the indices
    for part in ("data", "indices", "indptr"):
        setattr(matrix, part, in_blocks.read(element[part]))
    return matrix
