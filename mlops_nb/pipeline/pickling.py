"""Pickles a notebook's objects as one graph that keeps what they share."""

from __future__ import annotations

import dis
import functools
import io
import pickle
import sys
import types
import weakref
from collections import ChainMap
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

# This module is imported only when a boundary is written; the class below needs its base.
import cloudpickle  # noqa: TID253

from mlops_nb.pipeline import pickling_arrays, pickling_objects, rebuild
from mlops_nb.pipeline.layouts import Piece
from mlops_nb.pipeline.reach import REACHING_ATTRIBUTES, WORD

# Objects that libraries use by identity. A copy would be cut off: ``from random import random``
# must still follow ``random.seed`` in the next step.
SINGLETONS = (
    ("random", "_inst"),
    ("numpy.random.mtrand", "_rand"),
    ("torch", "default_generator"),
    ("matplotlib", "rcParams"),
    ("matplotlib", "rcParamsDefault"),
    ("os", "environ"),
    ("sys", "stdin"),
    ("sys", "stdout"),
    ("sys", "stderr"),
    ("sys", "__stdout__"),
    ("sys", "__stderr__"),
)

Handler = Callable[["NamespacePickler", Any], Any]
_LONGEST_TEXT = 10_000


def _is_of_file(name: str, scope: dict[str, Any]) -> bool:
    """Tell whether globals are those of a module that the next kernel can import."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    is_found = name != "__main__" and module is not None and vars(module) is scope
    return is_found and bool(getattr(spec, "has_location", False))


def _refuse_file(file: io.TextIOWrapper) -> Any:
    raise pickle.PicklingError(f"{file.name!r} is an open file")


def find_global_names(code: types.CodeType) -> frozenset[str]:
    """Collect the names that a function may look up outside itself.

    Parameters
    ----------
    code
        Its code; functions inside it are searched too.

    Returns
    -------
    frozenset of str
        Names of variables, words in texts, for a text may be code (``df.query("a > @limit")``),
        and attributes through which any variable can be reached.
    """
    names = set(code.co_names) & REACHING_ATTRIBUTES
    for instruction in dis.get_instructions(code):
        if instruction.opname.endswith(("_GLOBAL", "_NAME")):
            names.add(str(instruction.argval))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= find_global_names(constant)
        elif isinstance(constant, str) and len(constant) <= _LONGEST_TEXT:
            names.update(WORD.findall(constant))
    return frozenset(names)


def _refuse(reason: str) -> Handler:
    def handler(pickler: NamespacePickler, obj: Any) -> Any:
        del pickler, obj
        raise pickle.PicklingError(reason)

    return handler


def _reduce_by_default(pickler: NamespacePickler, obj: Any) -> Any:
    if type(obj) in pickler.dispatch_table:
        return NotImplemented
    # A reduction to a bare name would point into __main__, which the next kernel does not fill
    # before it loads: typing.NewType and the like.
    if getattr(obj, "__module__", None) == "__main__" and type(obj).__module__ != "__main__":
        reduced = obj.__reduce_ex__(5)
        if isinstance(reduced, str):
            raise pickle.PicklingError(f"{type(obj).__name__} {reduced!r} has no value to carry")
    return NotImplemented


def _reduce_function(pickler: NamespacePickler, obj: Any) -> Any:
    return pickler.reduce_function(obj)


def _reduce_class(pickler: NamespacePickler, obj: Any) -> Any:
    for parent in obj.__mro__[1:]:
        own = getattr(parent, "__module__", None) == "__main__"
        if own and "__init_subclass__" in vars(parent):
            raise pickle.PicklingError(f"making {obj.__name__} again would run __init_subclass__")
    if obj.__module__ == "__main__" and type(obj).__module__ == "__main__":
        raise pickle.PicklingError(f"making {obj.__name__} again would run its metaclass")
    return cloudpickle.Pickler.reducer_override(pickler, obj)


def _reduce_cached_function(pickler: NamespacePickler, obj: Any) -> Any:
    if obj.__module__ != "__main__" and pickler.is_importable(obj):
        return NotImplemented
    info = obj.cache_info()
    if info.currsize or info.hits or info.misses:
        raise pickle.PicklingError(f"the cache of {obj.__name__} holds results")
    attributes = {name: value for name, value in vars(obj).items() if name != "__wrapped__"}
    return rebuild.make_cached, (obj.__wrapped__, obj.cache_parameters(), attributes)


def find_handler(kind: type[Any]) -> Handler:
    """Choose how objects of a class are carried.

    Parameters
    ----------
    kind
        The class.

    Returns
    -------
    callable
        Takes the pickler and an object; gives what ``reducer_override`` gives.
    """
    if issubclass(kind, type):
        return _reduce_class
    if issubclass(kind, types.FunctionType):
        return _reduce_function
    if issubclass(kind, type(functools.lru_cache(len))):
        return _reduce_cached_function
    if issubclass(kind, weakref.finalize):
        return _refuse("something is cleaned up when this kernel ends")
    special = pickling_arrays.find_handler(kind) or pickling_objects.find_handler(kind)
    return special or _reduce_by_default


class NamespacePickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickle objects of one notebook namespace as one graph.

    Parameters
    ----------
    file
        Where the bytes go.
    namespace
        The user namespace: functions made in it are stored without it and bound to the next one.
    buffer_callback
        As `pickle.Pickler` takes it.

    Attributes
    ----------
    memory : list of (int, int, bool, str)
        Start, length, whether it may be written, and owner of each piece of memory met.
    linked : list of (object, str)
        Objects met whose run is known, with its id.
    looked_up : set of str
        Names of the namespace that the functions met may look up.
    made_of : dict
        By the id of a buffer: what has to be made so that nothing needs to be copied into it.
    """

    dispatch_table: ClassVar[Any] = ChainMap(
        {
            types.CellType: lambda cell: (rebuild.make_cell, ()),
            io.TextIOWrapper: _refuse_file,
        },
        cloudpickle.Pickler.dispatch_table,
    )

    def __init__(
        self,
        file: BinaryIO | Any,
        namespace: dict[str, Any],
        buffer_callback: Callable[[pickle.PickleBuffer], bool] | None = None,
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffer_callback)
        self.namespace = namespace
        self.looked_up: set[str] = set()
        self.memory: list[tuple[int, int, bool, str]] = []
        self.storages: dict[int, Any] = {}
        self.made_of: dict[int, Piece] = {}
        self._handlers: dict[type[Any], Handler] = {}
        self._scopes: dict[int, dict[str, Any]] = {}
        self._kept: list[Any] = []
        self._references = self._find_references()
        links = sys.modules.get("mlops_nb.tracking.links")  # there only where something records
        self._runs = {id(o): run for o, run in self.keep(links.list_links() if links else [])}
        self.linked: list[tuple[Any, str]] = []

    def _find_references(self) -> dict[int, tuple[Any, tuple[Any, ...]]]:
        found: dict[int, tuple[Any, tuple[Any, ...]]] = {}
        for module, attribute in SINGLETONS:
            value = getattr(sys.modules.get(module), attribute, None)
            if value is not None:
                found[id(value)] = (rebuild.resolve_reference, (module, attribute))
        shell = rebuild.get_shell()
        if shell is not None:
            found[id(shell)] = (rebuild.get_shell, ())
        return found

    def reducer_override(self, obj: Any) -> Any:
        """Choose how an object is carried.

        Parameters
        ----------
        obj
            Any object but those of the simplest built-in types.

        Returns
        -------
        tuple or NotImplemented
            As the pickle protocol asks.
        """
        reference = self._references.get(id(obj))
        if reference is not None:
            return reference
        if id(obj) in self._runs:
            self.linked.append((obj, self._runs[id(obj)]))
        kind = type(obj)
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = find_handler(kind)
        return handler(self, obj)

    def keep(self, obj: Any) -> Any:
        """Hold an object until the payload is written, so no address is used twice.

        Parameters
        ----------
        obj
            Made while pickling.

        Returns
        -------
        object
            The same.
        """
        self._kept.append(obj)
        return obj

    @staticmethod
    def is_importable(obj: Any) -> bool:
        """Tell whether the next kernel finds an object by its module and name.

        Parameters
        ----------
        obj
            A function or the like.

        Returns
        -------
        bool
            True where importing gives this very object.
        """
        module = getattr(obj, "__module__", None)
        if not isinstance(module, str) or module == "__main__" or module not in sys.modules:
            return False
        found: Any = sys.modules[module]
        for part in obj.__qualname__.split("."):
            found = getattr(found, part, None)
        return found is obj

    def reduce_function(self, function: types.FunctionType) -> Any:
        """Carry a function: by name where it can be imported, else by its code.

        Parameters
        ----------
        function
            Any Python function.

        Returns
        -------
        tuple or NotImplemented
            As the pickle protocol asks.
        """
        if self.is_importable(function):
            return NotImplemented
        scope, used = self._find_scope(function)
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append(cell.cell_contents)
            except ValueError:
                cells.append(rebuild.EMPTY_CELL)
        state: dict[str, Any] = {
            "cells": cells,
            "scope": used,
            "attributes": dict(function.__dict__),
            "__qualname__": function.__qualname__,
            "__module__": function.__module__,
            "__doc__": function.__doc__,
            "__defaults__": function.__defaults__,
            "__kwdefaults__": function.__kwdefaults__,
            "__annotations__": function.__annotations__,
        }
        parameters = getattr(function, "__type_params__", ())
        if parameters:
            state["__type_params__"] = parameters
        arguments = (function.__code__, scope, function.__name__, function.__closure__)
        return rebuild.make_function, arguments, state, None, None, rebuild.set_function_state

    def _find_scope(
        self, function: types.FunctionType
    ) -> tuple[dict[str, Any] | str | None, dict[str, Any]]:
        scope = function.__globals__
        if scope is self.namespace:
            self.looked_up |= find_global_names(function.__code__)
            return None, {}
        module = scope.get("__name__")
        if isinstance(module, str) and _is_of_file(module, scope):
            return module, {}
        # Functions of one foreign namespace share one dict, empty until each brings what it uses.
        shared = self._scopes.setdefault(id(scope), {})
        names = find_global_names(function.__code__) | {"__name__", "__package__", "__file__"}
        return shared, {name: scope[name] for name in sorted(names) if name in scope}
