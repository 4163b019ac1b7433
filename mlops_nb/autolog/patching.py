"""Patches that can be taken back: one attribute, or the cell of one closure."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import Any

_MISSING = object()


class Patches:
    """Replaced attributes and closure cells, with the very objects that were there before.

    Notes
    -----
    A closure cell is used where names of a function may already be bound elsewhere: the function
    object stays the same, so that imports made before, ``pickle`` and ``is`` are not affected.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def __len__(self) -> int:
        """Count the patches in place."""
        return len(self._undo)

    def set_attribute(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute of a module.

        Parameters
        ----------
        owner
            The module.
        name
            An attribute it has in its own ``__dict__``.
        make
            Makes the replacement from the original.
        """
        original = vars(owner)[name]
        replacement = make(original)
        setattr(owner, name, replacement)

        def undo() -> None:
            # Somebody may have patched over us; taking theirs away is not ours to do.
            if vars(owner).get(name, _MISSING) is replacement:
                setattr(owner, name, original)

        self._undo.append(undo)

    def set_cell(self, cell: CellType, make: Callable[[Any], Any]) -> None:
        """Replace what a closure refers to.

        Parameters
        ----------
        cell
            One of a function's ``__closure__``.
        make
            Makes the replacement from the original.
        """
        original = cell.cell_contents
        replacement = make(original)
        cell.cell_contents = replacement

        def undo() -> None:
            if cell.cell_contents is replacement:
                cell.cell_contents = original

        self._undo.append(undo)

    def restore(self) -> None:
        """Take every patch back, the last first; safe to call twice."""
        while self._undo:
            self._undo.pop()()
