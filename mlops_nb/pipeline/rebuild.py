"""Puts back what a boundary carried; every function here is named inside boundary payloads."""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any


class EmptyCell:
    """Marks a closure cell that had no value yet."""

    def __reduce__(self) -> str:
        """Give the name of the one instance."""
        return "EMPTY_CELL"


EMPTY_CELL = EmptyCell()

# The namespace that functions of the notebook are bound to while a boundary is loaded. It is the
# one value that cannot travel inside the payload: it belongs to the new kernel.
_namespaces: list[dict[str, Any]] = []


@contextlib.contextmanager
def loading_into(namespace: dict[str, Any]) -> Iterator[None]:
    """Bind the notebook's functions to a namespace while a payload is read.

    Parameters
    ----------
    namespace
        The user namespace of the kernel that continues the notebook.

    Yields
    ------
    None
        Functions made meanwhile have `namespace` as their globals.
    """
    _namespaces.append(namespace)
    try:
        yield
    finally:
        _namespaces.pop()


def get_namespace() -> dict[str, Any]:
    """Give the namespace that is being filled.

    Returns
    -------
    dict
        The user namespace.
    """
    return _namespaces[-1]


def resolve_reference(module: str, attribute: str) -> Any:
    """Find the one object of a library that must never be copied.

    Parameters
    ----------
    module
        Name of the module.
    attribute
        Path of the attribute, with dots.

    Returns
    -------
    object
        For example the state behind ``random.random``.
    """
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def get_shell() -> Any:
    """Give the shell of this kernel.

    Returns
    -------
    InteractiveShell or None
        What ``get_ipython()`` gives here.
    """
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def make_cell() -> types.CellType:
    """Give a closure cell without a value; the functions that use it fill it.

    Returns
    -------
    cell
        One object for all closures that shared it.
    """
    return types.CellType()


def make_function(
    code: types.CodeType,
    scope: dict[str, Any] | str | None,
    name: str,
    closure: tuple[types.CellType, ...] | None,
) -> types.FunctionType:
    """Make a function again, bound to the namespace of the new kernel.

    Parameters
    ----------
    code
        Its code.
    scope
        Its globals, the name of the module whose they are, or None for the notebook's namespace.
    name
        Its ``__name__``.
    closure
        Its cells, still empty.

    Returns
    -------
    function
        Without defaults and attributes; `set_function_state` gives them.
    """
    if scope is None:
        bound = get_namespace()
    elif isinstance(scope, str):
        bound = vars(importlib.import_module(scope))
    else:
        bound = scope
        # C code that imports while the function runs (pickle, strptime) asks its globals for it.
        bound.setdefault("__builtins__", vars(builtins))
    return types.FunctionType(code, bound, name, None, closure)


def set_function_state(function: types.FunctionType, state: dict[str, Any]) -> None:
    """Give a function everything that may refer back to it.

    Parameters
    ----------
    function
        Made by `make_function`.
    state
        Attributes, contents of closure cells, and globals where they are its own.
    """
    for cell, value in zip(function.__closure__ or (), state.pop("cells"), strict=True):
        if value is not EMPTY_CELL:
            cell.cell_contents = value
    function.__globals__.update(state.pop("scope"))
    function.__dict__.update(state.pop("attributes"))
    for name, value in state.items():
        setattr(function, name, value)


def make_cached(function: Any, parameters: dict[str, Any], attributes: dict[str, Any]) -> Any:
    """Make a function decorated by ``functools.lru_cache`` again, with nothing cached.

    Parameters
    ----------
    function
        The function under the cache.
    parameters
        ``maxsize`` and ``typed``.
    attributes
        What else was set on it.

    Returns
    -------
    function
        With an empty cache.
    """
    cached = functools.lru_cache(**parameters)(function)
    cached.__dict__.update(attributes)
    return cached


def make_array(data: Any, shape: tuple[int, ...], dtype: Any, order: Any, writeable: bool) -> Any:
    """Make an array that owns its memory.

    Parameters
    ----------
    data
        Its bytes, or the array itself where it was filled from a file.
    shape, dtype, order
        As it was.
    writeable
        Whether it may be changed.

    Returns
    -------
    numpy.ndarray
        It owns its memory.
    """
    import numpy as np

    if isinstance(data, np.ndarray) and (data.dtype, data.shape) == (dtype, tuple(shape)):
        return data
    array: Any = np.empty(shape, dtype, order)
    array.reshape(-1, order=order).view(np.uint8)[:] = np.frombuffer(data, np.uint8)
    array.flags.writeable = writeable
    return array


def make_array_view(
    base: Any, offset_bytes: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any
) -> Any:
    """Make an array that shares the memory of another one.

    Parameters
    ----------
    base
        The contiguous array that owns the memory.
    offset_bytes
        First element, counted from the start of `base`.
    shape, strides, dtype
        As of the view.

    Returns
    -------
    numpy.ndarray
        A view: a write to it is seen in `base`.
    """
    import numpy as np

    flat = (base if base.flags.c_contiguous else base.T).reshape(-1)
    if dtype.hasobject:  # numpy makes no object arrays from buffers
        start = flat[offset_bytes // flat.itemsize :]
        return np.lib.stride_tricks.as_strided(start, shape, strides)
    view: Any = np.ndarray(shape, dtype, flat.view(np.uint8), offset_bytes, strides)
    return view


def set_array_readonly(array: Any, state: bool) -> None:
    """Mark a view as one that must not be written through.

    Parameters
    ----------
    array
        The view.
    state
        True.
    """
    array.flags.writeable = not state


def make_block_references() -> Any:
    """Give the record in which pandas counts who shares the memory of a block.

    Returns
    -------
    BlockValuesRefs
        Blocks and indexes enter themselves.
    """
    internals = importlib.import_module("pandas._libs.internals")
    return internals.BlockValuesRefs()


def make_block(values: Any, placement: Any, ndim: int, references: Any) -> Any:
    """Make a block of a frame that still knows with whom it shares memory.

    Parameters
    ----------
    values
        The data.
    placement
        Columns it holds.
    ndim
        1 for a series, 2 for a frame.
    references
        Shared by all blocks over the same memory, so copy-on-write keeps working.

    Returns
    -------
    Block
        Entered in `references`.
    """
    internals = importlib.import_module("pandas._libs.internals")
    blocks = importlib.import_module("pandas.core.internals.blocks")
    if not isinstance(placement, internals.BlockPlacement):
        placement = internals.BlockPlacement(placement)
    coerced = blocks.maybe_coerce_values(values)
    return blocks.new_block(coerced, placement, ndim=ndim, refs=references)


def make_index(rebuild: Any, arguments: tuple[Any, ...], references: Any) -> Any:
    """Make an index that still knows with whom it shares memory.

    Parameters
    ----------
    rebuild, arguments
        What pandas itself uses.
    references
        Shared with the series or frame over the same memory.

    Returns
    -------
    pandas.Index
        Entered in `references`.
    """
    index = rebuild(*arguments)
    index._references = references  # noqa: SLF001 - pandas offers no public way
    references.add_index_reference(index)
    return index


def make_storage(data: Any, device: str) -> Any:
    """Make the memory that torch tensors share.

    Parameters
    ----------
    data
        Its bytes, or the memory itself where it was filled from a file.
    device
        Where it was.

    Returns
    -------
    torch.UntypedStorage
        One object for all tensors over it.
    """
    import numpy as np

    torch: Any = importlib.import_module("torch")  # without types: its storages have none
    if type(data) is torch.UntypedStorage:
        return data
    storage = torch.UntypedStorage(len(data))
    if len(data):
        target = torch.tensor([], dtype=torch.uint8).set_(storage)
        target.numpy()[:] = np.frombuffer(data, np.uint8)
    return storage if device == "cpu" else storage.to(device=torch.device(device))


def make_typed_storage(storage: Any, dtype: Any) -> Any:
    """Wrap torch memory with an element type.

    Parameters
    ----------
    storage
        The shared memory.
    dtype
        Type of its elements.

    Returns
    -------
    torch.TypedStorage
        As torch's own rebuild functions take it.
    """
    torch: Any = importlib.import_module("torch")
    return torch.storage.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def set_tensor_state(tensor: Any, state: tuple[Any, Any]) -> None:
    """Give a leaf tensor its gradient back.

    Parameters
    ----------
    tensor
        The leaf.
    state
        Its attributes, if any, and its gradient.
    """
    attributes, gradient = state
    if attributes is not None:
        tensor.__setstate__(attributes)
    tensor.grad = gradient
