"""JupyterLab in a real browser: running a chain, `run`, renames, copies and interrupts."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
from project_under_test import ONE, THREE, TWO, generate

pytest.importorskip("jupyterlab")
playwright = pytest.importorskip("playwright.sync_api")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ALONE = [  # no requests to the internet
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-quic", "--no-first-run"),
]
SERVER = [
    *("--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--LabApp.news_url="),
    *("--allow-root", "--no-browser"),
]
FOLDERS = [
    *("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"),
    *("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"),
]
PATIENCE = 60  # seconds, on a busy machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page():
    """Yield a page of a browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    playwright.expect.set_options(timeout=1000 * PATIENCE)
    with playwright.sync_playwright() as tool:
        try:
            browser = tool.chromium.launch(executable_path=found, args=[*ALONE, *as_root])
        except playwright.Error as error:
            pytest.skip(f"no browser: {error.message.splitlines()[0]}")
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project with results of its first notebook, which the second one loads."""
    baked = generate(tmp_path_factory.mktemp("lab"), pipeline="blank")
    code = f"from my_project.checkpoint import save; save('{ONE}', {{}})"
    assert baked.python("-c", code).returncode == 0
    return baked


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return environment variables that set temporary folders for Jupyter."""
    return {name: str(tmp_path_factory.mktemp(name)) for name in FOLDERS}


@pytest.fixture(scope="module")
def server(project, folders):
    """Start JupyterLab in a project, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = [f"--ServerApp.port={port}", f"--ServerApp.root_dir={project}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *SERVER, *places],
        env={**project.environment(), **folders},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/api")
        yield f"http://127.0.0.1:{port}/lab/tree"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def wait_for(url):
    """Wait until a server answers."""
    for _ in range(5 * PATIENCE):
        try:
            urlopen(url)
        except URLError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the server did not start")


def menu(page, *names):
    """Click the menu items with these names, one after another."""
    for name in names:
        page.get_by_role("menuitem", name=re.compile(f"^{name}\\b")).click()


def file(page, name):
    """Return the entry of a file in the file browser."""
    return page.locator(".jp-DirListing-item").filter(has_text=name)


def run_all(page):
    """Run all cells of the open notebook, once its kernel is idle."""
    expect_idle(page)
    prompt = shown(page).locator(".jp-CodeCell .jp-InputPrompt").first
    before = prompt.inner_text()
    for _ in range(PATIENCE):  # the status may still be another tab's
        menu(page, "Run", "Run All Cells")
        page.wait_for_timeout(1000)
        if prompt.inner_text() != before:
            return
    pytest.fail("no cell ran")


def expect_idle(page):
    """Wait until the kernel is idle."""
    playwright.expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()


def shown(page):
    """Return the panel of the visible notebook."""
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")


def expect_output(page, text):
    """Wait until the last output of the visible notebook contains a text."""
    playwright.expect(shown(page).locator(".jp-OutputArea-output").last).to_contain_text(text)


def follow(page, step):
    """Click the link to another notebook, and wait until it is open."""
    shown(page).get_by_role("link", name=f"{step}.ipynb").click()
    tab = page.locator(".lm-TabBar-tab.lm-mod-current").filter(has_text=step)
    playwright.expect(tab).to_be_visible()
    title = shown(page).get_by_role("heading", name=step.partition("_")[2].capitalize())
    playwright.expect(title).to_be_visible()


def save(page):
    """Press Ctrl+S in the open notebook, and return the dialog about the changed file."""
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog").filter(has_text="File Changed")
    playwright.expect(dialog).to_be_visible()
    return dialog


def test_the_chain_is_run_and_read(page, server, project, folders, monkeypatch):
    project.change_cell(ONE, f"save('{ONE}', {{'alpha': 1, 'a&b': 2}})", cell="save")
    page.goto(f"{server}/notebooks/{ONE}.ipynb?reset")
    expect_idle(page)
    playwright.expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)
    run_all(page)
    expect_output(page, f"Run {TWO}.ipynb next")
    expect_output(page, "a&b.pkl")  # escaped, not as HTML
    follow(page, TWO)
    run_all(page)
    expect_output(page, f"Run {THREE}.ipynb next")
    editor = shown(page).locator(".jp-CodeCell .cm-content").nth(1)
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.type('previous["')
    keys = page.locator(".jp-Completer").filter(has_text="alpha")
    for _ in range(PATIENCE):  # a kernel's first completions come too late for JupyterLab
        page.keyboard.press("Tab")
        page.wait_for_timeout(1000)
        if keys.count():
            break
    playwright.expect(keys).to_contain_text("a&b")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    page.keyboard.type("previous")
    follow(page, THREE)
    run_all(page)
    expect_output(page, f"Saved to results/{THREE}/")
    page.locator(".lm-TabBar-tab").filter(has_text=TWO).first.click()
    shutil.rmtree(project / "results" / ONE)
    run_all(page)
    error = shown(page).locator(".jp-OutputArea-output").first
    playwright.expect(error).to_contain_text(f"not found. Run {ONE}.ipynb first.")
    assert "api.py" not in error.inner_text() and len(error.inner_text().splitlines()) < 9
    for name, folder in folders.items():
        monkeypatch.setenv(name, folder)
    ran = project.command("run")  # while the three notebooks are open
    assert f"Open in Jupyter: {ONE}.ipynb. Reload it" in ran.stdout
    written = project.notebook(ONE).read_bytes()
    page.locator(".lm-TabBar-tab").filter(has_text=ONE).first.click()
    editor = shown(page).locator(".jp-CodeCell .cm-content").nth(1)
    editor.click()
    page.keyboard.type("mine ")
    save(page).get_by_role("button", name="Cancel").click()
    playwright.expect(editor).to_contain_text("mine")
    assert project.notebook(ONE).read_bytes() == written
    save(page).get_by_role("button", name="Revert").click()
    playwright.expect(editor).not_to_contain_text("mine")
    expect_output(page, f"Run {TWO}.ipynb next")
    assert project.notebook(ONE).read_bytes() == written


def test_a_notebook_is_renamed_in_the_file_browser(page, server, project):
    page.goto(f"{server}/notebooks/{ONE}.ipynb?reset")
    run_all(page)
    expect_output(page, f"Saved to results/{ONE}/")
    before = project.files(ONE)
    file(page, ONE).click()
    page.keyboard.press("F2")
    page.locator("input.jp-DirListing-editor").fill("1_filtering.ipynb")
    page.keyboard.press("Enter")
    playwright.expect(file(page, "1_filtering")).to_be_visible()
    run_all(page)
    expect_output(page, f"notebooks/{ONE}.ipynb does not exist")
    expect_output(page, f"close it, run `checkpoint rename {ONE} 1_filtering`, and open it again")
    assert project.files(ONE) == before


def test_a_copy_is_made_in_the_file_browser(page, server, project):
    page.goto(f"{server}/notebooks/{TWO}.ipynb?reset")
    run_all(page)
    expect_output(page, f"Saved to results/{TWO}/")
    before = project.files(TWO)
    file(page, TWO).click(button="right")
    menu(page, "Duplicate")
    file(page, f"{TWO}-Copy1").dblclick()
    run_all(page)
    expect_output(page, f"notebooks/{TWO}-Copy1.ipynb would replace results/{TWO}")
    expect_output(page, f"save as '{TWO}-Copy1'")
    assert project.files(TWO) == before


def test_stop_is_pressed_during_a_large_save(page, server, project):
    step = "4_large"
    project.add_settings('compression = "gzip"')  # makes writing slow enough to stop
    with project.edited(TWO) as notebook:
        notebook.cells = [
            nbformat.v4.new_code_cell(source)
            for source in (
                "import anndata, numpy\nfrom my_project.checkpoint import save",
                f"save('{step}', {{'a': 1}})",
                f"save('{step}', {{'b': anndata.AnnData(numpy.random.rand(4000, 4000))}})",
            )
        ]
    shutil.move(project.notebook(TWO), project.notebook(step))
    page.goto(f"{server}/notebooks/{step}.ipynb?reset")
    run_all(page)
    expect_output(page, f"Saved to results/{step}/")
    bar = shown(page).locator(".jp-OutputArea-output").filter(has_text="Writing b.h5ad")
    playwright.expect(bar).to_contain_text("left")
    shown(page).locator("[data-command='notebook:interrupt-kernel']").click()
    # h5py may print the interrupt and continue until its file is written
    expect_idle(page)
    expect_output(page, "KeyboardInterrupt")
    playwright.expect(bar).to_have_text(re.compile("^Writing b.h5ad ended at .+ MB$"))
    folder = project / "results" / step
    assert project.files(step).keys() == {"a.pkl", "params.json", "session.json"}
    assert not list(folder.glob(".staging-*"))
