"""The settings in `[tool.checkpoint]` of a project's `pyproject.toml`."""

import pytest

from checkpoint.errors import ProjectError
from checkpoint.project.project import Project
from checkpoint.project.settings import (
    check_settings,
    file_settings,
    read_entries,
    read_ignored,
    read_kernels,
    read_order,
    read_place,
    read_resources,
    read_sources,
)


def read(folder, text):
    (folder / "pyproject.toml").write_text(f"[tool.checkpoint]\n{text}\n", encoding="utf-8")
    check_settings(Project(folder))
    return Project(folder)


def test_settings(tmp_path):
    project = read(tmp_path, "")
    assert read_ignored(project) == read_order(project) == []
    assert read_resources(project) == read_kernels(project) == {}
    assert read_entries(project) == read_sources(project) == {}
    assert file_settings(project) == ("h5ad", None)
    assert read_place(project, "results") == read_place(project, "data") == ""
    project = read(tmp_path, 'ignore = ["chdir"]\nresources.2_b = { mem_mb = 8, account = "x" }')
    assert read_ignored(project) == ["chdir"]
    assert read_resources(project) == {"2_b": {"mem_mb": 8, "account": "x"}}


def test_steps_and_kernels(tmp_path):
    text = (
        'kernels.2_b = "x"\nkernels.3_c = "y"\nsteps.1_a = { run = "R \'a b\'", loads = ["0_x"] }'
    )
    (tmp_path / "checkpoint.local.toml").write_text('[kernels]\n3_c = "z"\n')
    project = read(tmp_path, text)
    assert read_kernels(project) == {"2_b": "x", "3_c": "z"}
    assert read_entries(project) == {"1_a": (["R", "a b"], ["0_x"], [], [])}
    command = r"steps.1_a = { run = 'C:\R\Rscript.exe scripts\a.R -e \"1 > 0\"', code = ['./a.R'] }"
    words = [r"C:\R\Rscript.exe", r"scripts\a.R", "-e", "1 > 0"]  # paths as on Windows
    project = read(tmp_path, command.replace('\\"', '"'))
    assert read_entries(project) == {"1_a": (words, [], ["a.R"], [])}
    (tmp_path / "checkpoint.local.toml").write_text("[kernels]\n3_c = 1\n")
    with pytest.raises(ProjectError, match=r"local.toml: kernels: expected the name of a kernel"):
        read(tmp_path, text)
    (tmp_path / "checkpoint.local.toml").write_text("kernel.3_c = 1\n")
    with pytest.raises(ProjectError, match=r"toml: kernel: expected `results`, `data` or"):
        read(tmp_path, text)
    (tmp_path / "checkpoint.local.toml").write_bytes(b"# \xe9")
    with pytest.raises(ProjectError, match=r"local.toml is not valid TOML: 'utf-8' codec"):
        read(tmp_path, text)


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
        ('order = "1_a"', "order", "1_a"),
        ('order = ["1_a.ipynb"]', "order", "1_a.ipynb"),
        ('order = ["../1_a"]', "order", "../1_a"),
        ('order = ["a/1_x", "b/1_x"]', "order", "a/1_x"),
        ("kernels.1_a = 3", "kernels", {"1_a": 3}),
        ("steps = 3", "steps", 3),
        ("steps.1_a = 3", "steps.1_a", 3),
        ("steps.1_a.run = 3", "steps.1_a.run", 3),
        ('steps.1_a.run = "a \'b"', "steps.1_a.run", "a 'b"),
        ("steps.1_a.run = ' '", "steps.1_a.run", " "),
        ("steps.1_a.run = []", "steps.1_a.run", []),
        ('steps.1_a.run = "a > b"', "steps.1_a.run", "a > b"),
        ('steps.1_a.run = "a 2>&1"', "steps.1_a.run", "a 2>&1"),
        ('steps.1_a.run = "a && b"', "steps.1_a.run", "a && b"),
        ('steps.1_a.run = "a; b"', "steps.1_a.run", "a; b"),
        ('steps.1_a.loads = ["1_a/b"]', "steps.1_a.loads", "1_a/b"),
        ('steps.1_a.loads = ["../b"]', "steps.1_a.loads", "../b"),
        ('steps.1_a.loads = ["0_b.ipynb"]', "steps.1_a.loads", "0_b.ipynb"),
        ('steps.1_a.code = ["/etc/passwd"]', "steps.1_a.code", "/etc/passwd"),
        ('steps.1_a.code = ["../b.R"]', "steps.1_a.code", "../b.R"),
        ('steps.1_a.code = ["R/*.R"]', "steps.1_a.code", "R/*.R"),
        ('steps.1_a.reads = ["results/0_b/c.csv"]', "steps.1_a.reads", "results/0_b/c.csv"),
        ('steps.1_a.reads = ["a", 1]', "steps.1_a.reads", ["a", 1]),
        ("steps.1_a.runs = []", "steps.1_a.runs", "runs"),
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
