"""Figures, charts and styled tables, saved as pictures, HTML pages and sheets."""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from checkpoint import load, save
from checkpoint.errors import CheckpointFormatError, MissingPackageError

STEP = "1_preprocessing"


def axes_of(rows=1, columns=1):
    _, axes = plt.subplots(rows, columns, squeeze=False)
    axes[0, 0].plot([1, 2], label="cells")
    return axes


def dotplot():
    sc = pytest.importorskip("scanpy")
    ad = pytest.importorskip("anndata")
    adata = ad.AnnData(np.random.default_rng(0).random((6, 3)).astype("f4"))
    adata.obs["kind"] = pd.Categorical(["a", "b", "c"] * 2)
    return sc.pl.dotplot(adata, ["0", "1"], groupby="kind", return_fig=True)


def grid():
    sns = pytest.importorskip("seaborn")
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [3, 1, 2], "kind": ["a", "b", "a"]})
    return sns.relplot(frame, x="x", y="y", hue="kind")


def joint():
    sns = pytest.importorskip("seaborn")
    return sns.jointplot(pd.DataFrame({"x": [1, 2, 3], "y": [3, 1, 2]}), x="x", y="y")


DRAWN = {
    "Axes": lambda: axes_of()[0, 0],
    "list of Axes": lambda: list(axes_of(1, 2)[0]),
    "array of Axes": lambda: axes_of(2, 2),
    "dict of Axes": lambda: {"main": axes_of()[0, 0]},
    "lines": lambda: axes_of()[0, 0].plot([1, 2]),
    "subfigure": lambda: plt.figure().subfigures(1, 2)[0],
    "scanpy": dotplot,
    "seaborn grid": grid,
    "seaborn joint grid": joint,
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", DRAWN)
def test_it_is_saved_as_a_picture(project, kind):
    drawn = DRAWN[kind]()
    save(STEP, dict.fromkeys(["x.png", "figures/x.pdf", "x.svg"], drawn))
    previous = load(STEP)
    for key, path in previous.items():
        assert path.suffix == key[-4:]
        assert path.stat().st_size > 1000
    assert len(previous) == 3
    save(STEP, {"x": drawn})
    assert load(STEP)["x"].suffix == ".png"


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.filterwarnings("ignore")
def test_a_plot_of_scanpy_is_not_shown_because_it_was_saved(project):
    plot = dotplot()
    plt.close("all")
    save(STEP, {"x": plot})
    assert plt.get_fignums() == []


def test_axes_of_two_figures_are_refused(project):
    with pytest.raises(CheckpointFormatError, match="belongs to 2 figures"):
        save(STEP, {"x.png": [axes_of()[0, 0], axes_of()[0, 0]]})


def plotly_chart():
    go = pytest.importorskip("plotly.graph_objects")
    return go.Figure(go.Bar(y=[1, 3]))


def altair_chart():
    alt = pytest.importorskip("altair")
    return alt.Chart(pd.DataFrame({"a": [1, 3]})).mark_bar().encode(x="a:Q")


def styled():
    return pd.DataFrame({"a": [1, 2]}).style.highlight_max()


@pytest.mark.parametrize("make", [plotly_chart, pytest.param(altair_chart, marks=pytest.mark.slow)])
def test_a_chart_is_a_page_the_same_each_time(project, make):
    chart = make()
    save(STEP, {"x": chart, "y.html": chart})
    previous = load(STEP)
    assert previous["x"].name == "x.html"
    page = previous["x"].read_text(encoding="utf-8")
    assert "<script" in page and "<script src" not in page
    assert previous["y"].read_text(encoding="utf-8") == page


@pytest.mark.slow
def test_a_page_opens_without_the_internet(project):
    browsers = pytest.importorskip("playwright.sync_api", reason="no playwright")
    pytest.importorskip("vl_convert", reason="an extra of projects")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("no chromium")
    drawn = {plotly_chart: "svg.main-svg", altair_chart: "svg.marks", styled: "table td"}
    save(STEP, {make.__name__: make() for make in drawn})
    previous, asked = load(STEP), []
    with browsers.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        page = browser.new_context(offline=True).new_page()
        page.on("request", lambda request: asked.append(request.url))
        for make, shown in drawn.items():
            page.goto(previous[make.__name__].as_uri())
            page.wait_for_selector(shown)
        browser.close()
    assert [url for url in asked if not url.startswith("file:")] == []
    assert not any("internet" in note for note in previous.record.notes)


def test_a_page_that_needs_the_internet_says_so(project, monkeypatch):
    from checkpoint.formats import charts

    chart = altair_chart()
    monkeypatch.setattr(charts, "find_spec", lambda name: None)
    save(STEP, {"x": chart})
    (note,) = load(STEP).record.notes
    assert "loads its scripts from the internet" in note
    assert '".[charts]"' in note


@pytest.mark.parametrize("make", [plotly_chart, altair_chart])
def test_a_picture_of_a_chart_names_the_extra_that_it_needs(project, monkeypatch, make):
    from checkpoint.formats import charts

    chart = make()
    monkeypatch.setattr(charts, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"\.\[charts\]"):
        save(STEP, {"x.png": chart})


def test_a_styled_table_is_a_page_the_same_each_time(project):
    save(STEP, {"x": styled(), "y.html": styled()})
    previous = load(STEP)
    assert previous["x"].read_bytes() == previous["y"].read_bytes()
    with pytest.raises(CheckpointFormatError, match=r"'z\.html'"):
        save(STEP, {"z.pkl": styled()})


@pytest.mark.parametrize("several", [False, True])
def test_sheets_for_people_come_back_as_they_were(project, several):
    pytest.importorskip("xlsxwriter")
    table = pd.DataFrame(
        {"gene": pd.Categorical(["a", "b"]), "when": pd.date_range("2020", periods=2, tz="UTC")},
        index=pd.Index([3, 4], name="rank"),
    )
    obj = {"T/B": table, "a name that is longer than a sheet may have": table} if several else table
    save(STEP, {"markers.xlsx": obj})
    again = load(STEP)["markers"]
    for name in obj if several else [None]:
        pd.testing.assert_frame_equal(again[name] if several else again, table)
    first = load(STEP).path("markers").read_bytes()
    save(STEP, {"markers.xlsx": obj})
    assert load(STEP).path("markers").read_bytes() == first


def test_a_series_is_a_sheet_and_names_may_differ_by_case(project):
    pytest.importorskip("xlsxwriter")
    saved = {"a": pd.Series([1, 2], name="n"), "A": pd.DataFrame({"x": [1]})}
    save(STEP, {"counts.xlsx": saved})
    pd.testing.assert_series_equal(load(STEP)["counts"]["a"], saved["a"])
    pd.testing.assert_frame_equal(load(STEP)["counts"]["A"], saved["A"])


def test_warnings_of_libraries_do_not_end_a_save(project):
    frame = pd.DataFrame({"a": [1, "x"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        save(STEP, {"x.csv": frame})
    assert load(STEP)["x"].equals(frame)


def test_a_figure_in_a_pickle_is_not_opened_again(project):
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    save(STEP, {"results": {"figure": figure, "n": 1}, "other.pkl": figure})
    assert (plt.get_fignums(), plt.gcf()) == ([figure.number], figure)
    again = load(STEP)
    assert again["results"]["figure"].axes[0].lines[0].get_ydata().tolist() == [1, 2]
    assert again["other"].axes[0].get_xlim() == axes.get_xlim()
    assert plt.get_fignums() == [figure.number]
