"""Where the template is."""

from pathlib import Path


def template_folder() -> Path:
    """Return the folder of `cookiecutter.json`.

    An installed package contains the template; in a clone, the template contains the package.
    """
    here = Path(__file__).resolve().parent
    installed = here / "cookiecutter-notebook-checkpoints"
    return installed if installed.is_dir() else here.parent
