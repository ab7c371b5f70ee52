"""The random states that belong to a whole process: whether a cell drew from them."""

import random
import sys


def states() -> dict[str, object]:
    """Return the states of those libraries that are imported, by name."""
    found: dict[str, object] = {"python": hash(random.getstate())}
    if numpy := sys.modules.get("numpy.random"):
        state = numpy.get_state()
        found["numpy"] = (hash(state[1].tobytes()), state[2:])
    torch = sys.modules.get("torch")
    if torch and hasattr(torch, "get_rng_state"):
        found["torch"] = hash(torch.get_rng_state().numpy().tobytes())
    return found


def moved(before: dict[str, object]) -> list[str] | None:
    """Return the names of the states that differ from before; None if one is new."""
    after = states()
    if after.keys() != before.keys():
        return None
    return sorted(name for name in after if after[name] != before[name])
