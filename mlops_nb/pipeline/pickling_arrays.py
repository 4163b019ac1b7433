"""Carries memory that arrays, frames and tensors share, and refuses what would fall apart."""

from __future__ import annotations

import array as arrays
import copyreg
import pickle
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_nb.pipeline import rebuild, rebuild_objects, text_arrays
from mlops_nb.pipeline.layouts import Piece

if TYPE_CHECKING:
    from mlops_nb.pipeline.pickling import NamespacePickler

Handler = Callable[["NamespacePickler", Any], Any]
_SLACK_BYTES = 8  # Arrow does not count where the last text ends


def _get_address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _get_owner(array: Any) -> Any:
    # numpy.lib.stride_tricks puts a stand-in between a view and the array it came from.
    owner = array.base
    return getattr(owner, "base", None) if type(owner).__name__ == "DummyArray" else owner


def _note_array(pickler: NamespacePickler, array: Any) -> None:
    if not array.nbytes:
        return
    steps = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    start = _get_address(array) + sum(step for step in steps if step < 0)
    length = sum(abs(step) for step in steps) + array.itemsize
    pickler.memory.append((start, length, array.flags.writeable, f"array {id(array)}"))


def _reduce_owner(pickler: NamespacePickler, obj: Any) -> Any:
    # numpy's own way gives an array over foreign bytes, which can no longer be resized and is no
    # longer the ``base`` of its views.
    contiguous = obj.flags.c_contiguous or obj.flags.f_contiguous
    if not obj.nbytes or not contiguous or not obj.flags.owndata:
        return NotImplemented
    order = "C" if obj.flags.c_contiguous else "F"
    if obj.dtype.hasobject:
        packed = text_arrays.pack(obj)
        if packed is None:
            return NotImplemented
        arguments = (pickler.keep(packed), obj.shape, order, obj.flags.writeable)
        return text_arrays.unpack, arguments
    flat = obj.reshape(-1, order=order).view(sys.modules["numpy"].uint8)
    content = pickler.keep(pickle.PickleBuffer(flat))
    piece = Piece("bytes", ())
    if obj.flags.writeable and _is_plain(obj.dtype):
        piece = Piece("array", (), obj.dtype.str, obj.shape, order)
    pickler.made_of[id(content)] = piece
    return rebuild.make_array, (content, obj.shape, obj.dtype, order, obj.flags.writeable)


def _is_plain(dtype: Any) -> bool:
    """Tell whether the short text of a type says all about it."""
    if dtype.kind not in "biufcmMSU" or dtype.metadata is not None:
        return False
    return bool(dtype == sys.modules["numpy"].dtype(dtype.str))


def _reduce_array(pickler: NamespacePickler, obj: Any) -> Any:
    base = obj
    while type(owner := _get_owner(base)) is type(obj):
        base = owner
    buffer = _find_buffer(base)
    if buffer is not None and obj.nbytes:
        return _reduce_over_buffer(obj, buffer)
    if base is obj or not base.nbytes or not (base.flags.c_contiguous or base.flags.f_contiguous):
        _note_array(pickler, obj)
        return _reduce_owner(pickler, obj) if base is obj else NotImplemented
    offset = _get_address(obj) - _get_address(base)
    arguments = (base, offset, obj.shape, obj.strides, obj.dtype)
    if base.flags.writeable and not obj.flags.writeable:
        return rebuild.make_array_view, arguments, True, None, None, rebuild.set_array_readonly
    return rebuild.make_array_view, arguments


def _reduce_dtype(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler
    # Of each plain type numpy has one object, and its pickle gives another, equal one: an array of
    # that is wrapped anew wherever a library asks for the type, and is no longer the same array.
    kind = sys.modules["numpy"].dtype
    return (kind, (obj.str,)) if kind(obj.str) is obj else NotImplemented


def _find_buffer(base: Any) -> Any:
    """Find the bytes outside numpy that an array looks at and that may change."""
    owner = _get_owner(base)
    if isinstance(owner, memoryview):
        owner = owner.obj
    return owner if isinstance(owner, bytearray | arrays.array) else None


def _reduce_over_buffer(obj: Any, buffer: Any) -> Any:
    # numpy would copy the bytes, and the array would no longer follow them.
    offset = _get_address(obj) - _get_address(sys.modules["numpy"].frombuffer(buffer, "u1"))
    shape = (offset, obj.shape, obj.strides, obj.dtype, obj.flags.writeable)
    return rebuild_objects.make_array_over, (buffer, *shape)


def _reduce_array_subclass(pickler: NamespacePickler, obj: Any) -> Any:
    _note_array(pickler, obj)
    return NotImplemented


def _reduce_memmap(pickler: NamespacePickler, obj: Any) -> Any:
    if getattr(obj, "mode", None) in ("r+", "w+"):
        raise pickle.PicklingError(f"it writes through to the file {obj.filename!r}")
    return _reduce_array_subclass(pickler, obj)


def _reduce_block_references(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler, obj
    return rebuild.make_block_references, ()


def _reduce_block(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler
    values, placement, ndim = obj.__reduce__()[1]
    return rebuild.make_block, (values, placement, ndim, obj.refs)


def _reduce_series_manager(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler
    # pandas would write the bare values and forget with whom they are shared.
    return type(obj), (obj.blocks[0], obj.axes[0])


def _reduce_index(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler
    references = vars(obj).get("_references")  # a RangeIndex has no memory to share
    if references is None:
        return NotImplemented
    function, arguments = obj.__reduce__()[:2]
    return rebuild.make_index, (function, arguments, references)


class _Combined:
    """Stands for the chunks of an array of Arrow where they are one."""

    def __init__(self, chunk: Any) -> None:
        self._chunk = chunk

    def combine_chunks(self) -> Any:
        return self._chunk


def _reduce_arrow_array(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler
    # pandas would copy all of it to make one chunk of it, even where it is one.
    chunks = obj._pa_array.chunks  # noqa: SLF001 - pandas offers no public way
    if len(chunks) != 1 or chunks[0].get_total_buffer_size() - chunks[0].nbytes > _SLACK_BYTES:
        return NotImplemented  # a slice would bring all that it was cut from
    same = object.__new__(type(obj))
    vars(same).update(vars(obj), _pa_array=_Combined(chunks[0]))
    return copyreg.__newobj__, (type(obj),), same.__getstate__()  # type: ignore[attr-defined]


def _reduce_tensor(pickler: NamespacePickler, obj: Any) -> Any:
    del pickler
    if obj.grad_fn is not None:
        raise pickle.PicklingError("a tensor is still tied to the computation that made it")
    if obj._backward_hooks:  # noqa: SLF001 - torch offers no public way
        raise pickle.PicklingError("a tensor has hooks on its gradient")
    if obj.grad is None:
        return NotImplemented
    function, arguments, *rest = obj.__reduce_ex__(5)
    state = (rest[0] if rest else None, obj.grad)
    return function, arguments, state, None, None, rebuild.set_tensor_state


def _reduce_typed_storage(pickler: NamespacePickler, obj: Any) -> Any:
    # torch wraps the memory anew for each tensor; by its address the wrappers are one again.
    memory = obj._untyped_storage  # noqa: SLF001 - torch offers no public way without a warning
    shared = pickler.storages.setdefault(memory._cdata, memory)  # noqa: SLF001
    return rebuild.make_typed_storage, (shared, pickler.keep(obj).dtype)


def _reduce_storage(pickler: NamespacePickler, obj: Any) -> Any:
    torch = sys.modules["torch"]
    if obj.device.type == "cpu" and obj.nbytes():
        pickler.memory.append((obj.data_ptr(), obj.nbytes(), True, f"tensor {obj.data_ptr()}"))
    memory = torch.tensor([], dtype=torch.uint8, device=obj.device).set_(obj).cpu().numpy()
    # Not through _reduce_array: these bytes are the storage's own, not a second user of them.
    content = pickler.keep(pickle.PickleBuffer(memory))
    if obj.device.type == "cpu":
        pickler.made_of[id(content)] = Piece("storage", ())
    return rebuild.make_storage, (content, str(obj.device))


def find_handler(kind: type[Any]) -> Handler | None:
    """Choose how arrays, frames and tensors of a class are carried.

    Parameters
    ----------
    kind
        The class.

    Returns
    -------
    callable or None
        None where the class is none of these.
    """
    for module, name, handler in _TABLE:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and issubclass(kind, found):
            if handler is _reduce_array and kind is not found:
                return _reduce_array_subclass
            return handler
    return None


_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("numpy", "memmap", _reduce_memmap),
    ("numpy", "ndarray", _reduce_array),
    ("numpy", "dtype", _reduce_dtype),
    ("pandas._libs.internals", "BlockValuesRefs", _reduce_block_references),
    ("pandas._libs.internals", "Block", _reduce_block),
    ("pandas.core.internals.managers", "SingleBlockManager", _reduce_series_manager),
    ("pandas", "Index", _reduce_index),
    ("pandas.arrays", "ArrowExtensionArray", _reduce_arrow_array),
    ("torch", "Tensor", _reduce_tensor),
    ("torch.storage", "TypedStorage", _reduce_typed_storage),
    ("torch", "UntypedStorage", _reduce_storage),
)
