"""Compares objects of any class by the state that they would be copied with."""

from __future__ import annotations

import io
import types
import typing
import weakref
from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.comparing_parts import Pair, Part, Unequal, Unsure, Walk, shorten
from mlops_nb.pipeline.comparing_values import compare_items, compare_pairs

_PROTOCOL = 4


def compare_objects(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare two objects by what ``__reduce_ex__`` tells of them, as ``copy`` reads it."""
    reduced = []
    for side in (reference, pipeline):
        try:
            reduced.append(_reduce(side))
        except Exception as error:  # noqa: BLE001 - code of any library
            yield from compare_states(walk, reference, pipeline)
            yield Unsure(f"{type(reference).__qualname__}: {_explain(error)}")
            return
    if isinstance(reduced[0], str) or isinstance(reduced[1], str):
        yield from _compare_named(walk, reference, pipeline, reduced)
    else:
        yield from _compare_reductions(walk, reduced[0], reduced[1])


def _reduce(value: Any) -> Any:
    import copyreg

    reducer = copyreg.dispatch_table.get(type(value))
    return value.__reduce_ex__(_PROTOCOL) if reducer is None else reducer(value)


def _explain(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."


def _compare_named(walk: Walk, reference: Any, pipeline: Any, reduced: list[Any]) -> Iterator[Part]:
    """Compare what reduces to a bare name: a ``typing.TypeVar``, a constant of a library."""
    if reduced[0] != reduced[1]:
        yield Unequal("value", shorten(reduced[0]), shorten(reduced[1]))
    elif _read_state(reference):
        yield from compare_states(walk, reference, pipeline)
    else:
        yield Unsure(f"{type(reference).__qualname__} {reduced[0]!r} is known by its name alone")


def _compare_reductions(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    first, second = _fill(reference), _fill(pipeline)
    yield Pair(".__reduce__()[0]", first[0], second[0])
    yield Pair(".__reduce__()[1]", first[1], second[1])
    states = [_sort_state(side[2]) for side in (first, second)]
    if states[0] is not None and states[1] is not None:
        yield from _compare_attributes(states[0], states[1])
    else:
        yield Pair(".__getstate__()", first[2], second[2])
    items = [list(side[3]) if side[3] is not None else [] for side in (first, second)]
    yield from compare_items(walk, items[0], items[1])
    pairs = [list(side[4]) if side[4] is not None else [] for side in (first, second)]
    yield from compare_pairs(walk, pairs[0], pairs[1])


def _fill(reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*reduced, *[None] * (5 - len(reduced)))


def _sort_state(state: Any) -> dict[str, Any] | None:
    """Give a state as attributes, where it is one or two dicts of them."""
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    found: dict[str, Any] = {}
    for part in parts:
        if part is None:
            continue
        if type(part) is not dict or not all(type(key) is str for key in part):
            return None
        found |= part
    return found


def _compare_attributes(reference: dict[str, Any], pipeline: dict[str, Any]) -> Iterator[Part]:
    for name, value in reference.items():
        if name in pipeline:
            yield Pair(f".{name}", value, pipeline[name])
        else:
            yield Unequal("key", shorten(value), "no such attribute", f".{name}")
    for name, value in pipeline.items():
        if name not in reference:
            yield Unequal("key", "no such attribute", shorten(value), f".{name}")


_OF_VARIABLES = (
    *("__bound__", "__constraints__", "__covariant__", "__contravariant__"),
    "__default__",  # from Python 3.13 on
)


def _read_state(value: Any) -> dict[str, Any]:
    state: dict[str, Any] = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            place = f"_{kind.__name__.lstrip('_')}{name}" if _is_private(name) else name
            if name not in ("__dict__", "__weakref__") and hasattr(value, place):
                state[place] = getattr(value, place)
    if isinstance(value, typing.TypeVar | typing.ParamSpec):  # written in C from Python 3.12 on
        state |= {name: getattr(value, name) for name in _OF_VARIABLES if hasattr(value, name)}
    return state


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def compare_states(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare the attributes and slots of two objects."""
    del walk
    yield from _compare_attributes(_read_state(reference), _read_state(pipeline))


def compare_exceptions(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare exceptions without the lines where they were raised."""
    yield Pair(".args", reference.args, pipeline.args)
    yield Pair(".__cause__", reference.__cause__, pipeline.__cause__)
    yield from compare_states(walk, reference, pipeline)


def compare_references(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare weak references by what they refer to."""
    del walk
    yield Pair("()", reference(), pipeline())


def compare_weak_mappings(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare dictionaries with weak keys or values."""
    yield from compare_pairs(walk, list(reference.items()), list(pipeline.items()))


def compare_generators(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Find what can be seen to differ in generators; equal they are never said to be."""
    del walk
    code, frame = ("gi_code", "gi_frame")
    if isinstance(reference, types.CoroutineType):
        code, frame = ("cr_code", "cr_frame")
    elif isinstance(reference, types.AsyncGeneratorType):
        code, frame = ("ag_code", "ag_frame")
    yield Pair(f".{code}", getattr(reference, code), getattr(pipeline, code))
    frames = [getattr(side, frame) for side in (reference, pipeline)]
    places = ["ended" if held is None else f"instruction {held.f_lasti}" for held in frames]
    if places[0] != places[1]:
        yield Unequal("value", places[0], places[1])
    if None in frames:
        return  # both have ended, and the code is the same
    yield Pair(f".{frame}.f_locals", dict(frames[0].f_locals), dict(frames[1].f_locals))
    yield Unsure(f"what a {type(reference).__name__} will give shows only when it is used up")


def compare_files(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare open files by name, mode and place."""
    for name in ("name", "mode", "closed"):
        held = [str(getattr(side, name, "")) for side in (reference, pipeline)]
        if not walk.is_same_text(held[0], held[1]):
            yield Unequal("value", held[0], held[1], f".{name}")
    if not reference.closed:
        yield Unsure("an open file")


FILES = (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO)
WEAK_MAPPINGS = (weakref.WeakKeyDictionary, weakref.WeakValueDictionary)
