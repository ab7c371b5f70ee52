"""What each pipeline adds to a project, from `pipelines/<name>/pipeline.toml`.

A pipeline is a folder whose files are copied to the top of the project; its `pipeline.toml` defines
the rest. To add one, create such a folder and list its name in `cookiecutter.json`.
"""

import tomllib
from pathlib import Path

FIELDS = {"prompt": str, "asks_for_notebooks": bool, "dependencies": list, "readme": str}


def template_folder() -> Path:
    """Return the folder of the template that is being rendered.

    cookiecutter renders hooks in the template's folder, and files in the project's folder within
    it. The path of this module may be in another clone, if Python found that first.
    """
    here = Path.cwd()
    return here if (here / "cookiecutter.json").is_file() else here.parent


def pipelines() -> list[str]:
    """Return the names of the template's pipelines."""
    return sorted(path.parent.name for path in template_folder().glob("pipelines/*/pipeline.toml"))


def read_pipeline(name: str) -> dict:
    """Return the fields of a pipeline.

    Parameters
    ----------
    name
        A folder in `pipelines/`.

    Returns
    -------
    dict
        `prompt`, as `cookiecutter.json` shows it; `asks_for_notebooks`, whether the user names the
        notebooks; `dependencies`, a list of requirements; `readme`, Markdown.

    Raises
    ------
    ValueError
        If there is no such pipeline, or its `pipeline.toml` is invalid. The message completes
        "pipeline 'name': …".
    """
    if name not in pipelines():
        raise ValueError(f"is not a pipeline of this template ({', '.join(pipelines())})")
    path = template_folder() / "pipelines" / name / "pipeline.toml"
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not TOML, or not UTF-8
        raise ValueError(f"pipeline.toml cannot be read: {error}") from error
    for field, kind in FIELDS.items():
        if not isinstance(fields.get(field), kind):
            value = repr(fields[field]) if field in fields else "nothing"
            raise ValueError(f"pipeline.toml: {field} must be a {kind.__name__}, got {value}")
    if unknown := sorted(fields.keys() - FIELDS):
        raise ValueError(f"pipeline.toml has an unknown field: {unknown[0]}")
    return fields
