"""What is wrong with answers that would not make a working project.

`hooks/pre_gen_project.py` says it. The names are judged here, in cookiecutter's own process, since
the hook is a process of its own in every generation.
"""

import keyword
import sys
from collections.abc import Iterator

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
DEVICES = {"con", "prn", "aux", "nul"} | {p + d for p in ("com", "lpt") for d in "123456789"}
LONGEST = 64
STAND_IN = "refused-project-slug"  # for a slug that is no folder name
MOST_NOTEBOOKS = 99

# Distributions and modules that the notebooks, or what they import, need under these names.
NEEDED = frozenset(
    """
    anndata annotated_doc annotated_types anyio appnope argon2 argon2_cffi argon2_cffi_bindings
    array_api_compat arrow asttokens async_lru attr attrs babel beautifulsoup4 blake3 bleach bokeh
    bs4 certifi cffi charset_normalizer click cloudpickle colorama comm compression contourpy
    cookiecutter crc32c cycler dask dateutil debugpy decorator defusedxml dill donfig exceptiongroup
    executing fast_array_utils fastjsonschema filelock fonttools formulaic fqdn fsspec google
    google_crc32c h11 h5py hatchling httpcore httpx idna igraph importlib_metadata interface_meta
    ipykernel ipykernel_launcher ipython ipython_pygments_lexers ipywidgets isoduration jedi jinja2
    joblib json5 jsonpointer jsonschema jsonschema_specifications jupyter jupyter_builder
    jupyter_client jupyter_core jupyter_events jupyter_lsp jupyter_server jupyter_server_terminals
    jupyterlab jupyterlab_pygments jupyterlab_server jupyterlab_widgets kiwisolver lark
    legacy_api_wrap leidenalg llvmlite louvain markdown_it markdown_it_py markupsafe matplotlib
    matplotlib_inline mdurl mistune mpl_toolkits msgpack mudata muon narwhals natsort nbclient
    nbconvert nbformat nbstripout nest_asyncio nest_asyncio2 networkx notebook notebook_shim numba
    numcodecs numpy overrides packaging pandas pandocfilters papermill parso patsy pexpect pil
    pillow pip pkg_resources platformdirs plotly pooch pre_commit prometheus_client prompt_toolkit
    psutil ptyprocess pure_eval pyarrow pycparser pydantic pydantic_core pydevd pygments pylab
    pynndescent pyparsing pytest python_dateutil python_json_logger pythonjsonlogger pytz pywin32
    pywinpty pyyaml pyzmq referencing requests rfc3339_validator rfc3986_validator rfc3987_syntax
    rich rpds rpds_py ruff scanpy scikit_learn scikit_misc scipy scverse_misc scvi seaborn
    send2trash session_info2 setuptools shellingham six sklearn snakemake sniffio soupsieve squidpy
    stack_data statsmodels tables terminado testing texttable threadpoolctl tinycss2 tlz tomli toolz
    torch tornado tqdm traitlets typer typing_extensions typing_inspection tzdata umap umap_learn
    uri_template urllib3 wcwidth webcolors webencodings websocket websocket_client wheel
    widgetsnbextension win32api win32con winpty wrapt xarray yaml zarr zipp zmq
    """.split()
)
# Names inside the project that would be mistaken for the package.
OWN = frozenset(
    """
    checkpoint checkpoints data docs notebooks pipelines project results scripts src test tests
    """.split()
)


def refusals(answers: dict) -> list[str]:
    """Return a line for each thing that is wrong with the answers."""
    slug = answers["project_slug"]
    # a replay file may have been edited, so the answer counts only where it was swapped
    wrong = list(slug_refusals(answers["__answered_slug"] if slug == STAND_IN else slug))
    return [
        *text_refusals("project_name", answers["project_name"], "My project", required=True),
        # the package is derived from the slug: what is wrong with both is said once
        *(wrong or package_refusals(answers["package_name"])),
        *text_refusals("description", answers["description"], "Maps cells of two modalities."),
        *text_refusals("author_name", answers["author_name"], "Ada Lovelace"),
        *notebook_refusals(answers["notebooks"]),
    ]


def text_refusals(name: str, text: str, example: str, *, required: bool = False) -> Iterator[str]:
    """Refuse text that is not one line that TOML, Markdown and a license can hold."""
    if not isinstance(text, str):  # `author_name: 1` in a configuration file
        yield refusal(name, str(text), "is not text", example)
    elif required and not text.strip():
        yield refusal(name, text, "is empty", example)
    elif bad := [c for c in text if not storable(c)]:
        yield refusal(name, text, f"has a control character or line break ({bad[0]!r})", example)


def storable(char: str) -> bool:
    """Tell whether a character can stand in one line of text."""
    code = ord(char)
    return not (
        code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029) or 0xD800 <= code < 0xE000
    )


def slug_refusals(slug: str) -> Iterator[str]:
    """Refuse a folder name that is not one everywhere, or not one for a Python distribution."""
    reason = name_reason(slug, "._-")
    if reason is None and slug[-1] not in LETTERS | DIGITS:
        reason = "ends with neither a letter nor a digit"
    if reason is None and normal(slug) in NEEDED:
        reason = "is the name of a package that the project needs"
    if reason:
        yield refusal("project_slug", slug, reason, "my_project")


def package_refusals(package: str) -> Iterator[str]:
    """Refuse a package that Python cannot import, or that hides another."""
    reason = None
    if not package.isidentifier() or not package.isascii():
        reason = "is not a Python identifier of ASCII letters, digits and _"
    elif keyword.iskeyword(package):
        reason = "is a keyword of Python"
    elif package[0] == "_":
        reason = "starts with _"
    elif package.lower() in NEEDED:
        reason = "would hide the package of that name, which the notebooks need"
    elif package.lower() in {name.lower() for name in sys.stdlib_module_names}:
        reason = "would hide the module of that name in the standard library"
    elif package.lower() in OWN:
        reason = "is what another part of the project is called"
    else:
        reason = name_reason(package, "_")
    if reason:
        yield refusal("package_name", package, reason, "my_project")


def notebook_refusals(answer: str) -> Iterator[str]:
    """Refuse a list of notebooks that cannot be numbered files of these names."""
    names = [name.strip() for name in answer.split(",")]
    example = "preprocessing, integration, visualization"
    if len(names) > MOST_NOTEBOOKS:
        yield refusal("notebooks", answer, f"has more than {MOST_NOTEBOOKS} names", example)
        return
    seen = set()
    for name in names:
        reason = name_reason(name, "_-")
        if reason is None and name.partition("_")[0].isdecimal():
            reason = "starts with a number, and numbers are added by themselves"
        if reason is None and name.lower() in seen:
            reason = "stands there twice"
        if reason:
            what = f"{name!r} {reason}" if name else "has an empty name"
            yield refusal("notebooks", answer, what, example)
        seen.add(name.lower())


def name_reason(name: str, marks: str) -> str | None:
    """Tell why a name is not a file name on Linux, macOS and Windows alike, or None."""
    if not name:
        return "is empty"
    if bad := [c for c in name if c not in LETTERS | DIGITS | set(marks)]:
        return f"has {bad[0]!r}; letters, digits and {' '.join(marks)} are allowed"
    if name[0] not in LETTERS | DIGITS:
        return "starts with neither a letter nor a digit"
    if name.partition(".")[0].lower() in DEVICES:
        return "is the name of a device on Windows"
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    return None


def normal(name: str) -> str:
    """Return a distribution's name in the one form that installers compare."""
    return "_".join(
        part for part in name.lower().replace("-", "_").replace(".", "_").split("_") if part
    )


def refusal(name: str, answer: str, reason: str, example: str) -> str:
    """Say in one line which answer is refused, why, and what would do."""
    shown = answer if len(answer) <= 80 else answer[:77] + "..."
    return f"{name} {shown!r}: {reason}. Accepted is, for example, {example!r}."
