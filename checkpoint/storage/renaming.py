"""Update the record of a checkpoint after steps were renamed."""

from collections.abc import Mapping

from msgspec import structs

from .hashes import CELL_DIGITS
from .schema import Baseline, InputEntry, Record, Run


def renamed(record: Record, steps: Mapping[str, str], codes: Mapping[str, str]) -> Record:
    """Return a record with the new names of renamed steps; the results stay the same.

    Parameters
    ----------
    record
        The record before the renaming.
    steps
        New names of steps, by old names.
    codes
        New hashes, by old hashes, of cells and modules that name these steps.
    """
    run = record.run and _renamed_run(record.run, codes)
    return structs.replace(
        record,
        step=_renamed_step(record.step, steps),
        inputs=_renamed_inputs(record.inputs, steps),
        modules=_mapped_values(record.modules, codes),
        run=run,
        accepted=[
            structs.replace(entry, fits=_renamed_fits(entry.fits, steps, codes))
            for entry in record.accepted
        ],
    )


def _renamed_run(run: Run, codes: Mapping[str, str]) -> Run:
    verdict = run.verdict
    if verdict and verdict.notebook is not None:
        verdict = structs.replace(verdict, notebook=_mapped(verdict.notebook, codes))
    return structs.replace(
        run,
        cells=_mapped(run.cells, codes),
        parameters=_mapped_keys(run.parameters, codes),
        verdict=verdict,
    )


def _renamed_fits(fits: Baseline, steps: Mapping[str, str], codes: Mapping[str, str]) -> Baseline:
    return structs.replace(
        fits,
        cells=None if fits.cells is None else _mapped(fits.cells, codes),
        parameters=_mapped_keys(fits.parameters, codes),
        inputs=_renamed_inputs(fits.inputs, steps),
        modules=_mapped_values(fits.modules, codes),
    )


def _renamed_inputs(
    inputs: Mapping[str, InputEntry | None], steps: Mapping[str, str]
) -> dict[str, InputEntry | None]:
    prefix = "results/"
    return {
        prefix + _renamed_step(name.removeprefix(prefix), steps)
        if name.startswith(prefix)
        else name: entry
        for name, entry in inputs.items()
    }


def _renamed_step(step: str, steps: Mapping[str, str]) -> str:
    name, slash, part = step.partition("/")
    return f"{steps.get(name, name)}{slash}{part}"


def _mapped(hashes: list[str], new: Mapping[str, str]) -> list[str]:
    # in `verdict.notebook`, a mark may follow the hash
    return [new.get(code[:CELL_DIGITS], code[:CELL_DIGITS]) + code[CELL_DIGITS:] for code in hashes]


def _mapped_keys(sources: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {new.get(code, code): source for code, source in sources.items()}


def _mapped_values(
    hashes: Mapping[str, str | None], new: Mapping[str, str]
) -> dict[str, str | None]:
    return {name: new.get(code, code) if code else None for name, code in hashes.items()}
