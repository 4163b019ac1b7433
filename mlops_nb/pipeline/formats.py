"""Chooses the format that a value is written in: one that other tools read, where nothing is lost.

A file in such a format holds the memory of a value as it is. What the format has no word for, such
as the class of an index, the order of blocks or a flag, stands in a short pickle beside it, which
refers to that memory. So a value comes back exactly as a pickle alone would bring it back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_nb.pipeline.contentfile import ContentFile
from mlops_nb.pipeline.layouts import Range

PICKLE = "pickle"
Place = tuple[int, int, int]  # address and length in memory, offset in the file


@dataclass(frozen=True, slots=True)
class Plan:
    """How one value is written.

    Attributes
    ----------
    format
        Its name, which is the ending of the file too.
    memory
        Address and length of each piece of memory that the file will hold.
    write
        Writes the file and tells where each piece has come to stand.
    """

    format: str
    memory: tuple[tuple[int, int], ...]
    write: Callable[[ContentFile], Iterable[Place]]


def choose_plan(value: Any) -> Plan | None:
    """Choose a format.

    Parameters
    ----------
    value
        What is to be written.

    Returns
    -------
    Plan or None
        None where it is too small for a file, or no format can hold it.
    """
    kind = type(value)
    if kind.__module__ == "builtins" and kind is not dict:
        return None
    if kind is getattr(sys.modules.get("numpy"), "ndarray", None):
        from mlops_nb.pipeline.format_npy import plan_array

        return plan_array(value)
    pandas = sys.modules.get("pandas")
    if kind in (getattr(pandas, "DataFrame", None), getattr(pandas, "Series", None)):
        from mlops_nb.pipeline.format_arrow import plan_frame

        return plan_frame(value)
    if "torch" in sys.modules:
        from mlops_nb.pipeline.format_safetensors import plan_tensors

        return plan_tensors(value)
    return None


def get_address(memory: Any) -> int:
    """Give the address of contiguous memory.

    Parameters
    ----------
    memory
        Any buffer.

    Returns
    -------
    int
        Of its first byte.
    """
    import numpy as np

    address: int = np.frombuffer(memory, np.uint8).__array_interface__["data"][0]
    return address


def find_ranges(
    places: Mapping[int, tuple[int, int]], address: int, size_bytes: int
) -> tuple[Range, ...] | None:
    """Find where a piece of memory stands in a file.

    Parameters
    ----------
    places
        Length and offset in the file by address.
    address, size_bytes
        The piece.

    Returns
    -------
    tuple of (int, int) or None
        Ranges of the file that are the piece without a gap, None where they are not.
    """
    ranges = []
    end = address + size_bytes
    while address < end:
        length, offset = places.get(address, (0, 0))
        if not length or address + length > end:
            return None
        ranges.append((offset, length))
        address += length
    return tuple(ranges)
