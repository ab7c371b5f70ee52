"""Names that are the same file on Linux, macOS and Windows."""

DEVICES = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³"]
)
FORBIDDEN = frozenset('<>:"|?*\\/')
LONGEST = 100
NOTEBOOK_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def unfit(name: str) -> str | None:
    """Tell why a notebook cannot have a name, given without its number; None if it can."""
    if bad := sorted(set(name) - NOTEBOOK_LETTERS):
        return f"has {bad[0]!r}; letters, digits, _ and - are allowed"
    if name[:1] in ("_", "-"):
        return "starts with neither a letter nor a digit"
    if name.partition("_")[0].isdecimal():
        return "starts with a number; numbers are added automatically"
    return unportable(name)


def unportable(name: str) -> str | None:
    """Return why a name cannot be a file name on Linux, macOS and Windows.

    Parameters
    ----------
    name
        A file or folder name, without separators.

    Returns
    -------
    str or None
        The reason, which completes "'<name>' …"; None for a valid name.
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
