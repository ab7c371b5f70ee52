"""What `make demo` does: generate the default project, install it, run it, show what came out.

Everything happens in demo/, whose project is made anew each time; its environment is kept.
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
    """Run the steps, each under a heading that says what a user would type."""
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
    """Return the Python of demo/.venv, which is made if it is not there."""
    python = ENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(ENV, with_pip=True)
    return str(python)


def run(command: list[str], folder: Path) -> None:
    """Run a command, or end with its exit status."""
    sys.stdout.flush()
    status = subprocess.run(command, cwd=folder).returncode
    if status:
        sys.exit(status)


def tree(folder: Path, indent: str = "") -> list[str]:
    """Return the folders that matter and what is in them, a line each."""
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
    """Print what a user would type."""
    print(f"\n--- {text}", flush=True)


if __name__ == "__main__":
    main()
