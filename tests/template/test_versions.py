"""Declared versions, tested versions, and the files that install them."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from project_under_test import TEMPLATE

PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}"
GROUPS = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
PIPELINES = sorted(path.parent.name for path in TEMPLATE.glob("pipelines/*/pipeline.toml"))
PYTHONS = ["3.11.0", "3.11.2", "3.11.7", "3.12.0", "3.13.0"]
PLATFORMS = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
]
ENVIRONMENTS = [
    {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
        **platform,
    }
    for python in PYTHONS
    for platform in PLATFORMS
]
environments = pytest.mark.parametrize(
    "environment",
    ENVIRONMENTS,
    ids=lambda values: f"{values['python_full_version']}-{values['sys_platform']}",
)


def requirements(*groups):
    lines = [line for group in groups for line in GROUPS[group] if isinstance(line, str)]
    return [Requirement(line) for line in lines]


def bounds(lines):
    """Return the version specifiers of each package."""
    return {canonicalize_name(line.name): str(line.specifier) for line in map(Requirement, lines)}


def pins(path, environment):
    """Return the version of each package that a constraints file pins in `environment`."""
    found = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name, (pin,) = canonicalize_name(requirement.name), requirement.specifier
            assert pin.operator == "==" and not requirement.extras and not requirement.url, line
            assert name not in found, f"{name} has two versions in one environment"
            found[name] = Version(pin.version)
    return found


def declared(project):
    return tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]


def test_projects_declare_the_bounds_that_are_tested(bake):
    projects = [
        declared(bake(pipeline=name, project_slug=f"p{number}"))
        for number, name in enumerate(PIPELINES)
    ]
    found = {}
    for project in projects:
        for name, specifier in bounds(project["dependencies"]).items():
            assert found.setdefault(name, specifier) == specifier
        extra = bounds(project["optional-dependencies"]["snakemake"])
        assert extra.items() <= bounds(GROUPS["project-tools"]).items()
    assert found == bounds(GROUPS["project"]), (
        "list the same in the group `project` of pyproject.toml, "
        "then run `make constraints ARGS=--keep`"
    )


@pytest.mark.versions
def test_what_the_code_imports_is_declared():
    """Each package that `checkpoint` imports is a dependency, or required by one."""
    imported = set()
    for path in (TEMPLATE / "checkpoint").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    imported -= sys.stdlib_module_names
    assert "numpy" in imported
    # imported only for objects of these libraries, which are then installed
    imported -= {"awkward", "dask", "mudata", "polars", "spatialdata", "xarray"}
    imported -= {"numcodecs"}  # a dependency of zarr
    needed = {canonicalize_name(line.name) for line in requirements("project")}
    for name in tuple(needed):
        lines = map(Requirement, metadata.requires(name) or [])
        needed |= {canonicalize_name(line.name) for line in lines if not line.marker}
    distributions = metadata.packages_distributions()
    undeclared = {
        module
        for module in imported
        if not needed.intersection(map(canonicalize_name, distributions.get(module, [module])))
    }
    assert not undeclared


@environments
def test_tested_versions_are_within_the_bounds(environment):
    for path, groups in (
        (PROJECT / "constraints.txt", ["project", "project-tools"]),
        (TEMPLATE / "constraints.txt", ["project", "project-tools", "test", "versions"]),
    ):
        pinned = pins(path, environment)
        for requirement in requirements(*groups):
            name = canonicalize_name(requirement.name)
            assert name in pinned, f"{path} lacks {name}: run `make constraints ARGS=--keep`"
            assert requirement.specifier.contains(pinned[name])


@environments
def test_template_and_projects_are_tested_with_the_same_versions(environment):
    ours = pins(TEMPLATE / "constraints.txt", environment)
    theirs = pins(PROJECT / "constraints.txt", environment)
    assert theirs.items() <= ours.items()


@pytest.mark.parametrize("folder", [TEMPLATE, PROJECT], ids=["template", "project"])
def test_tested_versions_name_no_registry(folder):
    for line in (folder / "constraints.txt").read_text("utf-8").splitlines():
        assert line.startswith("#") or re.match(r"[\w.-]+==[\w.+!]+( ; .+)?$", line), line
        assert "://" not in line


@environments
def test_hooks_of_pre_commit_allow_the_tested_versions(environment):
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))
    pinned = pins(PROJECT / "constraints.txt", environment)
    lines = [
        line
        for repo in config["repos"]
        for hook in repo["hooks"]
        for line in hook["additional_dependencies"]
    ]
    declared_bounds = bounds(GROUPS["project"] + GROUPS["project-tools"])
    assert lines
    for requirement in map(Requirement, lines):
        name = canonicalize_name(requirement.name)
        assert requirement.specifier.contains(pinned[name])
        assert str(requirement.specifier).split(",")[-1] == declared_bounds[name]


def test_everything_that_installs_a_project_takes_the_tested_versions(bake):
    path = bake(pipeline="blank")
    assert (path / "constraints.txt").read_bytes() == (PROJECT / "constraints.txt").read_bytes()
    conda = yaml.safe_load((path / "environment.yml").read_text("utf-8"))["dependencies"]
    assert conda[-1] == {"pip": ["-c constraints.txt", "-e ."]}
    for file in (".github/workflows/checkpoint.yml", "Snakefile", ".pre-commit-config.yaml"):
        commands = re.findall("pip install.*", (path / file).read_text("utf-8"))
        assert commands and all("-c constraints.txt" in command for command in commands), file


def test_conda_takes_only_pythons_that_are_tested(bake):
    path = bake(pipeline="blank")
    conda = yaml.safe_load((path / "environment.yml").read_text("utf-8"))["dependencies"]
    allowed = Requirement(conda[0]).specifier
    assert declared(path)["requires-python"] in map(str, allowed)
    assert [python for python in PYTHONS if not allowed.contains(python)] == []
    assert not allowed.contains("3.10.13") and not allowed.contains("3.14.0")


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
def test_tested_versions_install_together(bake, python):
    """The constraints can be resolved on each Python and name every package that is installed."""
    from uv import find_uv_bin

    path = bake(pipeline="single-cell")
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--python-version"]
    options = ["-c", "constraints.txt", "--extra", "snakemake", "pyproject.toml"]
    done = subprocess.run(
        [*command, python, "--no-annotate", *options], cwd=path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    environment = next(e for e in ENVIRONMENTS if e["python_full_version"] == python)
    names = {canonicalize_name(line.partition("==")[0]) for line in done.stdout.split()}
    assert {"scanpy", "snakemake"} <= names <= pins(path / "constraints.txt", environment).keys()
