"""Fixture with a copy of the template that a test may change."""

import shutil
from pathlib import Path

import pytest
from project_under_test import TEMPLATE


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return the path of a copy of the template."""

    def unneeded(folder: str, names: list[str]) -> list[str]:
        """Return names not to copy: hidden top-level folders, for example, can take gigabytes."""
        top = Path(folder) == TEMPLATE
        hidden = [name for name in names if (top and name.startswith(".")) or name == "__pycache__"]
        return [*hidden, *(["demo", "dist"] if top else [])]

    return shutil.copytree(TEMPLATE, tmp_path / "template", ignore=unneeded)
