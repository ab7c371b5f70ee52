"""Compare submissions with what was handed out, and with the results that are expected."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from checkpoint.errors import CheckpointError, ProjectError
from checkpoint.files import LEFTOVERS
from checkpoint.notebooks import notebook
from checkpoint.project.project import Project
from checkpoint.share.reset import HANDED_OUT, NOTEBOOKS
from checkpoint.storage import committed
from checkpoint.storage.schema import Record

from .cells import Cells, compared, is_version
from .values import NOT_OPENED, Tolerance, differences, is_compared


class Compared(NamedTuple):
    """A step of one student.

    Attributes
    ----------
    student
        The name of the folder.
    step
        The step.
    cells
        What became of its cells; None if the notebook was not found.
    results
        How its results differ from those that are expected; None if there are none to compare with.
    not_opened
        Files that are there and whose content was not compared.
    file
        The notebook, in the student's folder.
    others
        Other notebooks that could be meant.
    """

    student: str
    step: str
    cells: Cells | None
    results: list[str] | None
    not_opened: list[str]
    file: str = ""
    others: Sequence[str] = ()


def compare(
    handed_out: Project, submissions: Path, expected: Project | None, tolerance: Tolerance
) -> Iterator[Compared]:
    """Compare each student's folder with what was handed out.

    Parameters
    ----------
    handed_out
        The students' copy, or a project whose notebooks are the students'.
    submissions
        A folder with one folder per student; notebooks and results may lie anywhere below.
    expected
        The project with the results that are expected; None to compare cells alone.
    tolerance
        How far results may differ.

    Yields
    ------
    Compared
        For each student and step. Records of students are not trusted, their pickles not opened,
        and links not followed.

    Raises
    ------
    ProjectError
        If there are no notebooks or no submissions, or expected results are missing.
    """
    originals = _originals(handed_out)
    students = [path for path in sorted(submissions.iterdir()) if _is_folder(path)]
    if not students:
        raise ProjectError(
            f"{submissions} has no folders. Expected one per student.", file=str(submissions)
        )
    records = _records(expected, list(originals)) if expected else {}
    teachers = dict(_notebooks(expected, list(originals))) if expected else {}
    for student in students:
        files = list(_files(student))
        for step, original in originals.items():
            notebooks = _versions(original, step, files, list(originals))
            cells = compared(original, notebooks[0], teachers.get(step)) if notebooks else None
            results, unread = None, list[str]()
            if expected and step in records:
                student_files = _results(student, files, step)
                results = list(_missing(records[step], student_files))
                folder = expected.results_of(step)
                for file, path in student_files.items():
                    if file in records[step].files and is_compared(path):
                        results += differences(folder / file, path, tolerance)
                    elif file in records[step].files or path.suffix in NOT_OPENED:
                        unread.append(file)
            names = [path.relative_to(student).as_posix() for path in notebooks]
            file = names[0] if names else ""
            yield Compared(student.name, step, cells, results, unread, file, names[1:])


def _versions(original: dict, step: str, files: list[Path], steps: list[str]) -> list[Path]:
    """Return the notebooks of a step; those that students renamed if none has its name."""
    named = [path for path in files if path.name == f"{step}.ipynb"]
    renamed = [path for path in files if path.suffix == ".ipynb" and path.stem not in steps]
    return named or [path for path in renamed if is_version(original, path)]


def _originals(project: Project) -> dict[str, dict]:
    """Return the notebooks that were handed out, by step."""
    folder = project.root / NOTEBOOKS
    paths = sorted(folder.rglob("*.ipynb")) if folder.is_dir() else []
    paths = paths or [step.path for step in project.steps() if not step.is_script]
    if not paths:
        raise ProjectError(
            f"{project.root} has no notebooks to compare with.", file=str(project.root)
        )
    return {path.stem: notebook.read_whole(path) for path in paths}


def _notebooks(expected: Project, steps: list[str]) -> Iterator[tuple[str, dict]]:
    """Yield the notebooks of the teacher's project, by step."""
    for step in expected.steps():
        if step.name in steps and not step.is_script:
            yield step.name, notebook.read_whole(step.path)


def _records(expected: Project, steps: list[str]) -> dict[str, Record]:
    """Return the records of the results that are expected."""
    records = {}
    for step in steps:
        try:
            record = committed.read_record(expected.results_of(step))
        except CheckpointError as error:
            raise ProjectError(f"results/{step} of {expected.root}: {error}", step=step) from error
        if record:
            records[step] = record
    if not records:
        names = ", ".join(steps)
        raise ProjectError(
            f"{expected.root} has no results of {names} to compare with. Run it.",
            file=str(expected.root),
            expected=steps,
        )
    return records


def _is_folder(path: Path) -> bool:
    hidden = path.name[0] == "." or path.name in LEFTOVERS
    return path.is_dir() and not path.is_symlink() and not hidden


def _files(student: Path) -> Iterator[Path]:
    """Yield the plain files below a folder, those higher up first."""
    for folder, folders, files in os.walk(student):
        here = Path(folder)
        skipped = {HANDED_OUT, "src", *LEFTOVERS}
        folders[:] = sorted(
            name for name in folders if name not in skipped and _is_folder(here / name)
        )
        yield from (
            here / name
            for name in sorted(files)
            if (here / name).is_file() and not (here / name).is_symlink()
        )


def _results(student: Path, files: list[Path], step: str) -> dict[str, Path]:
    """Return the files of a step's results, by their names below its folder."""
    results: dict[str, Path] = {}
    for path in files:
        parts = path.relative_to(student).parts
        for place in range(len(parts) - 2):
            if parts[place : place + 2] == ("results", step):
                results.setdefault("/".join(parts[place + 2 :]), path)
    return results


def _missing(record: Record, student_files: dict[str, Path]) -> Iterator[str]:
    for file in record.files:
        if file not in student_files and not any(
            name.startswith(f"{file}/") for name in student_files
        ):
            yield f"{file}: missing"
