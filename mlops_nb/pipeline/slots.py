"""How many kernels of a run may compute at once, steps and rounds of loops together."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Slots:
    """A number of places.

    Parameters
    ----------
    count
        How many there are.

    Attributes
    ----------
    count
        The same.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = threading.Semaphore(count)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold one place, waiting until there is one.

        Yields
        ------
        None
            Until the block ends.
        """
        with self._free:
            yield

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[int]:
        """Hold all places that are free now, without waiting.

        Yields
        ------
        int
            How many these are.
        """
        count = 0
        while self._free.acquire(blocking=False):
            count += 1
        try:
            yield count
        finally:
            if count:
                self._free.release(count)
