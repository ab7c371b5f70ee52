"""Find the files of a pack that may run code when they are read."""

import zipfile
from collections.abc import Callable, Iterable
from typing import IO

from ..formats import format_of

NPY = b"\x93NUMPY"
ZARR = (".zarray", ".zmetadata", "zarr.json")  # files that name the codecs of a folder's arrays
Open = Callable[[], IO[bytes]]


def runs_code(file: str, members: Iterable[tuple[str, Open]]) -> bool:
    """Return whether reading an object may run code that is in its file or folder.

    Parameters
    ----------
    file
        The name of the file, or of a folder that is saved as one object.
    members
        The name of the file, or of each file in the folder, with a function that opens it.
    """
    known = format_of(file)
    if known and known.is_folder:
        return any(_names_pickle(open_it) for name, open_it in members if name.endswith(ZARR))
    if known is None or not known.runs_code:
        return False
    if known.suffix not in (".npy", ".npz"):
        return True
    return any(_holds_objects(open_it) for _, open_it in members)


def _names_pickle(open_it: Open) -> bool:
    with open_it() as stream:
        return b"pickle" in stream.read()


def _holds_objects(open_it: Open) -> bool:
    """Return whether a file holds Python objects, or NumPy may unpickle it as another format."""
    with open_it() as stream:
        begin = stream.read(len(NPY))
        stream.seek(0)
        if begin == NPY:
            return _is_of_objects(stream)
        try:
            with zipfile.ZipFile(stream) as arrays:
                return any(_is_objects_member(arrays, name) for name in arrays.namelist())
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
            return True


def _is_objects_member(arrays: zipfile.ZipFile, name: str) -> bool:
    with arrays.open(name) as stream:
        begin = stream.read(len(NPY))
    if begin != NPY:
        return False  # NumPy returns it as bytes
    with arrays.open(name) as stream:
        return _is_of_objects(stream)


def _is_of_objects(stream: IO[bytes]) -> bool:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        _, _, dtype = read(stream)
    except ValueError:
        return True
    return bool(dtype.hasobject)
