"""What `check` finds."""


class Problem:
    """Something in a project that breaks a rule.

    Attributes
    ----------
    rule
        The rule's name.
    file
        Where, relative to the project.
    cell
        The first line of the cell; None where it is not about one cell.
    what
        What is wrong.
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
        """The file, and the cell by its first line."""
        return f"{self.file}, cell `{self.cell}`" if self.cell is not None else self.file

    @property
    def advice(self) -> str:
        """What is wrong, what to do, and the rule that says so."""
        return f"{self.what}. {self.todo}. [{self.rule}]"

    def __str__(self) -> str:
        return f"{self.where}: {self.advice}"
