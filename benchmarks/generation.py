"""Time the generation of a project against a bare template: one file and an empty hook.

    python benchmarks/generation.py [runs]

The templates take turns, each in a new process. Medians and ratios to the bare template are
printed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # few people set it
CASES = {"single-cell": ["pipeline=single-cell"], "blank": ["pipeline=blank"]}


def main(runs: int) -> None:
    """Time all templates and print one line for each pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bare = make_bare_template(place / "bare")
        commands = {"bare": [str(bare)]}
        commands |= {case: [str(TEMPLATE), *answers] for case, answers in CASES.items()}
        seconds: dict[str, list[float]] = {case: [] for case in commands}
        for run in range(runs + 1):
            for case, arguments in commands.items():
                taken = generate(arguments, place / f"{case}-{run}")
                if run:  # the first run warms the caches
                    seconds[case].append(taken)
    medians = {case: statistics.median(times) for case, times in seconds.items()}
    for case, median in medians.items():
        ratio = statistics.median(
            a / b for a, b in zip(seconds[case], seconds["bare"], strict=True)
        )
        print(f"{case:12} {1000 * median:6.0f} ms  {ratio:.2f} of bare")


def make_bare_template(folder: Path) -> Path:
    """Write the smallest template that has a post-gen hook."""
    project = folder / "{{cookiecutter.project_slug}}"
    project.mkdir(parents=True)
    (folder / "hooks").mkdir()
    (folder / "cookiecutter.json").write_text(json.dumps({"project_slug": "bare"}), "utf-8")
    (project / "README.md").write_text("# A project\n", "utf-8")
    (folder / "hooks" / "post_gen_project.py").touch()
    return folder


def generate(arguments: list[str], output: Path) -> float:
    """Generate a project and return how many seconds it took."""
    (output / "temporary").mkdir(parents=True)
    # cookiecutter leaves hook scripts in the temporary folder
    environment = {**os.environ, "TMPDIR": str(output / "temporary")}
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "-o", str(output), *arguments]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=output)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
