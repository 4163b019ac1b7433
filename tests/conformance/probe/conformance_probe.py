"""Describes the values of a notebook so that two processes can be compared value by value.

A last cell that the suite adds calls `watch`. It runs in the reference, in the last step of a
pipeline and in an exported script, so it needs nothing but Python and what the values bring.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import pathlib
import re
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

_PLAIN = (type(None), bool, int, str, bytes, type(Ellipsis), type(NotImplemented))
_DEEPEST = 60


def watch(**values: Callable[[], Any]) -> None:
    """Write what names hold at the end of the notebook.

    Parameters
    ----------
    **values
        One function per name, so that a name that is gone counts as gone.
    """
    describer = _Describer()
    found: dict[str, Any] = {}
    for name in sorted(values):
        try:
            value = values[name]()
        except NameError:
            found[name] = ["no such name"]
            continue
        found[name] = describer.describe(value)
    target = os.environ["MLOPS_NB_CONFORMANCE_OUT"]
    with io.open(target, "w", encoding="utf-8") as file:  # noqa: UP020 - a notebook may have its own 'open'
        json.dump(found, file)


def _digest(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


class _Describer:
    """Turns values into JSON; an object met before is named by its number, so sharing shows."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []
        self._depth = 0

    def describe(self, value: Any) -> Any:
        """Describe one value."""
        kind = type(value)
        if kind in _PLAIN:
            text = re.sub(r"ipykernel_\d+", "ipykernel_N", repr(value))
            return [kind.__name__, text if len(text) < 200 else _digest(text.encode())]
        if kind in (float, complex):
            return [kind.__name__, repr(value)]
        number = self._numbers.get(id(value))
        if number is not None:
            return ["the same as", number]
        if not (kind is tuple or kind is frozenset):  # equal ones may or may not be one object
            self._numbers[id(value)] = len(self._numbers)
        self._kept.append(value)
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                return [kind.__name__, "too deep"]
            return [_name(kind), self._describe_content(value, kind)]
        finally:
            self._depth -= 1

    def _describe_content(self, value: Any, kind: type[Any]) -> Any:
        if isinstance(value, types.ModuleType):
            return value.__name__
        if isinstance(value, type):
            return [_name(value), self._pairs(_list_class_values(value))]
        if isinstance(value, types.FunctionType):
            return self._describe_function(value)
        if isinstance(value, types.MethodType):
            return [self.describe(value.__func__), self.describe(value.__self__)]
        if isinstance(value, functools.partial):
            return [self.describe(part) for part in (value.func, value.args, value.keywords)]
        if isinstance(value, pathlib.PurePath):
            return str(value)
        described = self._describe_library(value, kind)
        if described is not None:
            return described
        return self._describe_plain_object(value)

    def _describe_plain_object(self, value: Any) -> Any:
        parts: list[Any] = []
        if isinstance(value, Mapping):
            parts.append(self._pairs(list(value.items())))
        elif isinstance(value, set | frozenset):
            parts.append(sorted(json.dumps(_Describer().describe(item)) for item in value))
        elif isinstance(value, list | tuple) or type(value).__name__ == "deque":
            parts.append([self.describe(item) for item in value])
        elif isinstance(value, str | bytes | int | float):
            parts.append(repr(value.real if isinstance(value, int | float) else value[:]))
        elif isinstance(value, bytearray):
            parts.append(_digest(value))
        state = _read_state(value)
        if state:
            parts.append(self._pairs(state))
        return parts

    def _pairs(self, items: list[tuple[Any, Any]]) -> list[Any]:
        return [[self.describe(key), self.describe(item)] for key, item in items]

    def _describe_function(self, value: types.FunctionType) -> Any:
        cells = []
        for cell in value.__closure__ or ():
            try:
                cells.append(self.describe(cell.cell_contents))
            except ValueError:
                cells.append("empty")
        own = {k: v for k, v in vars(value).items() if k != "__wrapped__"}
        state = [value.__defaults__, value.__kwdefaults__, own]
        code = _digest(value.__code__.co_code)
        return [value.__qualname__, value.__doc__, code, cells, [self.describe(s) for s in state]]

    def _describe_library(self, value: Any, kind: type[Any]) -> Any:
        library = kind.__module__.partition(".")[0]
        loaded = sys.modules
        np, pd = loaded.get("numpy"), loaded.get("pandas")
        torch, figure = loaded.get("torch"), loaded.get("matplotlib.figure")
        if np is not None and isinstance(value, np.ndarray | np.generic):
            return self._describe_array(value)
        if library == "numpy" and hasattr(value, "bit_generator"):
            return self.describe(value.bit_generator.state)
        if library == "numpy" and hasattr(value, "get_state"):
            return self.describe(value.get_state())
        if pd is not None and isinstance(value, pd.DataFrame | pd.Series | pd.Index):
            return self._describe_pandas(value, pd)
        if torch is not None and library == "torch":
            return self._describe_torch(value, torch)
        if figure is not None and isinstance(value, figure.Figure):
            file = io.BytesIO()
            value.savefig(file, format="rgba")
            return _digest(file.getvalue())
        if library == "matplotlib":  # it shows in the pixels of its figure
            return []
        if library == "polars":
            return [repr(getattr(value, "schema", None)), self.describe(value.rows())]
        return None

    def _describe_array(self, value: Any) -> Any:
        flags = value.flags
        layout = [flags.c_contiguous, flags.f_contiguous, flags.writeable, str(value.dtype)]
        if value.dtype.hasobject:
            return [layout, list(value.shape), self.describe(value.tolist())]
        return [layout, list(value.shape), _digest(value.tobytes())]

    def _describe_pandas(self, value: Any, pd: Any) -> Any:
        if isinstance(value, pd.DataFrame):
            columns = [self.describe(value.iloc[:, i]) for i in range(value.shape[1])]
            return [columns, self.describe(value.columns), self.describe(dict(value.attrs))]
        content = [repr(item) for item in value.tolist()]
        more = [str(value.dtype), [repr(name) for name in getattr(value, "names", [value.name])]]
        if isinstance(value, pd.Series):
            return [content, more, self.describe(value.index), self.describe(dict(value.attrs))]
        return [content, more, repr(getattr(value, "freq", None))]

    def _describe_torch(self, value: Any, torch: Any) -> Any:
        if isinstance(value, torch.Tensor):
            plain = value.detach().cpu().contiguous()
            content = _digest(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
            gradient = value.grad if value.is_leaf else None
            found = [str(value.dtype), list(value.shape), value.requires_grad, content]
            return [*found, list(value.stride()), self.describe(gradient)]
        if isinstance(value, torch.Generator):
            return self.describe(value.get_state())
        return None


def _name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _list_class_values(kind: type[Any]) -> list[tuple[Any, Any]]:
    if kind.__module__ != "__main__":
        return []
    plain = (*_PLAIN, float, list, tuple, dict, set, types.FunctionType)
    return sorted(
        (k, v) for k, v in vars(kind).items() if isinstance(v, plain) and not k.startswith("__")
    )


def _read_state(value: Any) -> list[tuple[Any, Any]]:
    state = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                state[name] = getattr(value, name)
    hook = getattr(type(value), "__getstate__", None)
    if not state or hook is not getattr(object, "__getstate__", None):
        try:
            state["__getstate__"] = value.__getstate__()
        except Exception:  # noqa: BLE001 - then the class alone must do
            state.setdefault("__getstate__", None)
    return list(state.items())
