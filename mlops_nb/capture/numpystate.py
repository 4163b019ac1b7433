"""The state of NumPy's legacy generator, read from where it lies: a tenth of asking for it.

``get_state`` copies 624 numbers one by one, 27 us, half of what recording a fit may take. NumPy
tells where the generator keeps them (``BitGenerator.ctypes``); where ``RandomState`` keeps the
second of two normal numbers is found by trying, once, and must then agree with ``get_state``.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

_KEY_BYTES = 624 * 4
_POSITION = struct.Struct("=i")
# struct aug_bitgen: a pointer, int has_gauss, double gauss.
_GAUSS = struct.Struct("=i4xd")

# What is read, by nobody who writes: key, position, whether a normal number waits, and that number.
State = tuple[bytes, int, int, float]


class _Reader:
    """Reads one generator.

    Parameters
    ----------
    generator
        NumPy's ``RandomState``.
    """

    def __init__(self, generator: Any) -> None:
        import ctypes

        self.source = generator._bit_generator  # noqa: SLF001 - what `get_bit_generator` gives
        # To look at memory that is mapped to an object takes a tenth of calling `string_at`.
        key = (ctypes.c_char * (_KEY_BYTES + 4)).from_address(self.source.ctypes.state_address)
        at = id(generator) + _find_gauss(type(generator), ctypes.string_at)
        self._key, self._gauss = key, (ctypes.c_char * _GAUSS.size).from_address(at)
        self._generator = generator  # its memory is looked at as long as this lives

    def read(self) -> State:
        """Read the state."""
        raw = self._key.raw
        waits, gauss = _GAUSS.unpack(self._gauss.raw)
        return raw[:_KEY_BYTES], _POSITION.unpack_from(raw, _KEY_BYTES)[0], waits, gauss


def _find_gauss(kind: Any, read: Callable[[int, int], bytes]) -> int:
    """Find where in a ``RandomState`` the waiting number lies."""
    probe = kind(1)
    probe.standard_normal()
    expected = _GAUSS.pack(1, probe.get_state(legacy=False)["gauss"])
    memory = read(id(probe), kind.__basicsize__)
    at = memory.find(expected[8:]) - 8
    if at < 0 or _GAUSS.unpack_from(memory, at)[0] != 1:
        raise LookupError
    probe.standard_normal()
    if _GAUSS.unpack_from(read(id(probe), kind.__basicsize__), at)[0] != 0:
        raise LookupError
    return at


_readers: list[_Reader | None] = []


def read_state(generator: Any) -> State | None:
    """Read the state of NumPy's global generator.

    Parameters
    ----------
    generator
        ``numpy.random.mtrand._rand``.

    Returns
    -------
    tuple or None
        None where it cannot be read in this way.
    """
    reader = _readers[0] if _readers else None
    if not _readers or (reader and reader.source is not generator._bit_generator):  # noqa: SLF001
        _readers[:] = [reader := _make_reader(generator)]
    return None if reader is None else reader.read()


def _make_reader(generator: Any) -> _Reader | None:
    if sys.implementation.name != "cpython":
        return None
    try:
        reader = _Reader(generator)
        asked, found = generator.get_state(legacy=False), reader.read()
        inner = asked["state"]
        known = inner["key"].tobytes(), inner["pos"], asked["has_gauss"], asked["gauss"]
        return reader if asked["bit_generator"] == "MT19937" and known == found else None
    except Exception:  # noqa: BLE001 - another NumPy: it is asked as it wants to be asked
        return None
