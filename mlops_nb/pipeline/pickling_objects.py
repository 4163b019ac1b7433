"""How objects are carried whose own way of pickling leaves a part of them out."""

from __future__ import annotations

import contextlib
import copyreg
import gc
import importlib
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from mlops_nb.pipeline import rebuild_objects

Handler = Callable[[Any, Any], Any]

_HOOKS = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__new__")
_ASKED = ("__getattr__", "__getattribute__")
_SAYING = (*_HOOKS, "__getnewargs__", "__getnewargs_ex__")
_MADE_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE
# Classes without content of their own that a class of the notebook may derive from.
_EMPTY_PARENTS = frozenset(["typing", "abc", "collections.abc", "contextlib"])
_DICTS: tuple[Any, ...] = ({}, OrderedDict())
_VIEWS = {
    type(getattr(mapping, name)()): name
    for mapping in _DICTS
    for name in ("keys", "values", "items")
}


def _reduce_view(pickler: Any, obj: Any) -> Any:
    del pickler
    # cloudpickle would give a view of a copy, which no longer follows the dict.
    return rebuild_objects.make_view, (_VIEWS[type(obj)], gc.get_referents(obj)[0])


def _reduce_proxy(pickler: Any, obj: Any) -> Any:
    del pickler
    (content,) = gc.get_referents(obj)
    if type(content) is not dict or "__module__" in content:
        raise pickle.PicklingError("it shows the inside of a class")
    return types.MappingProxyType, (content,)


def _reduce_state(pickler: Any, obj: Any) -> Any:
    # What the class says about pickling is meant for a copy: it may leave out what can be made
    # again, or count the copy. In the next kernel the very object goes on, so all of it is carried.
    kind = type(obj)
    if kind in pickler.dispatch_table:
        return NotImplemented
    state: dict[str, Any] = {}
    with contextlib.suppress(AttributeError):  # it may have slots only
        state |= object.__getattribute__(obj, "__dict__")
    for name in copyreg._slotnames(kind):  # type: ignore[attr-defined]  # noqa: SLF001 - as pickle does
        try:
            state[name] = object.__getattribute__(obj, name)
        except AttributeError:
            continue  # a slot that was never filled
    restore = rebuild_objects.set_object_state
    return rebuild_objects.make_object, (kind,), state, None, None, restore


def _reduce_optimizer(pickler: Any, obj: Any) -> Any:
    del pickler
    state = dict(vars(obj))  # torch itself would leave out hooks
    step = state.pop("step", None)
    followed = getattr(step, "_wrapped_by_lr_sched", False)
    if step is not None and not followed:
        raise pickle.PicklingError("the step of an optimizer was replaced")
    content = (state, followed)
    restore = rebuild_objects.set_optimizer_state
    return rebuild_objects.make_object, (type(obj),), content, None, None, restore


def _reduce_figure(pickler: Any, obj: Any) -> Any:
    del pickler
    reduced = obj.__reduce_ex__(5)
    if len(reduced) < 3 or not isinstance(reduced[2], dict):
        return reduced
    canvas = None if type(obj.canvas).__module__ == "__main__" else type(obj.canvas)
    figures = importlib.import_module("matplotlib._pylab_helpers").Gcf.figs
    places = {id(manager): (number, rank) for rank, (number, manager) in enumerate(figures.items())}
    state = (reduced[2], canvas, places.get(id(obj.canvas.manager)))
    return reduced[0], reduced[1], state, None, None, rebuild_objects.set_figure_state


def _reduce_exception(pickler: Any, obj: Any) -> Any:
    del pickler
    if obj.__traceback__ is not None:
        raise pickle.PicklingError(f"{type(obj).__name__} holds the places where it was raised")
    own = type(obj).__module__ == "__main__"
    if not own and obj.__cause__ is None and obj.__context__ is None:
        return NotImplemented
    function, arguments, *rest = obj.__reduce_ex__(5)
    if own and function is type(obj):  # its constructor may want other arguments than those it kept
        function, arguments = rebuild_objects.make_exception, (function, obj.args)
    chain = (obj.__cause__, obj.__context__, obj.__suppress_context__)
    state = (rest[0] if rest else None, chain)
    return function, arguments, state, None, None, rebuild_objects.set_exception_state


def _has_own_hooks(kind: type[Any]) -> bool:
    """Tell whether a class of the notebook decides about pickling, and holds plain attributes."""
    parents = kind.__mro__[:-1]
    if not all(p.__module__ == "__main__" or p.__module__ in _EMPTY_PARENTS for p in parents):
        return False
    return any(hook in vars(p) for p in parents if p.__module__ == "__main__" for hook in _HOOKS)


def _answers_for_another(kind: type[Any]) -> bool:
    """Tell whether objects of a class hand on what they are asked for, and say nothing of pickling.

    While it is loaded such an object has nobody to hand it on to yet, and asks itself for ever.
    """
    parents = kind.__mro__[:-1]
    if not any(hook in vars(p) for p in parents for hook in _ASKED):
        return False
    is_plain = all(p.__flags__ & _MADE_IN_PYTHON for p in parents)
    return is_plain and not any(hook in vars(p) for p in parents for hook in _SAYING)


def find_handler(kind: type[Any]) -> Handler | None:
    """Choose how objects of a class are carried.

    Parameters
    ----------
    kind
        The class.

    Returns
    -------
    callable or None
        None where the class's own way leaves nothing out.
    """
    if kind in _VIEWS:
        return _reduce_view
    if kind is types.MappingProxyType:
        return _reduce_proxy
    figure = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    if figure is not None and issubclass(kind, figure):
        return _reduce_figure
    optimizer = getattr(sys.modules.get("torch.optim"), "Optimizer", None)
    if optimizer is not None and issubclass(kind, optimizer):
        return _reduce_optimizer
    if issubclass(kind, BaseException):
        return _reduce_exception
    return _reduce_state if _has_own_hooks(kind) or _answers_for_another(kind) else None
