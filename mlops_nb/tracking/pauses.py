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
        session.is_paused = session.pauses > 0 or session.is_switched_off


def switch_recording(is_on: bool) -> bool:
    """Record unasked from now on, or no more.

    Parameters
    ----------
    is_on
        Which of the two.

    Returns
    -------
    bool
        Whether there is a session that could be switched.

    Notes
    -----
    What is logged by hand is recorded all the same, and so are executed cells: without them nobody
    could tell which of them are out of date.
    """
    session = current_session()
    if session is None or session.store is None:
        return False
    session.is_switched_off = not is_on
    session.is_paused = session.pauses > 0 or session.is_switched_off
    session.log_switch(is_on)
    return True
