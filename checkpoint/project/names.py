"""Parse the numbers of notebook names, and check names for Linux, macOS and Windows."""

import re
import unicodedata
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import NamedTuple

DEVICES = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³"]
)
# names of other files and folders in a step's folder, which sub-checkpoints cannot have
RESERVED = frozenset(
    (
        *("figures", "params.json", "session.json", "environment.txt"),
        *("run.log", "failed.log", "failed.ipynb", "executed.ipynb"),
    )
)
FORBIDDEN = frozenset('<>:"|?*\\/')
LONGEST = 100
NOTEBOOK_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# 01, 01a, 1_2 and day1-2; a letter after a later digit, as in 2_3d_plot, belongs to the label
NUMBERED = re.compile(r"([A-Za-z]*\d+[A-Za-z]?(?:-\d+)*(?:_\d+(?=_|$))*)(?:_(.*))?", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d(?!\d)", re.ASCII)
PLAIN = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")
LAST = re.compile(r"(.*?)(\d+|(?<=\d)[A-Za-z])", re.ASCII)


class Number(NamedTuple):
    """The number at the beginning of a notebook's name."""

    text: str  # as it is written: `01`, `01a`, `1_2`, `day1-2`
    label: str  # the name after it: `preprocessing`

    @property
    def head(self) -> str:
        """The text before the last part, which is the part that counts up: `1_` of `1_2`."""
        return self._parts[0]

    @property
    def last(self) -> int:
        """The last part as an integer; letters count from 1."""
        part = self._parts[1]
        return int(part) if part.isdecimal() else ord(part.lower()) - ord("a") + 1

    @property
    def is_letter(self) -> bool:
        """Whether the last part is a letter, as in `01a`."""
        return not self._parts[1].isdecimal()

    @property
    def _parts(self) -> tuple[str, str]:
        match = LAST.fullmatch(self.text)
        assert match
        return match[1], match[2]

    @property
    def width(self) -> int:
        """The number of digits to which the last part is zero-padded; 1 if it is not."""
        part = self._parts[1]
        return len(part) if part[0] == "0" else 1

    def counted(self, last: int, width: int) -> str:
        """Return the number with another last part, of at least `width` digits.

        Raises `ValueError` if no letter has that place in the alphabet.
        """
        head, part = self._parts
        if part.isdecimal():
            return f"{head}{last:0{width}d}"
        if not 1 <= last <= 26:
            raise ValueError(f"there are 26 letters for numbers such as {self.text!r}")
        return head + chr(ord("a" if part.islower() else "A") + last - 1)

    @property
    def key(self) -> tuple[str, list[tuple[int, str]]]:
        """The sort key of the number."""
        word = self.text[: len(self.text) - len(self.text.lstrip(LETTERS))]
        parts = re.findall(r"(\d+)([A-Za-z]?)", self.text[len(word) :], re.ASCII)
        return word.lower(), [(int(digits), letter.lower()) for digits, letter in parts]


def number_of(stem: str) -> Number | None:
    """Return the number of a notebook, from its name without `.ipynb`; None without one."""
    match = NUMBERED.fullmatch(stem) if not DATE.match(stem) else None
    return Number(match[1], match[2] or "") if match else None


def natural(name: str) -> tuple[object, ...]:
    """Return the sort key of a file or folder name: by number first, other names last."""
    if number := number_of(name):
        return (0, *number.key, natural_text(number.label), name)
    return (1, "", [], natural_text(name), name)


def natural_text(text: str) -> list[tuple[int, int, str]]:
    """Return the sort key of a text, which compares numbers by value."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.findall(r"[0-9]+|[^0-9]+", text.casefold())
    ]


def unfit(name: str, *, bare: bool = True) -> str | None:
    """Return why a notebook cannot have a name, given without its number if `bare`; else None."""
    if bad := sorted(set(name) - NOTEBOOK_LETTERS):
        return f"has {bad[0]!r}; letters, digits, _ and - are allowed"
    if name[:1] in ("_", "-"):
        return "starts with neither a letter nor a digit"
    if bare and name.partition("_")[0].isdecimal():
        return "starts with a number; numbers are added automatically"
    return unportable(name)


@lru_cache(1 << 12)
def unportable(name: str) -> str | None:
    """Return why a name is not a valid file name on Linux, macOS and Windows; None if it is.

    The reason completes "'<name>' …"; the name is that of a file or folder, without separators.
    """
    if not name.strip():
        return "is empty"
    if bad := sorted(FORBIDDEN.intersection(name)):
        return f"contains {' '.join(bad)}, which Windows does not allow in a name"
    if not name.isprintable():
        return "contains an unprintable character"
    if name[0] == ".":
        return "starts with a dot, so it would be a hidden file"
    if name != name.strip() or name[-1] == ".":
        return "starts or ends with a space, or ends with a dot, which Windows removes"
    if name.partition(".")[0].lower() in DEVICES:
        return "is the name of a device on Windows"
    if len(name.encode()) > LONGEST:  # file systems count bytes
        return f"is longer than {LONGEST} {'characters' if name.isascii() else 'bytes'}"
    return None


def is_reserved(name: str) -> bool:
    """Tell whether a name is reserved for a file or folder in a step's folder."""
    return name.casefold() in RESERVED


def folded(name: str) -> str:
    """Return a form of a name that is equal for names of the same file on macOS or Windows."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@lru_cache(1 << 14)
def contained(name: str) -> bool:
    """Tell whether a relative path stays inside the folder that it is relative to."""
    if PLAIN.fullmatch(name):
        return True  # fast path: many parts have thousands of names
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return bool(posix.parts) and not (
        posix.is_absolute() or windows.anchor or ".." in {*posix.parts, *windows.parts}
    )
