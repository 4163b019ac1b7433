"""A while in which nothing is recorded unasked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mlops_nb.tracking.session import current_session


@contextlib.contextmanager
def pausing() -> Iterator[None]:
    """Record nothing unasked within the block; blocks may lie within one another.

    Yields
    ------
    None
        What is logged by hand is recorded all the same.

    Notes
    -----
    The whole session pauses, whichever thread enters the block.
    """
    session = current_session()
    if session is None:
        yield
        return
    session.pauses += 1
    session.is_paused = True
    try:
        yield
    finally:
        session.pauses -= 1
        session.is_paused = session.pauses > 0
