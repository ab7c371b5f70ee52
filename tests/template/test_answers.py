"""Answers reach the project unchanged or are rejected; they are never run as code."""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project_under_test import TEMPLATE, generate

from answer_refusals import needed

HOSTILE = [
    'say "hi"',
    "it's",
    r"back\slash \n \u00e9",
    "{{ cookiecutter }} {% raw %} {# #}",
    "$(touch hacked) `touch hacked` ; | & %PATH%",
    "<script>alert(1)</script> &amp; &lt;",
    "*bold* _it_ `code` [link](http://a) | # ~~x~~",
    "- a list",
    "1. a list",
    "# a heading",
    "---",
    "日本語 é ß 🧬 \u200d ﷽",
    "'''\"\"\"",
    "[table]",
    "x = 1 # comment",
    "null",
    "OWNER",
]


def refused(capfd, tmp_path, **answers) -> str:
    """Generate with answers that must be rejected; return what the hook printed."""
    with pytest.raises(FailedHookException):
        generate(tmp_path, **{"pipeline": "blank", **answers})
    assert list(tmp_path.iterdir()) == []
    return capfd.readouterr().err


@pytest.mark.versions
@pytest.mark.parametrize(
    ("answer", "value", "reason"),
    [
        ("project_name", "  ", "is empty"),
        ("project_name", "two\nlines", "line break"),
        ("author_name", "tab\tbed", "control character"),
        ("description", "line\u2028separator", "line break"),
        ("project_slug", "", "is empty"),
        ("project_slug", "a/b", "has '/'"),
        ("project_slug", "../a", "has '/'"),
        ("project_slug", "/tmp/a", "has '/'"),
        ("project_slug", "a\\b", "has '\\\\'"),
        ("project_slug", ".", "starts with neither"),
        ("project_slug", "..", "starts with neither"),
        ("project_slug", "my project", "has ' '"),
        ("project_slug", "naïve", "has 'ï'"),
        ("project_slug", "{{a}}", "has '{'"),
        ("project_slug", "a.", "ends with a dot"),
        ("project_slug", "a-", "ends with neither"),
        ("project_slug", "NUL", "device on Windows"),
        ("project_slug", "com1.txt", "device on Windows"),
        ("project_slug", "a" * 65, "longer than 64"),
        ("project_slug", "scikit-learn", "package that the project depends on"),
        ("package_name", "", "identifier"),
        ("package_name", "2fast", "identifier"),
        ("package_name", "my-package", "identifier"),
        ("package_name", "größe", "identifier"),
        ("package_name", "lambda", "keyword"),
        ("package_name", "__init__", "starts with an underscore"),
        ("package_name", "numpy", "would shadow"),
        ("package_name", "anndata", "would shadow"),
        ("package_name", "Pandas", "would shadow"),
        ("package_name", "json", "standard library"),
        ("package_name", "test", "another part of the project"),
        ("package_name", "checkpoint", "another part of the project"),
        ("package_name", "aux", "device on Windows"),
        ("notebooks", "", "empty name"),
        ("notebooks", "a, ,b", "empty name"),
        ("notebooks", "a, b, A", "'A' is listed twice"),
        ("notebooks", "a, con", "device on Windows"),
        ("notebooks", "a/b", "has '/'"),
        ("notebooks", "a, 2_b", "has numbers, but not for 'a'"),
        ("notebooks", "2_a, 10_b, 3_c", "has '3' after '10'"),
        ("notebooks", "01_a, 1_b", "has '1' after '01'"),
        ("notebooks", "cell typing", "has ' '"),
        ("notebooks", "a" * 65, "longer than 64"),
        ("notebooks", ",".join(f"n{i}" for i in range(100)), "more than 99"),
    ],
)
def test_refusal(capfd, tmp_path, answer, value, reason):
    said = refused(capfd, tmp_path, **{answer: value})
    lines = [line for line in said.splitlines() if line.startswith(f"{answer} ")]
    assert len(lines) == 1, said
    assert reason in lines[0]
    assert "Valid example: " in lines[0]


@pytest.mark.versions
def test_the_examples_are_valid(bake):
    assert bake(project_name="My project", author_name="Ada Lovelace").is_dir()


@pytest.mark.versions
@pytest.mark.parametrize("name", ["2024 study", "R & D (pilot)", "données", "日本", "Mc.Cell-Type"])
def test_derived_names_are_good(bake, name):
    baked = bake(project_name=name, pipeline="blank")
    assert baked.package.isidentifier()


@pytest.mark.versions
def test_99_notebooks_are_accepted(bake):
    baked = bake(pipeline="blank", notebooks=",".join(f"n{i}" for i in range(99)))
    assert (baked / "notebooks" / "99_n98.ipynb").is_file()


@pytest.mark.versions
def test_numbers_that_people_bring(bake):
    baked = bake(pipeline="blank", notebooks="01_import, 01a_qc, 02_umap")
    assert baked.steps() == ["01_import", "01a_qc", "02_umap"]
    assert 'load("01_import")' in baked.code("01a_qc")
    assert baked.command("check").returncode == 0


@pytest.mark.versions
def test_a_worked_in_project_is_not_overwritten(capfd, bake, tmp_path):
    path = bake(pipeline="blank")
    (path / "notebooks" / "1_preprocessing.ipynb").write_text("mine")
    with pytest.raises(FailedHookException):
        generate(tmp_path, pipeline="blank", overwrite=True)
    refusal = capfd.readouterr().err
    assert "would be overwritten" in refusal
    assert "use `notebook-checkpoints adopt`." in refusal
    assert (path / "notebooks" / "1_preprocessing.ipynb").read_text() == "mine"


@pytest.mark.versions
@pytest.mark.parametrize("own", ["src/a.py", ".github/a.yml", "profiles/a.yaml", "src", "data"])
def test_folders_of_ones_own_are_not_overwritten(capfd, tmp_path, own):
    """Not even if `src` is a file or a link; cookiecutter would remove some of them."""
    path = tmp_path / "my_project" / own
    path.parent.mkdir(parents=True)
    if own == "data":
        path.symlink_to(tmp_path / "nowhere", target_is_directory=True)
    else:
        path.write_text("mine")
    with pytest.raises(FailedHookException):
        generate(tmp_path, overwrite=True)
    assert f"contains {Path(own).parts[0]}, which would be overwritten" in capfd.readouterr().err
    assert path.is_symlink() or path.read_text() == "mine"
    assert len(list((tmp_path / "my_project").iterdir())) == 1


def test_files_of_ones_own_are_not_overwritten(capfd, bake, tmp_path):
    """The error names every existing file that the new project would replace."""
    path = tmp_path / "own" / "my_project"
    path.mkdir(parents=True)
    names = sorted(one.name for one in bake(pipeline="tabular", license="MIT").iterdir())
    capfd.readouterr()
    for name in names:
        (path / name).write_text("mine")
    with pytest.raises(FailedHookException):
        generate(tmp_path / "own", overwrite=True, pipeline="tabular", license="MIT")
    said = capfd.readouterr().err
    assert sorted(re.search("contains (.+), which would", said)[1].split(", ")) == names
    assert {one.read_text() for one in path.iterdir()} == {"mine"}
    # files that would not be replaced do not prevent the generation
    for name in names:
        (path / name).unlink()
    (path / "LICENSE").write_text("mine")
    generate(tmp_path / "own", overwrite=True, pipeline="blank", license="none")
    assert (path / "LICENSE").read_text() == "mine"


@pytest.mark.slow
def test_what_the_notebooks_need_is_not_shadowed():
    """The rejected package names include every module that a project's dependencies install."""
    pyproject = tomllib.loads((TEMPLATE / "pyproject.toml").read_text(encoding="utf-8"))
    pending = [Requirement(text).name for text in pyproject["dependency-groups"]["project"]]
    found: dict[str, metadata.Distribution] = {}
    while pending:
        name = canonicalize_name(pending.pop())
        if name not in found:
            found[name] = metadata.distribution(name)
            wanted = map(Requirement, found[name].requires or [])
            pending += [r.name for r in wanted if not r.marker or r.marker.evaluate()]
    names = {name.replace("-", "_") for name in found}
    for distribution in found.values():
        for file in distribution.files or []:
            module = file.parts[0].partition(".")[0].lower()
            code = len(file.parts) > 1 or file.suffix in (".py", ".so", ".pyd")
            if code and module.isidentifier() and module[0] != "_" and "dist-info" not in str(file):
                names.add(module)
    # stray folders in wheels, which are not imported
    stray = {"benchmarks", "bin", "cmake_modules", "etc", "examples", "scripts", "share"}
    assert names - needed() - stray == set()


@pytest.mark.versions
def test_answers_left_empty_in_a_configuration_file(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("default_context:\n  author_name:\n  description:\n")
    path = generate(tmp_path, config=config, author_name=None, description=None)
    project = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["description"] == ""
    assert "authors" not in project


@pytest.mark.versions
def test_answers_in_a_configuration_file_that_are_not_text(capfd, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("default_context:\n  author_name: no\n")
    with pytest.raises(FailedHookException):
        generate(tmp_path / "out", config=config, author_name=None)
    assert "author_name 'False': must be text, got bool." in capfd.readouterr().err


@pytest.mark.versions
@pytest.mark.parametrize("slug", ["numpy", 'a"b', "../out"])
def test_a_replay_file_that_was_edited(capfd, tmp_path, slug):
    config = tmp_path / "config.yaml"
    config.write_text(f"replay_dir: {(tmp_path / 'replay').as_posix()}\n")
    generate(tmp_path / "first", config=config)
    (edited,) = (tmp_path / "replay").iterdir()
    answers = json.loads(edited.read_text(encoding="utf-8"))
    answers["cookiecutter"]["project_slug"] = slug
    edited.write_text(json.dumps(answers), encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    (tmp_path / "first" / "second").mkdir()
    with pytest.raises(FailedHookException):
        cookiecutter(
            str(TEMPLATE), replay=str(edited), output_dir=str(tmp_path / "first" / "second")
        )
    assert "project_slug" in capfd.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
    assert {path.name for path in (tmp_path / "first").iterdir()} == {"my_project", "second"}
    assert list((tmp_path / "first" / "second").iterdir()) == []


@pytest.mark.versions
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_data(bake, text):
    baked = bake(
        project_name=text, project_slug="p", description=text, author_name=text, pipeline="blank"
    )
    assert_says(baked, text, license_file=True)


TEXT = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60
).filter(lambda text: text.strip() == text)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=TEXT, description=TEXT, author=TEXT)
def test_any_printable_text_is_data(name, description, author):
    answers = {"project_name": name, "description": description, "author_name": author}
    with tempfile.TemporaryDirectory() as folder:
        path = generate(
            Path(folder), project_slug="p", package_name="p", pipeline="blank", **answers
        )
        project = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert project["description"] == description
        assert project["authors"] == [{"name": author}]
        assert readme_text(path) == (shown(name), shown(description))


NAME = st.text(st.sampled_from("abcXYZ019_- /\\.:$é\n\x00"), min_size=0, max_size=12)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(slug=NAME, notebooks=st.lists(NAME, min_size=1, max_size=3))
def test_any_name_makes_a_project_or_is_refused_whole(slug, notebooks):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "here")
        place.mkdir()
        try:
            path = generate(
                place, project_slug=slug, pipeline="blank", notebooks=",".join(notebooks)
            )
        except FailedHookException:
            assert list(place.iterdir()) == []
        else:
            assert list(place.iterdir()) == [path]
            made = {notebook.stem for notebook in path.glob("notebooks/*")}
            names = [name.strip() for name in notebooks]
            ours = {f"{number}_{name}" for number, name in enumerate(names, 1)}
            assert made == (set(names) if names[0][0].isdecimal() else ours)
        assert list(Path(folder).iterdir()) == [place]


@pytest.mark.slow
def test_answers_typed_at_the_prompt(tmp_path):
    questions = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
    numbers = [
        str(questions[name].index(choice) + 1)
        for name, choice in (("license", "BSD-3-Clause"), ("pipeline", "blank"))
    ]
    typed = "\n".join(
        ["{{ 7 * 7 }} 'x'", "typed", "typed", "{% if %}", "Ann", *numbers, "one, two"]
    )
    command = [sys.executable, "-m", "cookiecutter", "--default-config", str(TEMPLATE)]
    done = subprocess.run(
        [*command, "-o", str(tmp_path)],
        input=typed + "\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    path = tmp_path / "typed"
    assert readme_text(path) == ("{{ 7 * 7 }} 'x'", "{% if %}")
    assert sorted(p.name for p in path.glob("notebooks/*")) == ["1_one.ipynb", "2_two.ipynb"]
    assert (path / "LICENSE").read_text().startswith("BSD 3-Clause")


def assert_says(path: Path, text: str, license_file: bool) -> None:
    project = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["description"] == text
    assert project["authors"] == [{"name": text}]
    assert yaml.safe_load((path / "environment.yml").read_text(encoding="utf-8"))["name"] == "p"
    assert readme_text(path) == (shown(text), shown(text))
    if license_file:
        assert f"Copyright (c) {text}\n" in (path / "LICENSE").read_text(encoding="utf-8")
    assert not list(path.rglob("hacked"))


def shown(text: str) -> str:
    """Return a text as Markdown renders it: without white space at its ends."""
    return text.strip()


def readme_text(path: Path) -> tuple[str, str]:
    """Return the title and the first paragraph of the README as they are rendered."""
    tokens = MarkdownIt("commonmark").parse((path / "README.md").read_text(encoding="utf-8"))
    inline = [token for token in tokens if token.type == "inline"][:2]
    assert [token.type for token in tokens[:6]] == [
        "heading_open",
        "inline",
        "heading_close",
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]
    title, paragraph = ("".join(child.content for child in token.children) for token in inline)
    return title, paragraph
