"""Which random numbers a fit is going to draw: the states of the generators, as digests."""

from __future__ import annotations

from mlops_nb.autolog.describe import Read
from mlops_nb.capture.numpystate import State
from mlops_nb.capture.seeds import capture_seeds, digest_numpy, read_numpy


def read_seeds() -> dict[str, object]:
    """Give the states of all generators that a fit may draw from, as tags."""
    seeds = capture_seeds()
    names = ("random", "numpy", "torch")
    return {f"seed.{name}": seeds[name] for name in names if seeds[name]}


def read_later(read: Read) -> tuple[dict[str, object], State | None]:
    """Read what the classes that are fitted draw from, unless they are told of another generator.

    Parameters
    ----------
    read
        Their parameters. A class of the user's may draw from any generator.

    Returns
    -------
    tags : dict
        The states, as far as they are digested.
    state : tuple or None
        That of NumPy's generator, yet to be digested by `name_state`.
    """
    if not read.is_library:
        return read_seeds(), None
    return {}, read_numpy() if read.draws else None


def name_state(state: State) -> dict[str, object]:
    """Give the tag of a state of NumPy's generator."""
    return {"seed.numpy": digest_numpy(state)}
