"""Check that the students' copy runs with the solutions put back."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from checkpoint.errors import ProjectError
from checkpoint.notebooks.notebook import dumps
from checkpoint.project.project import Project

LINES = 30  # of an error that are shown


def prove(copy: Path, originals: dict[str, dict], packs: list[str]) -> None:
    """Run the notebooks of a copy with their solutions, starting from its packs.

    Parameters
    ----------
    copy
        The students' copy; it is not changed.
    originals
        The notebooks with solutions, by their place below `notebooks/`.
    packs
        The steps that are unpacked first.

    Raises
    ------
    ProjectError
        If it does not run. The message shows the end of the output.
    """
    with TemporaryDirectory(prefix="handout-") as folder:
        place = Path(folder) / copy.name
        shutil.copytree(copy, place)
        for name, content in originals.items():
            path = place / "notebooks" / name
            path.write_text(dumps(content), encoding="utf-8", newline="\n")
        for step in packs:
            _command(place, "unpack", step)
        _command(place, "run", *(Path(name).stem for name in originals))


def _command(place: Path, *arguments: str) -> None:
    package = Project(place).package
    dropped = ("CHECKPOINT_PROJECT", "CHECKPOINT_RESULTS", "JPY_SESSION_NAME", "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in dropped}
    done = subprocess.run(
        [sys.executable, "-m", f"{package}.checkpoint", *arguments],
        cwd=place,
        env={**environment, "PYTHONPATH": str(place / "src")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LINES:])
        raise ProjectError(
            f"With the solutions put back, the copy does not run, so nothing was written: "
            f"`checkpoint {' '.join(arguments)}` failed.\n{output}\n"
            f"It was run with {sys.executable}, which needs the packages of the project. "
            "--no-proof hands it out untried.",
            found=output,
        )
