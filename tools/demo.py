"""Generate the default project, install it, run it and show its files, for `make demo`.

Everything happens in demo/: each run generates the project again and reuses the environment.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo"
ENV = DEMO / ".venv"
SHOWN = ("data", "notebooks", "results")


def main() -> None:
    """Run each step under a heading with the command that a user would type."""
    heading(f"cookiecutter {ROOT.name}")
    shutil.rmtree(DEMO / "my_project", ignore_errors=True)
    DEMO.mkdir(exist_ok=True)
    project = Path(cookiecutter(str(ROOT), no_input=True, output_dir=str(DEMO)))

    install = ["install", "-c", "constraints.txt", "-e", "."]
    heading(f"pip {' '.join(install)}   (into demo/.venv; a minute or two the first time)")
    python = environment()
    run([python, "-m", "pip", "--quiet", *install], project)

    heading("checkpoint run")
    run([python, "-m", "my_project.checkpoint", "run"], project)

    heading("The project now")
    for line in tree(project):
        print(line)
    figures = project / "results" / "3_visualization" / "figures"
    print(f"\nFigures: {figures.relative_to(ROOT)}")
    print(f"Open it: cd {project.relative_to(ROOT)} && {ENV}/bin/jupyter lab")


def environment() -> str:
    """Return the path of the Python in demo/.venv, which is created if missing."""
    python = ENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(ENV, with_pip=True)
    return str(python)


def run(command: list[str], folder: Path) -> None:
    """Run a command; if it fails, exit with its status."""
    sys.stdout.flush()
    status = subprocess.run(command, cwd=folder).returncode
    if status:
        sys.exit(status)


def tree(folder: Path, indent: str = "") -> list[str]:
    """Return one line for each file and folder below the folders in SHOWN."""
    lines = [f"{folder.name}/"] if not indent else []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or (not indent and path.name not in SHOWN):
            continue
        if path.is_dir():
            lines += [f"{indent}  {path.name}/", *tree(path, indent + "  ")]
        else:
            name = f"{indent}  {path.name}"
            lines.append(f"{name:<40} {path.stat().st_size / 1000:9,.1f} kB")
    return lines


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n--- {text}", flush=True)


if __name__ == "__main__":
    main()
