"""A template that a test may change."""

import shutil
from pathlib import Path

import pytest
from baked import TEMPLATE


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return a copy of the template."""
    unneeded = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__", "demo")
    return shutil.copytree(TEMPLATE, tmp_path / "template", ignore=unneeded)
