"""Compares functions, code and classes; a class of the notebook is another object in each run."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.comparing_parts import Pair, Part, Unequal, Unsure, Walk, shorten
from mlops_nb.pipeline.comparing_values import compare_pairs

# File names and line numbers are left out: the same cells stand elsewhere in a step.
_CODE_PARTS = (
    "co_name",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_flags",
    "co_names",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "co_exceptiontable",
)
_FUNCTION_PARTS = ("__defaults__", "__kwdefaults__", "__annotations__", "__doc__", "__qualname__")
_LEFT_OUT = frozenset(
    [
        "__dict__",
        "__weakref__",
        "__module__",
        "_abc_impl",
        "__firstlineno__",
        "__static_attributes__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__slotnames__",  # written by copyreg when an instance is pickled
    ]
)
_LEFT_OUT_OF_ENUMS = frozenset(["__new__", "__doc__", "__members__"])


def find_twin_classes(first: type[Any], second: type[Any]) -> Pair | None:
    """Tell whether two classes are the notebook's same class in two runs.

    Parameters
    ----------
    first, second
        Two class objects.

    Returns
    -------
    Pair or None
        The classes to compare, where module and name are the same.
    """
    names = [(cls.__module__, cls.__qualname__) for cls in (first, second)]
    return Pair(".__class__", first, second) if names[0] == names[1] else None


def name_types(first: Any, second: Any) -> tuple[str, str]:
    """Name the types of two values, with the values where they are short.

    Parameters
    ----------
    first, second
        Of two types.

    Returns
    -------
    tuple of str
        For example ``int 1`` and ``bool True``.
    """
    kinds = [type(value) for value in (first, second)]
    names = [kind.__qualname__ for kind in kinds]
    if names[0] == names[1]:
        names = [f"{kind.__module__}.{kind.__qualname__}" for kind in kinds]
    shown = [shorten(value) for value in (first, second)]
    return f"{names[0]} {shown[0]}", f"{names[1]} {shown[1]}"


def compare_functions(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare functions by code, defaults, attributes and closure."""
    yield Pair(".__code__", reference.__code__, pipeline.__code__)
    for name in _FUNCTION_PARTS:
        yield Pair(f".{name}", getattr(reference, name), getattr(pipeline, name))
    yield from compare_pairs(
        walk,
        [(f".{k}", v) for k, v in sorted(vars(reference).items())],
        [(f".{k}", v) for k, v in sorted(vars(pipeline).items())],
    )
    yield Pair(".__closure__", reference.__closure__, pipeline.__closure__)
    if _has_own_scope(reference) or _has_own_scope(pipeline):
        yield from _compare_scopes(reference, pipeline)


def _has_own_scope(function: Any) -> bool:
    """Tell whether a function was made by ``exec`` in a namespace that nobody else compares."""
    import sys

    module = function.__globals__.get("__name__")
    if module == "__main__":
        return False
    return function.__globals__ is not vars(sys.modules.get(module, types))


def _compare_scopes(reference: Any, pipeline: Any) -> Iterator[Part]:
    for name in sorted(_list_names(reference.__code__)):
        held = [name in side.__globals__ for side in (reference, pipeline)]
        if held[0] != held[1]:
            shown = ["a name" if has else "no such name" for has in held]
            yield Unequal("key", shown[0], shown[1], f".__globals__[{name!r}]")
        elif held[0]:
            values = [side.__globals__[name] for side in (reference, pipeline)]
            yield Pair(f".__globals__[{name!r}]", values[0], values[1])


def _list_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _list_names(constant)
    return names


def compare_codes(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare code by what it does, not by where it stands."""
    del walk
    for name in _CODE_PARTS:
        first, second = getattr(reference, name), getattr(pipeline, name)
        if first != second:
            yield Unequal("code", f"{name} {first!r}", f"{name} {second!r}")
    yield Pair(".co_consts", reference.co_consts, pipeline.co_consts)
    if reference.co_code != pipeline.co_code:
        sizes = [f"{len(side.co_code)} bytes of code" for side in (reference, pipeline)]
        yield Unequal("code", sizes[0], f"other {sizes[1]}")


def compare_methods(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare bound methods by function and object."""
    del walk
    yield Pair(".__func__", reference.__func__, pipeline.__func__)
    yield Pair(".__self__", reference.__self__, pipeline.__self__)


def compare_builtins(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare functions written in C by name and the object that they belong to."""
    del walk
    if reference.__qualname__ != pipeline.__qualname__:
        yield Unequal("value", shorten(reference), shorten(pipeline))
    owners = [getattr(side, "__self__", None) for side in (reference, pipeline)]
    yield Pair(".__self__", owners[0], owners[1])


def compare_cells(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare what closures hold; a cell may be empty."""
    del walk
    held: list[tuple[Any, ...]] = []
    for side in (reference, pipeline):
        try:
            held.append((side.cell_contents,))
        except ValueError:
            held.append(())
    if held[0] and held[1]:
        yield Pair(".cell_contents", held[0][0], held[1][0])
    elif held[0] or held[1]:
        shown = ["a value" if side else "empty" for side in held]
        yield Unequal("value", shown[0], shown[1])


def compare_wrappers(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare ``property``, ``staticmethod``, ``classmethod`` and ``cached_property``."""
    del walk
    for name in ("fget", "fset", "fdel", "__func__", "func", "attrname", "__doc__"):
        if hasattr(reference, name):
            yield Pair(f".{name}", getattr(reference, name), getattr(pipeline, name))


def compare_descriptors(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare what classes hold for their slots."""
    del walk
    yield Pair(".__name__", reference.__name__, pipeline.__name__)


def compare_caches(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare functions under ``functools.lru_cache``; what the cache holds cannot be read."""
    yield Pair(".__wrapped__", reference.__wrapped__, pipeline.__wrapped__)
    parameters = [side.cache_parameters() for side in (reference, pipeline)]
    yield Pair(".cache_parameters()", parameters[0], parameters[1])
    counts = [tuple(side.cache_info()) for side in (reference, pipeline)]
    yield Pair(".cache_info()", counts[0], counts[1])
    yield from compare_pairs(walk, sorted(vars(reference).items()), sorted(vars(pipeline).items()))
    if counts[0][3]:
        yield Unsure("what functools keeps in a cache cannot be read")


def compare_classes(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare two class objects by their members; equal names alone say nothing."""
    names = [(side.__module__, side.__qualname__) for side in (reference, pipeline)]
    if names[0] != names[1]:
        yield Unequal("value", ".".join(names[0]), ".".join(names[1]))
    yield Pair(".__bases__", reference.__bases__, pipeline.__bases__)
    left_out = _LEFT_OUT
    if issubclass(reference, enum.Enum):
        members = [list(side.__members__.items()) for side in (reference, pipeline)]
        yield from compare_pairs(walk, members[0], members[1])
        left_out = _LEFT_OUT | _LEFT_OUT_OF_ENUMS | set(reference.__members__)
    held = [
        {k: v for k, v in vars(side).items() if k not in left_out and not _is_machinery(side, k)}
        for side in (reference, pipeline)
    ]
    for name in sorted(held[0].keys() | held[1].keys()):
        if name in held[0] and name in held[1]:
            yield Pair(f".{name}", held[0][name], held[1][name])
        else:
            shown = [shorten(side[name]) if name in side else "no such member" for side in held]
            yield Unequal("key", shown[0], shown[1], f".{name}")


def _is_machinery(cls: type[Any], name: str) -> bool:
    """Tell what ``enum`` adds to a class for itself."""
    single = name.startswith("_") and name.endswith("_") and not name.startswith("__")
    return single and issubclass(cls, enum.Enum)


def compare_enum_members(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare members of enumerations by name, value and what else was set on them."""
    yield Pair(".name", reference._name_, pipeline._name_)
    yield Pair(".value", reference._value_, pipeline._value_)
    own = [
        [(k, v) for k, v in sorted(vars(side).items()) if not k.startswith("_")]
        for side in (reference, pipeline)
    ]
    yield from compare_pairs(walk, own[0], own[1])


def compare_modules(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare modules by name, and by content where the notebook has made them."""
    yield Pair(".__name__", reference.__name__, pipeline.__name__)
    held = [
        [(k, v) for k, v in sorted(vars(side).items()) if not k.startswith("__")]
        for side in (reference, pipeline)
    ]
    yield from compare_pairs(walk, held[0], held[1])
