"""Digests of values that are the same in every process and after every crossing."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable
from typing import Any

import blake3
import cloudpickle  # noqa: TID253 - loaded only where a boundary is written

from mlops_nb.pipeline.pickling import NamespacePickler

_LONGEST_TEXT = 4096
_SORTABLE = frozenset([str, bytes, int, float, bool])


def _mark(*parts: Any) -> tuple[Any, ...]:
    return parts


class _Hasher:
    """A file that keeps nothing but the digest of what is written."""

    def __init__(self) -> None:
        self.hasher = blake3.blake3(max_threads=blake3.blake3.AUTO)

    def write(self, data: Any) -> int:
        self.hasher.update(data)
        return memoryview(data).nbytes


class DigestPickler(NamespacePickler):
    """Writes values so that equal ones give equal bytes.

    Equal texts count as one object, sets are sorted, code comes without file names and line
    numbers, and classes of the notebook without the random names that cloudpickle gives them.

    Parameters
    ----------
    namespace
        The user namespace.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.sink = _Hasher()
        super().__init__(self.sink, namespace)
        self._texts: dict[str | bytes, Any] = {}
        self._dtype: Any = getattr(sys.modules.get("numpy"), "dtype", ())
        internals = sys.modules.get("pandas._libs.internals")
        self._placement: Any = getattr(internals, "BlockPlacement", ())
        tracked = cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID  # noqa: SLF001
        self._trackers: Any = tracked

    def digest(self, value: Any) -> str:
        """Take the digest of a value, once.

        Parameters
        ----------
        value
            Any value that can cross a boundary.

        Returns
        -------
        str
            BLAKE3 in hex.
        """
        self.dump(value)
        return str(self.sink.hasher.hexdigest())

    def persistent_id(self, obj: Any) -> Any:
        """Give the stand-in of a value whose identity means nothing.

        Parameters
        ----------
        obj
            Any object of the graph.

        Returns
        -------
        object or None
            None where the value stands for itself.
        """
        kind = type(obj)
        if kind is str:
            if len(obj) == 32 and obj in self._trackers:
                return ""
            return self._texts.setdefault(obj, obj)
        if kind is bytes and len(obj) <= _LONGEST_TEXT:
            return self._texts.setdefault(obj, obj)
        if kind is set or kind is frozenset:
            return _mark(kind.__name__, self._sort(obj))
        if kind is slice:
            return _mark("slice", obj.start, obj.stop, obj.step)
        if isinstance(obj, self._dtype):
            return _mark("dtype", repr(obj))
        if isinstance(obj, self._placement):
            return _mark("placement", list(obj))
        return None

    def _sort(self, values: Iterable[Any]) -> list[Any]:
        listed = list(values)
        kinds = {type(value) for value in listed}
        if len(kinds) <= 1 and kinds <= _SORTABLE:
            return sorted(listed)
        return sorted(digest_value(value, self.namespace) for value in listed)

    def reducer_override(self, obj: Any) -> Any:
        """Choose how an object is written.

        Parameters
        ----------
        obj
            Any object but those of the simplest built-in types.

        Returns
        -------
        tuple or NotImplemented
            As the pickle protocol asks.
        """
        if type(obj) is types.CodeType:
            counts = (obj.co_argcount, obj.co_posonlyargcount, obj.co_kwonlyargcount, obj.co_flags)
            names = (obj.co_names, obj.co_varnames, obj.co_freevars, obj.co_cellvars)
            body = (obj.co_name, obj.co_code, obj.co_consts, obj.co_exceptiontable)
            return _mark, (counts, names, body)
        return super().reducer_override(obj)


def digest_value(value: Any, namespace: dict[str, Any]) -> str:
    """Take the digest of one value.

    Parameters
    ----------
    value
        Any value that can cross a boundary.
    namespace
        The user namespace that its functions belong to.

    Returns
    -------
    str
        BLAKE3 in hex. Values that share objects differ from equal ones that do not.

    Raises
    ------
    Exception
        Whatever the reduction of an object raises that cannot be pickled.
    """
    return DigestPickler(namespace).digest(value)
