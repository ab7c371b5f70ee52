"""The steps of a project: its numbered notebooks, in running order."""

from pathlib import Path


class Step:
    """A numbered notebook, `notebooks/<number>_<label>.ipynb`, and its results.

    Attributes
    ----------
    number
        Its place in the running order.
    label
        Its name without the number: `preprocessing`.
    path
        The notebook.
    """

    def __init__(self, number: int, label: str, path: Path) -> None:
        self.number = number
        self.label = label
        self.path = path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Step) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"Step({self.name!r})"

    @property
    def name(self) -> str:
        """The name that `load` and `save` use: `1_preprocessing`."""
        return self.path.stem


def numbered(path: Path) -> Step | None:
    """Return the step of the notebook at `path`; None unless it is `<number>_<label>.ipynb`."""
    number, _, label = path.stem.partition("_")
    # isdecimal alone would take the digits of other scripts
    return Step(int(number), label, path) if number.isascii() and number.isdecimal() else None


def step_of(text: str) -> str:
    """Return the step that an argument names, be it a file or folder as the shell completes it."""
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if text.endswith(".ipynb"):
        return parts[-1].removesuffix(".ipynb")
    while "results" in parts:
        parts = parts[parts.index("results") + 1 :]
    return "/".join(parts)
