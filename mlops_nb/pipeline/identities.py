"""Carries NaNs as the objects that they are: ``x is np.nan`` goes by identity."""

from __future__ import annotations

import io
import math
import pickle
import sys
from collections.abc import Callable, Iterable
from typing import Any

from mlops_nb.pipeline.pickling import NamespacePickler

_KNOWN = ("math", "numpy")


def find_nan_owner(value: float) -> str:
    """Find the module whose ``nan`` a value is.

    Parameters
    ----------
    value
        A NaN.

    Returns
    -------
    str
        Empty where it is another object.
    """
    for name in _KNOWN:
        if getattr(sys.modules.get(name), "nan", None) is value:
            return name
    return ""


class IdentityPickler(NamespacePickler):
    """Pickle values that hold NaNs; `load_identities` reads what it writes."""

    def __init__(
        self,
        file: Any,
        namespace: dict[str, Any],
        buffer_callback: Callable[[pickle.PickleBuffer], bool] | None = None,
    ) -> None:
        super().__init__(file, namespace, buffer_callback)
        self._numbers: dict[int, int] = {}

    def persistent_id(self, obj: Any) -> Any:
        """Give the stand-in of a NaN.

        Parameters
        ----------
        obj
            Any object of the graph.

        Returns
        -------
        object or None
            None where the value stands for itself.
        """
        if type(obj) is not float or not math.isnan(obj):
            return None
        owner = find_nan_owner(obj)
        if owner:
            return owner
        self.keep(obj)
        number = self._numbers.setdefault(id(obj), len(self._numbers))
        return number, math.copysign(1.0, obj)


class _IdentityUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, buffers: Iterable[Any]) -> None:
        super().__init__(file, buffers=buffers)
        self._made: dict[int, float] = {}

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, str):
            return __import__(pid).nan
        number, sign = pid
        return self._made.setdefault(number, math.copysign(float("nan"), sign))


def load_identities(payload: bytes | bytearray | memoryview, buffers: Iterable[Any] = ()) -> Any:
    """Read what `IdentityPickler` has written.

    Parameters
    ----------
    payload
        Verified bytes.
    buffers
        Memory that was written beside them.

    Returns
    -------
    object
        The value.
    """
    return _IdentityUnpickler(io.BytesIO(payload), buffers).load()
