"""Settings for how matrices are stored: `anndata_format` and `compression`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class Options(NamedTuple):
    """The settings for files in `[tool.checkpoint]`.

    Attributes
    ----------
    anndata_format
        The format of an AnnData whose key names no suffix.
    compression
        How matrices are compressed; None uses the format's default: `.h5ad` none, `.zarr` zstd.
    """

    anndata_format: str = "h5ad"
    compression: str | None = None


HDF5 = ("gzip", "lzf")  # what HDF5 can compress with; other settings are for zarr
DEFAULT = Options()
_chosen: ContextVar[Options] = ContextVar("options", default=DEFAULT)


@contextmanager
def using(options: Options) -> Iterator[None]:
    """Use these options for files that are written within the `with` block."""
    token = _chosen.set(options)
    try:
        yield
    finally:
        _chosen.reset(token)


def anndata_suffix() -> str:
    """Return the suffix of an AnnData whose key names none."""
    return f".{_chosen.get().anndata_format}"


def compresses_hdf5() -> bool:
    """Return whether HDF5 files may be smaller than their matrices because they are compressed."""
    return _chosen.get().compression in HDF5


def for_group(group: Any) -> dict[str, Any]:
    """Return the compression arguments for creating a dataset in an HDF5 or zarr group."""
    import h5py

    wanted = _chosen.get().compression
    if isinstance(group, h5py.Group):
        return {"compression": wanted} if compresses_hdf5() else {}
    if wanted == "none":
        return {"compressors": None}
    if wanted == "gzip" and group.metadata.zarr_format == 2:  # written by older anndata
        from numcodecs import GZip

        return {"compressors": GZip()}
    if wanted == "gzip":
        from zarr.codecs import GzipCodec

        return {"compressors": GzipCodec()}
    return {}  # zarr compresses with zstd by default
