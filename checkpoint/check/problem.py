"""A problem that `checkpoint check` reports."""


class Problem:
    """Something in a project that breaks a rule.

    Attributes
    ----------
    rule
        Name of the rule.
    file
        File or folder, relative to the project, with `/`.
    cell
        First line of the cell; None if the problem is not in one cell.
    what
        What is wrong, with the value found. It completes "<file> …".
    todo
        What to do.
    """

    def __init__(self, rule: str, file: str, cell: str | None, what: str, todo: str) -> None:
        self.rule = rule
        self.file = file
        self.cell = cell
        self.what = what
        self.todo = todo

    @property
    def where(self) -> str:
        """The file, and the first line of the cell."""
        return f"{self.file}, cell `{self.cell}`" if self.cell is not None else self.file

    @property
    def advice(self) -> str:
        """What is wrong, what to do, and the name of the rule."""
        return f"{self.what}. {self.todo}. [{self.rule}]"

    def __str__(self) -> str:
        return f"{self.where}: {self.advice}"
