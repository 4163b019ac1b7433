"""Puts back objects that were carried attribute by attribute; named inside boundary payloads."""

from __future__ import annotations

import functools
import importlib
import weakref
from collections.abc import Mapping
from typing import Any


def make_view(name: str, mapping: Mapping[Any, Any]) -> Any:
    """Make a view of a dict again.

    Parameters
    ----------
    name
        ``keys``, ``values`` or ``items``.
    mapping
        The dict.

    Returns
    -------
    dict view
        It follows `mapping`.
    """
    return getattr(mapping, name)()


def make_object(kind: type[Any]) -> Any:
    """Make an object without running any code of its class.

    Parameters
    ----------
    kind
        The class.

    Returns
    -------
    object
        Without attributes; another function of this module gives them.
    """
    return object.__new__(kind)


def set_object_state(obj: Any, state: dict[str, Any]) -> None:
    """Give an object its attributes, past all that its class does on assignment.

    Parameters
    ----------
    obj
        Made by `make_object`.
    state
        Value by attribute, slots among them.
    """
    try:
        attributes = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        attributes = None  # it has slots only
    slots = {name for kind in type(obj).__mro__ for name in vars(kind) if name in state}
    for name, value in state.items():
        if attributes is None or (name in slots and _is_slot(type(obj), name)):
            object.__setattr__(obj, name, value)
        else:
            attributes[name] = value


def _is_slot(kind: type[Any], name: str) -> bool:
    found = next((vars(k)[name] for k in kind.__mro__ if name in vars(k)), None)
    return type(found).__name__ == "member_descriptor"


def make_exception(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """Make an exception of the notebook without running its constructor.

    Parameters
    ----------
    kind
        Its class.
    arguments
        Its ``args``.

    Returns
    -------
    BaseException
        Without attributes; `set_exception_state` gives them.
    """
    parent: Any = next(k for k in kind.__mro__ if k.__module__ == "builtins")
    made: BaseException = parent.__new__(kind, *arguments)
    return made


def set_exception_state(error: BaseException, state: tuple[Any, tuple[Any, Any, bool]]) -> None:
    """Give an exception its attributes and what it came from.

    Parameters
    ----------
    error
        The exception.
    state
        Attributes, and cause, context and whether the context is hidden.
    """
    attributes, (cause, context, hidden) = state
    if attributes is not None:
        error.__setstate__(attributes)
    error.__cause__, error.__context__ = cause, context
    error.__suppress_context__ = hidden


def set_optimizer_state(optimizer: Any, content: tuple[dict[str, Any], bool]) -> None:
    """Give a torch optimizer its attributes, and let its scheduler follow it again.

    Parameters
    ----------
    optimizer
        Made by `make_object`.
    content
        Attributes, and whether a scheduler watches the calls of ``step``.
    """
    state, followed = content
    kind = importlib.import_module("torch.optim").Optimizer
    kind.__setstate__(optimizer, state)  # also prepares the class, as a constructor would
    own = type(optimizer).__setstate__
    if own is not kind.__setstate__:
        own(optimizer, state)
    if followed:
        _follow(optimizer)


def _follow(optimizer: Any) -> None:
    # As torch's schedulers do it: they warn where nobody has noted that ``step`` was called.
    target = weakref.ref(optimizer)
    function = optimizer.step.__func__

    @functools.wraps(function)
    def step(*args: Any, **options: Any) -> Any:
        found: Any = target()
        found._opt_called = True  # noqa: SLF001 - the name that torch reads
        return function.__get__(found, type(found))(*args, **options)

    vars(step)["_wrapped_by_lr_sched"] = True
    optimizer.step = step


def make_array_over(
    buffer: Any,
    offset_bytes: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: Any,
    writeable: bool,
) -> Any:
    """Make an array over bytes that do not belong to numpy.

    Parameters
    ----------
    buffer
        A ``bytearray`` or ``array.array``.
    offset_bytes
        First element, counted from the start of `buffer`.
    shape, strides, dtype
        As it was.
    writeable
        Whether it may be written through.

    Returns
    -------
    numpy.ndarray
        A write to `buffer` shows in it.
    """
    import numpy as np

    array: Any = np.ndarray(shape, dtype, buffer, offset_bytes, strides)
    array.flags.writeable = writeable
    return array


def set_figure_state(
    figure: Any, state: tuple[dict[str, Any], type[Any] | None, tuple[int, int] | None]
) -> None:
    """Give a figure its content, the kind of canvas it was drawn on and its place in pyplot.

    Parameters
    ----------
    figure
        Still empty.
    state
        What matplotlib saves, the class of the canvas, and number and rank among the open figures.
    """
    content, canvas, place = state
    figure.__setstate__(content)  # opens it in pyplot where it was open
    manager = figure.canvas.manager
    if canvas is not None:
        canvas(figure)
        figure.canvas.manager = manager
    if manager is None or place is None:
        return
    manager.canvas = figure.canvas
    open_figures = importlib.import_module("matplotlib._pylab_helpers").Gcf.figs
    del open_figures[manager.num]
    manager.num, vars(manager)["_rank"] = place
    open_figures[manager.num] = manager
    for number in sorted(open_figures, key=lambda n: vars(open_figures[n]).get("_rank", -1)):
        open_figures.move_to_end(number)  # the last one is the current one
