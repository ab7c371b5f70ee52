"""The report page: its content, safety against hostile text, size, and where it is written."""

import io
import json
import os
import re
import sys
import zipfile
from html.parser import HTMLParser
from importlib import metadata

import h5py
import nbformat
import pandas as pd
import pytest
import yaml
from hostile import RUNS, drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project_under_test import ONE, THREE, TWO, git

from checkpoint import data_file, save
from checkpoint.errors import ProjectError
from checkpoint.lineage.accept import accept
from checkpoint.project.project import Project
from checkpoint.report.facts import gather
from checkpoint.report.methods import methods
from checkpoint.report.outputs import shown
from checkpoint.report.page import Page
from checkpoint.report.pictures import budget_of
from checkpoint.report.write import write
from checkpoint.storage import session

LARGE = 10**7


class Parsed(HTMLParser):
    """The tags and the text of a page, as a browser parses them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._raw = [], "", False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("style", "script")

    def handle_endtag(self, tag):
        self._raw = False

    def handle_data(self, data):
        self.text += "" if self._raw else data

    def addresses(self):
        return [attrs[key] for _, attrs in self.tags for key in ("href", "src") if key in attrs]


def page(project, budget=LARGE):
    made = Page(gather(Project(project)), budget)
    return made, Parsed(made.html.decode())


def words(text):
    return " ".join(text.split())


def test_what_the_page_says(told):
    made, parsed = page(told)
    text = words(parsed.text)
    assert "My project" in text and "An analysis in several notebooks." in text
    assert "2 of 3 steps do not hold." in text
    assert f"{TWO} is stale: results/{ONE} was regenerated with different content" in text
    assert f"{THREE} is missing: nothing was saved yet" in text
    assert "1 parameter differs from the last commit." in text
    assert "500 was 1 in the last commit" in text
    assert "60 × 1 −40 rows, −1 columns" in text  # compared with the table of the same name
    assert "1 part, 0 current" in text and f"{TWO}/donor_1" in text
    assert "Named in cell 2, axes = {'umap': 1}. Saved in cell 3." in text
    assert f"Named in cell 2, axes = {{'umap': 1}}. Saved by {TWO} with n = 1." in text  # a part
    assert ("figure", "no") in [(t, a.get("class")) for t, a in parsed.tags]  # a stale figure
    assert "Quality & <b>control</b>" in text and "[picture: a picture]" in text
    assert "100%" in text and "10%\r" not in text and "\x1b" not in text
    assert ("td", {"colspan": "2"}) in parsed.tags or ("th", {"colspan": "2"}) in parsed.tags
    assert {step.name: step.state.state for step in made.steps} == told.states()


def test_nothing_in_it_runs_or_loads_anything(told):
    _, parsed = page(told)
    assert parsed.text.count("document.title = 'ran'") > 6  # the hostile code is shown as text
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    assert not [attrs for _, attrs in parsed.tags if any(key.startswith("on") for key in attrs)]
    assert not [attrs for _, attrs in parsed.tags if "style" in attrs]
    assert all(address.startswith(("#", "data:")) for address in parsed.addresses())
    (policy,) = [a["content"] for _, a in parsed.tags if a.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; script-src 'sha256-")
    assert "unsafe" not in policy


HOSTILE = st.text() | st.sampled_from([RUNS, "</pre></main>", "{{ 7 * 7 }}", "]]>", "\x00\ud800"])


@settings(max_examples=20)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_any_text_of_an_output_stays_text(first, second, third):
    html = f"<table><tr><td>{first}</td></tr>{second}</table>{third}"
    data = {"text/html": html, "text/plain": first, third: second}
    for output in [
        {"output_type": "stream", "text": [first, second]},
        {"output_type": "display_data", "data": data},
        {"output_type": "execute_result", "data": {"image/png": first, "image/svg+xml": second}},
        {"output_type": "error", "ename": first, "evalue": second, "traceback": third},
        {"output_type": "display_data", "data": first},
        {"output_type": first},
        first,
    ]:
        for piece in shown(output):
            assert piece.kind in ("text", "error", "table", "picture", "markdown")
            texts = [value for row in piece.rows for _, value, _ in row]
            assert all(isinstance(value, str) for value in [piece.text, *texts])


def test_text_that_is_not_unicode_and_templates_are_shown_as_they_are(project):
    save(ONE, {"value": 1}, params={"{{ 7 * 7 }}": "{% for %}", "a": {"b": [1, {"c": None}]}})
    with project.edited(ONE) as notebook:
        notebook.cells[0].source = "# {{ 7 * 7 }} \N{GRINNING FACE}"
    path = project.notebook(ONE)
    path.write_text(path.read_text().replace("\N{GRINNING FACE}", "\\ud800"))
    odd = {"a": {"n_cells": "x", "n_features": None}, "b": 3, "c": {"shape": 1, "dtype": 2}}
    project.edit_record(ONE, lambda c: c["data_shapes"].update(odd))
    project.edit_record(ONE, lambda c: c.update(nan=float("nan")))
    _, parsed = page(project)
    assert "NaN" in parsed.text
    assert "{{ 7 * 7 }}" in parsed.text and "{% for %}" in parsed.text
    assert '[1, {"c": null}]' in parsed.text


@pytest.mark.slow
@pytest.mark.versions
def test_a_budget_makes_pictures_smaller_and_then_leaves_them_out(project):
    figures = {f"figures/{name}.png": drawn((4, 4), 400) for name in "ab"}
    save(ONE, {**figures, "a.txt.pkl": 1})
    with project.edited(ONE) as notebook:
        notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="x\n" * 9)]
    whole, _ = page(project)
    assert len(whole.html) > 500_000 and not whole.smaller and not whole.left_out
    fewer, parsed = page(project, 350_000)
    assert len(fewer.html) <= 350_000
    assert fewer.smaller and not fewer.left_out and "smaller than saved" in parsed.text
    none, parsed = page(project, 90_000)
    assert len(none.html) <= 90_000
    assert none.left_out and "Left out: " in parsed.text and "left out." in parsed.text
    bare, parsed = page(project, 10_000)
    assert set(bare.notebooks_left_out) == {ONE, TWO, THREE}
    assert "the notebooks of" in parsed.text


def test_without_pillow_the_page_says_what_it_cannot_do(project, monkeypatch):
    save(ONE, {"figures/a.png": drawn((5, 5), 500)})
    for name in [name for name in sys.modules if name.partition(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("builtins.__import__", without(__import__, "PIL"))
    made, parsed = page(project)
    assert not made.left_out and any(tag == "img" for tag, _ in parsed.tags)
    made, parsed = page(project, 100_000)
    assert made.left_out == 1 and len(made.html) <= 100_000
    assert "1 picture is left out" in parsed.text


def without(importing, package):
    """Return an import function that fails for one package."""

    def import_others(name, *rest, **options):
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(name)
        return importing(name, *rest, **options)

    return import_others


@pytest.mark.parametrize(
    ("text", "size"), [("10MB", 10**7), ("500 kB", 500_000), ("1.5gb", 15 * 10**8), ("2000", 2000)]
)
def test_a_budget(text, size):
    assert budget_of(text) == size


@pytest.mark.parametrize("text", ["", "MB", "ten", "-1MB", "0", "nan", "inf", "1e400", "10 TB"])
def test_what_is_no_budget(text):
    with pytest.raises(ProjectError) as caught:
        budget_of(text)
    assert (caught.value.key, caught.value.found) == ("budget", text)


def test_the_same_project_gives_the_same_bytes(told, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    path, zipped = told / "results" / "report.html", told / "results" / "report.zip"
    write(Project(told), path, LARGE, zipped=True)
    before = path.read_bytes(), zipped.read_bytes()
    os.utime(told / "results" / TWO / "table.csv")
    write(Project(told), path, LARGE, zipped=True)  # may replace a page that it wrote
    assert (path.read_bytes(), zipped.read_bytes()) == before
    assert b"Checked 2023-11-14 22:13 UTC" in before[0]
    names = zipfile.ZipFile(io.BytesIO(before[1])).namelist()
    assert names[0] == "report.html" and f"results/{TWO}/figures/umap.png" in names
    assert f"notebooks/{ONE}.ipynb" in names and f"results/{ONE}/params.json" in names
    assert f"results/{TWO}/donor_1/session.json" not in names


def test_a_file_that_is_not_a_page_stays(project):
    notebook = project.notebook(ONE)
    for path in (notebook, project / "README.md", project / "data"):
        with pytest.raises(ProjectError):
            write(Project(project), path, LARGE)
    other = project / "other.html"
    other.write_text("<html>mine</html>")
    with pytest.raises(ProjectError, match=r"is not a page that `checkpoint report` wrote"):
        write(Project(project), other, LARGE)
    assert other.read_text() == "<html>mine</html>"


def test_a_project_without_results_git_or_steps(project):
    around = project.parent  # a repository that does not track the project
    git(around, "init", "-q")
    git(around, "commit", "-qm", "x", "--allow-empty")
    _, parsed = page(project)
    text = words(parsed.text)
    assert "3 of 3 steps do not hold." in text and "Nothing yet." in text
    assert "No step has saved results yet." in text and "commit" not in text
    for step in (ONE, TWO, THREE):
        project.notebook(step).unlink()
    _, parsed = page(project)
    assert "This project has no steps yet." in parsed.text


def test_what_was_accepted_is_not_called_what_the_notebooks_make(project):
    project.make()
    assert "All 3 steps are current: what is saved" in words(page(project)[1].text)
    save(ONE, {"other": 1})
    accept(Project(project), TWO, "no <b> difference")
    text = words(page(project)[1].text)
    assert f"All 3 steps are current, {TWO} since somebody accepted it although" in text
    assert f"{TWO} ✓ current accepted" in text and "no <b> difference" in text


def test_the_ledger_begins_with_raw_files(project):
    for name, cells in (("rna", 5), ("protein", 6)):
        with h5py.File(project / "data" / f"{name}_counts.h5ad", "w") as file:
            for axis, length in (("obs", cells), ("var", 4)):
                file.create_group(axis)["names"] = list(range(length))
                file[axis].attrs["_index"] = "names"
        data_file(f"{name}_counts.h5ad")
    save(ONE, {"value": 1}, params={"min": 2})
    shapes = {"rna_adata": {"n_cells": 3, "n_features": 4}, "all": {"n_cells": 9, "n_features": 1}}
    project.edit_record(ONE, lambda c: c["data_shapes"].update(shapes))
    text = words(page(project)[1].text)
    assert "rna_adata data/rna_counts.h5ad 5 × 4 3 × 4 −2 cells" in text
    assert "all – – 9 × 1 new with min = 2" in text
    assert "data/protein_counts.h5ad, 6 cells × 4 features" in text
    with h5py.File(project / "data" / "rna_counts.h5ad", "a") as file:
        file.create_group("obsm")
    text = words(page(project)[1].text)  # the old file's shape is unknown
    assert "rna_adata – – 3 × 4 new" in text and "data/rna_counts.h5ad, " in text
    assert "changed since" in text


def test_of_many_parts_the_first_are_in_the_ledger(project):
    for number in range(10):
        table = pd.DataFrame({"a": range(number)})
        save(f"{ONE}/donor_{number}", {"table.csv": table}, params={"n": number})
    save(ONE, {})
    _, parsed = page(project)
    text = words(parsed.text)
    assert f"Of the 10 parts of {ONE}, the first 8 are listed." in text
    assert "10 parts, 10 current" in text and "n = 9" in text
    assert "10 files, " in text  # in the list of outputs


def test_a_notebook_that_cannot_be_read(project):
    save(ONE, {"value": 1})
    project.notebook(ONE).write_text("{")
    _, parsed = page(project)
    assert "is not valid JSON" in parsed.text


def test_damaged_and_missing_figures_are_marked(project):
    save(ONE, {"figures/a.png": drawn(), "figures/b.png": drawn(), "c.pdf": drawn()})
    (project / "results" / ONE / "figures" / "a.png").write_bytes(b"no picture")
    (project / "results" / ONE / "figures" / "b.png").unlink()
    _, parsed = page(project)
    text = words(parsed.text)
    assert "Not as it was saved: figures/a.png" in text and "Its file is missing" in text
    assert "the page can show no file of this type" in text


@pytest.mark.slow
def test_the_command(told):
    code = "import os; print('<b>made</b>'); "
    code += "open(os.environ['CHECKPOINT_OUTPUT'] + '/a.csv', 'w').close()"
    run = json.dumps(["python", "-c", code])
    told.add_settings(f"[tool.checkpoint.steps.4_count]\nrun = {run}")
    assert told.command("run", "4_count").returncode == 0
    done = told.command("report", "--check", "--zip", "--budget", "1MB")
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"Wrote results/report\.html, [\d.]+ kB\.", first)
    assert second == "Wrote results/report.zip."
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        f"{TWO} is stale",
        f"{THREE} is missing",
    ]
    text = Parsed((told / "results" / "report.html").read_text(encoding="utf-8")).text
    assert "What the command printed" in text and "<b>made</b>" in text and "python -c" in text
    assert told.command("report", "-o", "other.html").returncode == 0
    assert (told / "other.html").is_file()
    done = told.command("methods")
    assert done.returncode == 0
    assert f"{ONE} was made by the notebook notebooks/{ONE}.ipynb with Python " in done.stdout
    assert "It was made from data/raw.txt. Parameters: filter (min_counts = 500" in done.stdout
    assert "It gave table.csv (100 rows x 2 columns)." in done.stdout
    assert "was made by the command `python -c import os;" in done.stdout
    assert f"Without recorded results: {THREE}." in done.stdout
    assert f"Note: {TWO} is stale; see `checkpoint status`." in done.stderr


def test_in_a_clone_nothing_speaks_against_the_results(project, tmp_path):
    (project / "data" / "raw.txt").write_text("raw")
    project.make()
    project.commit()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(project), str(clone))
    _, parsed = page(clone)
    text = words(parsed.text)
    assert "Nothing speaks against these results." in text
    assert "3 of 3 steps could not be verified where this page was made" in text
    notebook = clone / "notebooks" / f"{TWO}.ipynb"
    notebook.write_text(notebook.read_text().replace("# Integration", "# Other"))
    assert "Nothing speaks against these results." in page(clone)[1].text
    (clone / "results" / TWO / "params.json").write_text("{")
    assert "do not hold." in page(clone)[1].text


@pytest.mark.versions
def test_it_needs_only_what_the_workflow_installs(project):
    """Few imports also let the command start fast: nbconvert, for example, takes seconds."""
    workflow = yaml.safe_load((project / ".github" / "workflows" / "checkpoint.yml").read_text())
    job = workflow["jobs"]["report"]
    assert job["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert job["concurrency"] == {"group": "pages", "cancel-in-progress": False}
    assert job["environment"]["name"] == "github-pages"
    commands = [step["run"] for step in job["steps"] if "run" in step]
    waiting = commands[0].partition("constraints.txt ")[2].split()
    assert commands[1] == "python src/*/checkpoint report -o public/index.html"
    installed = set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in installed:
            installed.add(name)
            lines = map(Requirement, metadata.requires(name) or [])
            waiting += [
                line.name
                for line in lines
                if not line.marker or line.marker.evaluate({"extra": ""})
            ]
    session.forget()
    save(ONE, {"figures/a.png": drawn((5, 5), 200)})
    listing = (
        "import sys; from my_project.checkpoint.cli.command import app\n"
        "app(['report'], standalone_mode=False)\n"
        "files = {name: getattr(module, '__file__', '') for name, module in sys.modules.items()}\n"
        "theirs = [name for name, file in files.items() if 'site-packages' in str(file)]\n"
        "print(*{name.partition('.')[0] for name in theirs})"
    )
    done = project.python("-c", listing)
    assert done.returncode == 0, done.stderr
    other_names = {"markdown_it": "markdown-it-py", "PIL": "pillow", "attr": "attrs"}
    installed.add("attrs")  # older versions of these packages import it if it is installed
    imported = {name for name in done.stdout.splitlines()[-1].split() if name[0] != "_"}
    assert "jinja2" in imported and "PIL" in imported
    assert {canonicalize_name(other_names.get(name, name)) for name in imported} <= installed


def test_methods_name_what_a_notebook_imports(project):
    save(ONE, {"value": 1})
    with project.edited(ONE) as notebook:
        notebook.cells[
            3
        ].source = "import numpy.linalg, json\nfrom nothing_like import it\nimport own"
    (project / "src" / "own.py").write_text("")
    text = methods(gather(Project(project)))
    assert f"notebooks/{ONE}.ipynb with numpy {metadata.version('numpy')}." in text
    assert "No version was recorded of nothing_like." in text
    assert "They were made with Python" not in text.split("\n\n")[1]
