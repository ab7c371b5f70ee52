"""Which script makes a raw file, such as the example data, which git does not keep."""

import re
from pathlib import Path

from ..project.project import Project


def script_that_makes(project: Project, path: Path) -> str | None:
    """Return the script that makes a raw file, relative to the project; None if unknown.

    It is one that `data/README.md` mentions together with the file, and that has the file's name
    in its code.
    """
    readme = project.root / "data" / "README.md"
    if not readme.is_file():
        return None
    name = re.compile(rf"(?<![\w-]){re.escape(path.name)}(?![\w-])")
    text = readme.read_text(encoding="utf-8", errors="replace")
    scripts: list[str] = re.findall(r"scripts/[\w/-]+\.py", text) if name.search(text) else []
    for script in dict.fromkeys(scripts):
        file = project.root / script
        if file.is_file() and name.search(file.read_text(encoding="utf-8", errors="replace")):
            return script
    return None
