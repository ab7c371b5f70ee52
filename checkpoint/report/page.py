"""Build the report page: one self-contained HTML file within a size budget."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from .. import __version__, text
from . import drawing, rendered, views
from .facts import Facts
from .ledger import MOST_PARTS, ledger
from .methods import methods, versions
from .pictures import can_reduce, fit

HERE = Path(__file__).parent
GENERATOR = "checkpoint report"  # marks pages that this code wrote, which may be replaced
SLACK = 20_000  # bytes reserved for the notes on what was left out
DENSE = 12  # with more steps, the rows of the graph are lower


class Page:
    """The page of a project, within a budget of bytes."""

    def __init__(self, facts: Facts, budget: int) -> None:
        self.facts = facts
        self.steps = [
            views.StepView(facts.project, step, number)
            for number, step in enumerate(facts.steps, 1)
        ]
        # all pictures, including those left out
        self.pictures = [picture for step in self.steps for picture in step.pictures]
        self.notebooks_left_out: list[str] = []  # their steps, if text alone exceeds the budget
        self._firsts = views.first_figures(self.steps)
        self._about = self._gathered(budget)
        room = budget - len(self._without_notebooks(budget)) - SLACK
        copies = sum(small.cost for *_, small in self._firsts)
        if copies > room // 4:
            self._about["firsts"], copies = [], 0
        fit(self.pictures, room - copies)
        self.html = self._rendered(bare=False)

    @property
    def smaller(self) -> int:
        """The number of pictures that are smaller than they were saved."""
        return sum(picture.smaller and not picture.left_out for picture in self.pictures)

    @property
    def left_out(self) -> int:
        """The number of pictures that were left out."""
        return sum(picture.left_out for picture in self.pictures)

    def _without_notebooks(self, budget: int) -> bytes:
        """Leave out notebooks, longest first, until the text fits; return the bare page."""
        bare = self._rendered(bare=True)
        for step in sorted(self.steps, key=lambda step: -_length(step)):
            if len(bare) + SLACK <= budget or not step.cells:
                break
            self.notebooks_left_out.append(step.name)
            gone = {id(picture) for picture in rendered.pictures_of(step.cells)}
            self.pictures = [p for p in self.pictures if id(p) not in gone]
            step.cells = []
            bare = self._rendered(bare=True)
        return bare

    def _rendered(self, bare: bool) -> bytes:
        html: str = _template().render(**self._about, page=self, bare=bare)
        return html.encode("utf-8", "replace")

    def _gathered(self, budget: int) -> dict[str, Any]:
        facts = self.facts
        entries, tables = ledger(facts)
        holding = [step.holds for step in self.steps]
        return {
            "facts": facts,
            "steps": self.steps,
            "by_name": {step.name: step for step in self.steps},
            "firsts": self._firsts,
            "last": views.last_steps(facts, self.steps),
            "graph": drawing.draw(facts.loads, 30 if len(self.steps) > DENSE else 40),
            "ledger": entries,
            "methods": methods(facts),
            "versions": versions(facts),
            "inputs": list(views.inputs_of(facts, tables)),
            "listed_parts": MOST_PARTS,
            "meaning": views.MEANING,
            "holding": (holding.count(True), holding.count(False), holding.count(None)),
            "budget": text.size(budget),
            "can_reduce": can_reduce(),
            "tool": __version__,
            "generator": GENERATOR,
            "css": _css(),
            "script": _asset("report.js"),
            "policy": _policy(),
        }


def _length(step: views.StepView) -> int:
    """Return the approximate number of characters that a step's notebook takes."""
    outputs = [output for cell in step.cells for output in cell.outputs]
    tables = sum(len(value) for o in outputs for row in o.rows for _, value, _ in row)
    texts = sum(len(output.text) for output in outputs)
    return sum(len(cell.html) for cell in step.cells) + tables + texts


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = text.size
    environment.filters["markdown"] = rendered.markdown
    environment.filters["when"] = lambda timestamp: (timestamp or "")[:16].replace("T", " ")
    return environment.get_template("report.html")


@cache
def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache
def _css() -> str:
    return f"{_asset('report.css')}\n{rendered.colours()}"


@cache
def _policy() -> str:
    """Return the content security policy: only the page's own pictures, script and styles."""
    script, style = (_digest(content) for content in (_asset("report.js"), _css()))
    return (
        f"default-src 'none'; img-src data:; script-src '{script}'; style-src '{style}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
