"""The table `[tool.checkpoint.template]`, which records the template that made a project.

Equal answers and an equal address make an equal table, so a path on this machine is left out.
"""

import json
import re
from pathlib import Path

from answer_pipelines import template_folder

# `https://…`, `git@host:…` and abbreviations such as `gh:lab/template`; not `C:\…`
ADDRESS = re.compile(r"(?!file:)\w{2,}:|[\w.-]+@[\w.-]+:")


def template_record(answers: dict) -> str:
    """Return the content of the table: address and commit if there is one, version, answers."""
    source, commit = source_of(str(answers.get("_template", "")), template_folder())
    code = (template_folder() / "checkpoint" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"', code, re.MULTILINE)
    fields = {"source": source, "commit": commit, "version": version and version[1]}
    # JSON's strings are TOML's
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items() if value]
    lines += ["", "[tool.checkpoint.template.answers]"]
    for name, value in answers.items():
        if not name.startswith("_"):
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def source_of(address: str, folder: Path) -> tuple[str | None, str | None]:
    """Return the address of a template and the commit in use; None for an unknown value.

    Parameters
    ----------
    address
        The template's address, as given to cookiecutter.
    folder
        The template: a clone, or the data of an installed package.
    """
    if recorded := address_to_record(address):
        return recorded, commit_of(folder)
    if folder.parent.name != "notebook_checkpoints":
        return None, None
    for path in folder.parent.parent.glob("cookiecutter_notebook_checkpoints-*/direct_url.json"):
        installed = json.loads(path.read_text(encoding="utf-8"))
        if ADDRESS.match(installed["url"]) and "vcs_info" in installed:
            return source_of(installed["url"], folder)[0], installed["vcs_info"]["commit_id"]
    return None, None


def address_to_record(address: str) -> str | None:
    """Return an address without a token, which is a secret; None for a path on this machine."""
    found = ADDRESS.match(address)
    return re.sub(r"^(https?://)[^/@]*@", r"\1", address) if found else None


def commit_of(folder: Path) -> str | None:
    """Return the commit of a clone, without calling git; None if the folder is not one."""
    git = folder / ".git"
    if not (git / "HEAD").is_file():
        return None
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    name = head.removeprefix("ref: ")
    if name == head:
        return head
    if (git / name).is_file():
        return (git / name).read_text(encoding="utf-8").strip()
    packed = git / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), None)
