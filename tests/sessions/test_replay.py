"""The replay's verdicts on handmade sessions."""

import pytest
from clean_sessions import CLEAN, SAVE
from unclean_sessions import UNCLEAN

from checkpoint.replay import Cell, Execution, Verdict, judge


def session(text: str, **options) -> list[Execution]:
    """Return one execution for each line: `!` marks an error, `?` code that is not valid Python.

    A comment after an error is the missing name. `; ` and an escaped newline separate statements.
    """
    return [
        Execution(
            line.lstrip("!?").strip().replace("; ", "\n").replace("\\n", "\n"),
            error=line[0] == "!",
            line=1 if line[0] == "!" else 0,
            missing=line.partition("# ")[2] if line[0] == "!" else "",
            ran=line[0] != "?",
            draws=frozenset(),
            **options,
        )
        for line in map(str.strip, text.strip().splitlines())
        if line
    ]


def notebook(text: str) -> list[Cell]:
    return [Cell(execution.source) for execution in session(text)]


def verdict(run: str, cells: str | None = None, **options) -> Verdict:
    """Return the verdict on a session; the notebook is `cells`, or else the code that ran."""
    return judge(session(run, **options), notebook(cells or run), "1_a")


@pytest.mark.parametrize("name", CLEAN)
def test_results_are_those_of_the_notebook(name):
    run, cells = CLEAN[name]
    assert verdict(run, cells) == Verdict("clean", unseeded=verdict(run, cells).unseeded)


def test_a_look_at_an_anndata_that_was_made_of_an_array():
    made = f"import anndata, numpy as np\nx = anndata.AnnData(np.eye(3))\n{SAVE}"
    looked = made.replace(SAVE, f"x.obs.head(); x.X.sum(axis=1)\n{SAVE}")
    assert verdict(looked, made, kinds={"x": "anndata"}).clean
    for changes in ("x.obs.pop('a')", "x.to_df().iloc[0] = 1", "x.obs_vector('a')[0] = 1"):
        changed = made.replace(SAVE, f"{changes}\n{SAVE}")
        assert not verdict(changed, made, kinds={"x": "anndata"}).clean, changes


@pytest.mark.parametrize("name", UNCLEAN)
def test_the_same_notebook_run_from_top_to_bottom_is_clean(name):
    cells = UNCLEAN[name][1]
    assert verdict(cells).clean


@pytest.mark.parametrize("name", UNCLEAN)
def test_results_may_not_be_those_of_the_notebook(name):
    assert not verdict(*UNCLEAN[name]).clean


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "a parameter changed, that cell and the save run",
            "cell `m = 600` ran after cells that use it; restart the kernel and run all",
        ),
        (
            "a cell that is not the same twice",
            "cell `x = x + [1]` ran more than once and changes `x` each time; restart the kernel and run all",
        ),
        (
            "a scratch cell on an object",
            "cell `x.append(2)`, which is not in the notebook, changed `x`; restart the kernel and run all",
        ),
        ("a cell that never ran", "cell `x.append(2)` has changed or did not run since"),
    ],
)
def test_the_reason_names_the_cell(name, message):
    assert verdict(*UNCLEAN[name]).reason == message


def test_code_that_never_ran_is_an_edit():
    assert verdict(*UNCLEAN["a cell that never ran"]).state == "edited"
    assert verdict(*UNCLEAN["a cell deleted"]).state == "unclean"
    assert judge(session("x = 1"), notebook("x = 2"), "1_a").state == "edited"
    assert judge(session("finish(1)"), notebook("finish(1)"), "1_a").clean  # a module saves


def test_cells_tagged_skip_execution_are_not_expected():
    cells = [
        Cell("x = 1"),
        Cell("raise RuntimeError", tags=frozenset({"skip-execution"})),
        Cell(SAVE),
    ]
    assert judge(session(f"x = 1\n{SAVE}"), cells, "1_a").clean


def test_a_cell_that_is_to_fail_may_fail():
    cells = [
        Cell("x = 1"),
        Cell("x.nothing(1 / 0)", tags=frozenset({"raises-exception"})),
        Cell(SAVE),
    ]
    assert judge(session(f"x = 1\n!x.nothing(1 / 0)\n{SAVE}"), cells, "1_a").clean
    untagged = [Cell(cell.source) for cell in cells]
    assert not judge(session(f"x = 1\n!x.nothing(1 / 0)\n{SAVE}"), untagged, "1_a").clean


def test_parameters_that_were_injected_belong_to_the_run():
    parameters = Cell("n = 1", tags=frozenset({"parameters"}))
    cells = [parameters, Cell("x = [n]"), Cell(SAVE)]
    run = session(f"n = 1\n# Parameters\\nn = 5\nx = [n]\n{SAVE}")
    assert judge(run, cells, "1_a").clean
    by_hand = session(f"n = 1\n# Parameters\\nn = 5\nx = [n]\n{SAVE}", cell="id")
    assert not judge(by_hand, cells, "1_a").clean


def test_each_save_of_a_notebook_is_judged_by_itself():
    cells = "x = [1]\nsave('1_a/part', {'x': x})\ny = [x, 2]\nsave('1_a', {'y': y})"
    run = session(f"{cells}\ny.append(3)\nsave('1_a', {{'y': y}})")
    assert judge(run, notebook(cells), "1_a/part").clean
    assert not judge(run, notebook(cells), "1_a").clean


def test_saves_in_a_loop_are_judged_as_it_runs():
    cells = "k = 1\nfor s in 'ab': save(f'1_a/{s}', {'x': [k, s]})"
    assert judge(session(cells), notebook(cells), "1_a/b").clean
    assert not judge(session(f"{cells}\nk = 2\n{cells[6:]}\nk = 1"), notebook(cells), "1_a/b").clean


def test_unseeded_random_numbers_are_told():
    cells = f"import numpy as np\nx = np.random.rand(3)\n{SAVE}"
    assert verdict(cells).unseeded
    assert verdict(f"{cells}\n{cells}", cells).unseeded
    assert not verdict("import numpy as np\nnp.random.seed(0)\n" + cells).unseeded


def test_a_column_set_again_leaves_the_others():
    cells = (
        "import pandas as pd\nd = pd.read_csv('a')\nd['b'] = d.a * 2\nx = d.groupby('g').b.mean()"
    )
    kinds = {"d": "frame"}
    run = session(
        f"{cells}\n{SAVE}\nd['b'] = d.a * 2\nx = d.groupby('g').b.mean()\n{SAVE}", kinds=kinds
    )
    assert judge(run, notebook(f"{cells}\n{SAVE}"), "1_a").clean
    other = session(f"{cells}\nd['a'] = 0\n{SAVE}", kinds=kinds)
    assert judge(other, notebook(f"{cells}\n{SAVE}"), "1_a").clean
    used = session(f"{cells}\nd['b'] = 0\nx = d.groupby('g').b.mean()\n{SAVE}", kinds=kinds)
    assert not judge(used, notebook(f"{cells}\n{SAVE}"), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "o = a.obs\nx = a[a.obs.g == 1].copy()\no['late'] = 1",
        "o = a.uns\nx = a.copy()\no['late'] = 1",
        "o = a.obs\nx = [o.mean()]\na.obs['late'] = 1",
    ],
)
def test_obs_under_a_name_of_its_own_is_part_of_the_anndata(cells):
    cells = f"import anndata\na = anndata.read_h5ad('a')\n{cells}\n{SAVE}"
    kinds = {"a": "anndata", "o": "dict" if ".uns" in cells else "frame", "x": "anndata"}
    again = "\n".join(cells.splitlines()[3:])
    assert judge(session(cells, kinds=kinds), notebook(cells), "1_a").clean
    assert not judge(session(f"{cells}\n{again}", kinds=kinds), notebook(cells), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "g = d.groupby('k')\nd['a'] = d.a * 2\nx = g.a.mean()",
        "g = d.loc\nd['a'] = 2\nx = g[:, 'a'].sum()",
        "g = d.sum\nd['a'] = 2\nx = g()",
        "g = d.rolling(3)\nd['a'] = 2\nx = g.a.sum()",
        "g = d.iterrows()\nd['a'] = 2\nx = [r.a for i, r in g]",
    ],
)
def test_what_follows_a_data_frame_sees_its_columns(cells):
    first = f"import pandas as pd\nd = pd.read_csv('a')\n{cells}\n{SAVE}"
    parts = first.splitlines()
    swapped = "\n".join([*parts[:3], parts[4], parts[3], *parts[5:]])
    kinds = {"d": "frame"}
    assert judge(session(first, kinds=kinds), notebook(first), "1_a").clean
    assert not judge(session(swapped, kinds=kinds), notebook(first), "1_a").clean


@pytest.mark.parametrize("made", ["d.pipe(f)", "d.groupby('k').obj", "f(d)", "lib.f(d)"])
def test_what_may_be_the_same_data_frame_is(made):
    cells = f"import lib, pandas as pd\ndef f(v): return v\nx = d = pd.read_csv('a')\ny = {made}"
    kinds = {"d": "frame", "y": "frame"}
    run = session(f"{cells}\ny['c'] = 1\n{SAVE}", kinds=kinds)
    assert not judge(run, notebook(f"{cells}\n{SAVE}"), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "p = 'a'\nopen(p, 'w').write('1')\nx = open(p, 'r').read()",
        "import pandas as pd\np = 'a'\npd.DataFrame().to_csv(p, sep=';')\nx = pd.read_csv('a', sep=';')",
        "import pathlib\np = pathlib.Path('a')\np.write_text('1')\nx = open('a').read()",
    ],
)
def test_files_that_a_session_wrote_again_are_read_again(cells):
    lines = cells.splitlines()
    other = lines[-2].replace("'1'", "'2'").replace("DataFrame()", "DataFrame([1])")
    run = "\n".join([*lines[:-2], other, lines[-1], lines[-2], SAVE])
    assert judge(session(f"{cells}\n{SAVE}"), notebook(f"{cells}\n{SAVE}"), "1_a").clean
    assert not judge(session(run), notebook(f"{cells}\n{SAVE}"), "1_a").clean


@pytest.mark.parametrize(
    "cells",
    [
        "import torch\nx = torch.rand(3)",
        "import numpy as np, pandas as pd\nrng = np.random.default_rng(0)\nx = pd.read_csv('a').sample(3, random_state=rng)",
        "import lib, numpy as np\nrng = np.random.default_rng(0)\nx = lib.draw(rng)",
        "import lib\nlib.seed(0)\nx = lib.draw()",
    ],
)
def test_random_numbers_drawn_again_are_others(cells):
    last = cells.splitlines()[-1]
    seeded = f"import torch; torch.manual_seed(0)\n{cells}\n{SAVE}"
    run = f"import torch; torch.manual_seed(0)\n{cells}\n{last}\n{SAVE}"
    drawn = [Execution(e.source, draws=None) for e in session(run)]
    assert not judge(drawn, notebook(seeded), "1_a").clean


def test_figures_and_saves_by_computed_names_leave_inputs_alone():
    cells = (
        "import pandas as pd, matplotlib.pyplot as plt\nfrom p.checkpoint import load, save\n"
        "d = pd.read_csv('a')\nfor s in 'ab': plt.savefig(f'{s}.png'); save(f'1_a/{s}', {'s': s})\n"
        f"x = d.copy()\n{SAVE}"
    )
    assert verdict(f"{cells}\n{cells}", cells).clean


def test_functions_that_call_each_other_in_many_ways():
    """The replay must stop following such calls, and still call a clean run clean."""
    names = [f"f{number}" for number in range(12)]
    lines = [
        f"def {name}(x, g):\n    return " + " + ".join(f"g({n})" for n in names) for name in names
    ]
    cells = [
        "import lab",
        "d = lab.table(3)",
        "\n\n".join(lines),
        f"y = lab.apply(d, {', '.join(names)})",
    ]
    save = 'save("1_a", {"y": y, "d": d})'
    sources = [*cells, save]
    notebook = [Cell(source) for source in sources]
    assert judge([Execution(source) for source in sources], notebook, "1_a").clean
    again = [*sources[:4], cells[3], save]
    assert not judge([Execution(source) for source in again], notebook, "1_a").clean


def test_a_table_does_not_hold_the_functions_that_made_it():
    cells = [
        "import pandas as pd",
        "def f(x):\n    return x",
        "d = pd.DataFrame({'a': map(f, [1, 2])})",
    ]
    save = 'save("1_a", {"d": d})'
    kinds = {"d": "frame"}
    ran = [Execution(source, kinds=kinds) for source in [*cells, "d.head()", "d.describe()", save]]
    assert judge(ran, [Cell(source) for source in [*cells, save]], "1_a").clean


def test_a_file_whose_path_is_computed_is_read_after_another_was_written():
    read, write = "t = p.read_text()", "open('other.txt', 'w').write('x')"
    cells = ["from pathlib import Path\np = Path('a.txt')", read, 'save("1_a", {"t": t})']
    sources = [*cells, *cells]  # a save in between does not count as a write to the file
    notebook = [Cell(source) for source in cells]
    assert judge([Execution(source) for source in sources], notebook, "1_a").clean
    sources = [*cells[:2], write, *cells[1:]]
    assert not judge([Execution(source) for source in sources], notebook, "1_a").clean


def test_an_iterator_of_a_library_that_is_used_up():
    """An unknown function may return its argument, or an iterator that `next` uses up."""
    kinds = {"d": "frame", "gen": "iterator", "row": "flat dict"}
    cells = ["import lab", "d = lab.table(5)", "gen = lab.stream(d)", "row = next(gen)"]
    save = 'save("1_a", {"row": row, "d": d})'
    notebook = [Cell(source) for source in [*cells, save]]
    once = [Execution(source, kinds=kinds) for source in [*cells, save]]
    assert judge(once, notebook, "1_a").clean
    again = [Execution(source, kinds=kinds) for source in [*cells, save, cells[-1], save]]
    assert not judge(again, notebook, "1_a").clean
