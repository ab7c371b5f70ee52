"""`[tool.checkpoint]` in a project's `pyproject.toml`."""

import pytest

from checkpoint.errors import ProjectError
from checkpoint.project.project import Project
from checkpoint.project.settings import read_settings


def read(folder, text):
    (folder / "pyproject.toml").write_text(f"[tool.checkpoint]\n{text}\n", encoding="utf-8")
    return read_settings(Project(folder))


def test_settings(tmp_path):
    assert read(tmp_path, "") == ([], {}, "h5ad", None)
    settings = read(tmp_path, 'ignore = ["chdir"]\nresources.2_b = { mem_mb = 8, account = "x" }')
    assert settings.ignore == ["chdir"]
    assert settings.resources == {"2_b": {"mem_mb": 8, "account": "x"}}


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        ('ignore = "chdir"', "ignore", "chdir"),
        ("ignore = [1]", "ignore", [1]),
        ("anndata_format = []", "anndata_format", []),
        ('anndata_format = "h5"', "anndata_format", "h5"),
        ('compression = "zstd"', "compression", "zstd"),
        ("compression = true", "compression", True),
        ('anndata_format = "zarr"\ncompression = "lzf"', "compression", "lzf"),
        ("colour = 1", "colour", "colour"),
        ("resources = 3", "resources", 3),
        ("resources.2_b = 3", "resources.2_b", 3),
        ('resources.2_b.mem_mb = "x"', "resources.2_b.mem_mb", "x"),
        ("resources.2_b.runtime = 0", "resources.2_b.runtime", 0),
        ("resources.2_b.mem_mb = true", "resources.2_b.mem_mb", True),
        ("resources.2_b.mem_mb = 1.5", "resources.2_b.mem_mb", 1.5),
        ('resources.2_b."a b" = 1', "resources.2_b.a b", "a b"),
    ],
)
def test_invalid_settings(tmp_path, text, key, found):
    with pytest.raises(ProjectError) as raised:
        read(tmp_path, text)
    error = raised.value
    assert (error.file, error.key, error.found) == ("pyproject.toml", key, found)
    assert error.expected in str(error)


def test_a_file_that_is_not_toml(tmp_path):
    with pytest.raises(ProjectError) as raised:
        read(tmp_path, "ignore = [")
    assert (raised.value.file, raised.value.expected) == ("pyproject.toml", "TOML")
