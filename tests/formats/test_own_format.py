"""A project adds a format of its own, as `docs/formats.md` describes."""

import re
import subprocess
import sys

from project_under_test import TEMPLATE

USE = """
from my_project.checkpoint import load, save
save("1_preprocessing", {"genes.fasta": {"a": "ACGT"}, "plain": {"a": 1}})
previous = load("1_preprocessing")
print(sorted(previous.files), previous["genes"], previous["plain"])
"""


def test_the_example_of_the_docs_works(project):
    docs = (TEMPLATE / "docs" / "formats.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(from \.checkpoint.*?)```", docs, re.DOTALL)
    (project / "src" / "my_project" / "formats.py").write_text(example, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, 'src'); {USE}".replace("; \n", "\n"),
        ],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "['genes.fasta', 'plain.pkl'] {'a': 'ACGT'} {'a': 1}" in done.stdout
    written = project / "results" / "1_preprocessing" / "genes.fasta"
    assert written.read_text() == ">a\nACGT\n"


def test_a_project_without_formats_has_ours():
    from checkpoint.formats import FORMATS, known

    assert known() == FORMATS
