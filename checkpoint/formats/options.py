"""How a project wants its matrices stored: `anndata_format` and `compression` in its settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class Options(NamedTuple):
    """What `[tool.checkpoint]` says of files.

    Attributes
    ----------
    anndata_format
        What an AnnData is saved as whose key names no suffix.
    compression
        How matrices are compressed; None leaves it to the format: `.h5ad` none, `.zarr` zstd.
    """

    anndata_format: str = "h5ad"
    compression: str | None = None


DEFAULT = Options()
_chosen: ContextVar[Options] = ContextVar("options", default=DEFAULT)


@contextmanager
def using(options: Options) -> Iterator[None]:
    """Write files so within the `with` block."""
    token = _chosen.set(options)
    try:
        yield
    finally:
        _chosen.reset(token)


def anndata_suffix() -> str:
    """Return the suffix of an AnnData whose key names none."""
    return f".{_chosen.get().anndata_format}"


def is_compressed() -> bool:
    """Tell whether files are smaller than what they hold."""
    chosen = _chosen.get()
    return (chosen.compression or "none") != "none" or chosen.anndata_format == "zarr"


def for_group(group: Any) -> dict[str, Any]:
    """Return the arguments with which an HDF5 or zarr group creates a dataset."""
    import h5py

    wanted = _chosen.get().compression
    if isinstance(group, h5py.Group):
        return {"compression": wanted} if wanted in ("gzip", "lzf") else {}
    if wanted == "none":
        return {"compressors": None}
    if wanted == "gzip" and group.metadata.zarr_format == 2:  # which older anndata writes
        from numcodecs import GZip

        return {"compressors": GZip()}
    if wanted == "gzip":
        from zarr.codecs import GzipCodec

        return {"compressors": GzipCodec()}
    return {}  # zarr compresses with zstd unless told otherwise
