"""The report page in a real browser, opened from a file: it works, and no hostile text runs."""

import os
import shutil
from dataclasses import dataclass, field

import pytest
from project_under_test import ONE, TWO

from checkpoint.project.project import Project
from checkpoint.report.write import write

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROKEN = "[...document.images].filter(i => i.closest('main') && !i.naturalWidth).length"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    """Yield a running browser; skip the tests if there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as tool:
        try:
            started = tool.chromium.launch(executable_path=found, args=as_root)
        except playwright.Error as error:
            pytest.skip(f"no browser: {error.message.splitlines()[0]}")
        yield started
        started.close()


@dataclass
class Reader:
    """Opens pages, and collects the browser's messages and requests."""

    browser: object
    said: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def open(self, path, width=1440, height=900, **options):
        page = self.browser.new_page(viewport={"width": width, "height": height}, **options)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(path.as_uri())
        return page


@pytest.fixture
def reader(browser):
    return Reader(browser)


@pytest.fixture
def path(told):
    """Return the path of the report of the project with every kind of content."""
    file = told / "results" / "report.html"
    write(Project(told), file, 10**7)
    return file


def test_a_page_is_read(path, reader):
    page = reader.open(path)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(200)
    assert page.title() == "My project"  # no hostile script has changed the title
    assert page.evaluate(BROKEN) == 0
    assert page.evaluate(WIDER) <= 0
    assert [url for url in reader.asked if url != path.as_uri() and url[:5] != "data:"] == []
    page.get_by_label("Contents").get_by_role("link", name=TWO).click()
    heading = page.get_by_role("heading", name=TWO, exact=False).first
    playwright.expect(heading).to_be_in_viewport()

    page.locator("a.large").first.focus()
    page.keyboard.press("Enter")
    large = page.get_by_role("dialog")
    playwright.expect(large).to_be_visible()
    playwright.expect(large.get_by_role("img", name=f"Figure umap of {TWO}")).to_be_visible()
    playwright.expect(large).to_contain_text(f"umap, {TWO} (stale)")
    page.keyboard.press("ArrowRight")
    playwright.expect(large).to_be_visible()
    page.keyboard.press("Escape")
    playwright.expect(large).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "large"

    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    page.get_by_role("link", name="cell 2").first.click()  # opens the cell's notebook
    playwright.expect(page.locator("#cell-2-2")).to_be_in_viewport()
    folded = page.locator("details:not([open], .notebook)")
    before = folded.count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.count() == 0 < before
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert folded.count() == before
    assert reader.said == []


def test_a_page_is_used_with_the_keyboard_on_a_narrow_screen(path, reader):
    page = reader.open(path, width=360, height=700)
    page.keyboard.press("Tab")
    playwright.expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(WIDER) <= 0
    playwright.expect(page.get_by_label("Contents")).to_be_hidden()
    levels = [
        int(tag[1])
        for tag in page.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => h.tagName)"
        )
    ]
    assert levels[0] == 1 and levels.count(1) == 1
    unnamed = "[...document.querySelectorAll('main img')].filter(i => !i.alt).length"
    assert page.evaluate(unnamed) == 0
    page.emulate_media(media="print")
    playwright.expect(page.get_by_role("link", name="Overview").first).to_be_hidden()
    assert reader.said == []


def test_many_steps_and_lines_leave_room_for_the_names(bake, reader):
    names = [f"a_step_of_many_{number}" for number in range(12)]
    project = bake(pipeline="blank", notebooks=", ".join(names))
    steps = project.steps()
    for number in range(6, 12):  # one lane for each of the first six steps
        with project.edited(steps[number]) as notebook:
            load = next(cell for cell in notebook.cells if "load(" in cell.source)
            load.source += f'\nearlier = load("{steps[11 - number]}")'
    file = project / "results" / "report.html"
    write(Project(project), file, 10**7)
    cut = "[...document.querySelectorAll('.chain a')].filter(a => a.scrollWidth > a.clientWidth)"
    page = reader.open(file, width=360, height=700)
    playwright.expect(page.locator(".chain svg")).to_be_hidden()
    assert page.evaluate(f"{cut}.length + ({WIDER})") == 0
    page.get_by_role("link", name=f"Next: {steps[1]}").click()
    playwright.expect(page.get_by_role("heading", name=steps[1]).first).to_be_in_viewport()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_label("Contents").get_by_role("link", name=steps[8]).click()
    playwright.expect(page.locator("nav [aria-current]")).to_have_text(f"!{steps[8]}")
    playwright.expect(page.locator("nav [aria-current]")).to_be_in_viewport()
    assert page.evaluate(f"{cut}.length + ({WIDER})") == 0
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 900})
    assert page.evaluate(f"{cut}.length") == 0
    assert reader.said == []


def test_it_is_accessible(path, reader):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    # the page's content security policy would block axe's script
    page = reader.open(path, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(page).response["violations"]
        assert [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]] == []


def test_without_its_script_the_page_has_everything(path, reader):
    page = reader.open(path, java_script_enabled=False)
    page.locator("a.large").first.click()
    assert page.url.endswith("#figure-2-1")
    playwright.expect(page.locator("#figure-2-1")).to_be_in_viewport()
    page.get_by_label("Contents").get_by_role("link", name=ONE).click()
    playwright.expect(page.get_by_role("heading", name=ONE).first).to_be_in_viewport()
