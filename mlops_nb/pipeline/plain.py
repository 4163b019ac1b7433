"""Plain values of a state, read and written without any code of the notebook."""

from __future__ import annotations

import datetime
import decimal
import io
import pathlib
import pickle
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.payloads import open_payload
from mlops_nb.pipeline.sealing import Sealer
from mlops_nb.pipeline.state import Component

_SCALARS = (int, float, complex, bool, str, bytes, type(None))
_LEAVES = (*_SCALARS, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal)

# A score is often one of numpy's numbers.
_NUMBERS = {(f"numpy.{core}.multiarray", "scalar") for core in ("_core", "core")}
_NUMBERS.add(("numpy", "dtype"))


def is_plain(value: Any) -> bool:
    """Tell whether a value is made of plain parts only.

    Parameters
    ----------
    value
        Any value.

    Returns
    -------
    bool
        True for numbers, texts, dates, paths, and lists, tuples and dicts of them.
    """
    kind = type(value)
    if kind in (list, tuple, set):
        return all(map(is_plain, value))
    if kind is dict:
        return all(is_plain(k) and is_plain(v) for k, v in value.items())
    return kind in _LEAVES or kind is datetime.datetime or isinstance(value, pathlib.PurePath)


def write_plain(name: str, value: Any, folder: Path, key: bytes) -> Component:
    """Write a plain value as a component, as a kernel would have written it.

    Parameters
    ----------
    name
        Of the variable.
    value
        The value.
    folder
        Of the components.
    key
        From `sealing.read_key`.

    Returns
    -------
    Component
        With the digest that every kernel finds for the same value.
    """
    from mlops_nb.pipeline.digests import digest_value

    sealer = Sealer(folder, key)
    sealer.write(pickle.dumps(({name: value}, []), protocol=5))
    file, inline = sealer.finish()
    return Component((name,), digest_value({name: value}, {}), sealer.size_bytes, file, inline)


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NUMBERS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not plain")


def read_plain(part: Component, folder: Path, key: bytes, name: str) -> dict[str, Any]:
    """Read a scalar of a component.

    Parameters
    ----------
    part
        The component.
    folder
        Of the components.
    key
        From `sealing.read_key`.
    name
        Of the variable.

    Returns
    -------
    dict
        The value by its name; empty where it is no number, text, truth value or None.
    """
    if part.format != "pickle":
        return {}
    payload = open_payload(part, folder, key)
    try:
        values, _ = _PlainUnpickler(io.BytesIO(payload.stream), buffers=payload.buffers).load()
    except (pickle.UnpicklingError, EOFError, ValueError):
        return {}
    value = values.get(name)
    if type(value).__module__ == "numpy":
        value = value.item()
    return {name: value} if name in values and isinstance(value, _SCALARS) else {}
