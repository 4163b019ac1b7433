"""Writes values that cross together: in a format of their kind where it holds all, else pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.pipeline.contentfile import ContentFile
from mlops_nb.pipeline.formats import PICKLE, Plan, choose_plan, find_ranges, get_address
from mlops_nb.pipeline.layouts import Layout, Piece, Range
from mlops_nb.pipeline.sealing import Sealer, seal_layout
from mlops_nb.pipeline.state import Component

if TYPE_CHECKING:
    from mlops_nb.pipeline.pickling import NamespacePickler

_LARGE_BYTES = 64 * 1024
_MOST_PIECES = 256  # the manifest names each
_LONGEST_STREAM = 32 * 1024  # beside a file of another format; it stands in the manifest


class _Outside:
    """Chooses the memory that is written beside a pickle, and keeps it until then."""

    def __init__(self, is_wanted: Callable[[int, int], bool] | None = None) -> None:
        self._is_wanted = is_wanted
        self.made_of: Mapping[int, Piece] = {}
        self.found: list[tuple[Piece, memoryview]] = []

    def __call__(self, buffer: pickle.PickleBuffer) -> bool:
        """Take a buffer, or let it stand inside the pickle: True."""
        with memoryview(buffer) as view:
            is_arrow = type(view.obj).__module__ == "pyarrow.lib"
        piece = self.made_of.get(id(buffer)) or (Piece("bytes", ()) if is_arrow else None)
        if piece is None or len(self.found) >= _MOST_PIECES:
            return True  # whoever made it may want bytes of Python's own
        content = buffer.raw()
        if not self._choose(content):
            return True
        self.found.append((piece, content))
        return False

    def _choose(self, content: memoryview) -> bool:
        if self._is_wanted is None:
            return content.nbytes >= _LARGE_BYTES
        return content.nbytes > 0 and self._is_wanted(get_address(content), content.nbytes)


class _UnfitError(Exception):
    """A format cannot hold a value after all."""


class _ShortStream(bytearray):
    """A pickle that is given up once it is long."""

    def write(self, data: Any) -> int:
        """Take bytes."""
        length = memoryview(data).nbytes
        if len(self) + length > _LONGEST_STREAM:
            raise _UnfitError
        self += data
        return length


def pickle_values(
    values: Mapping[str, Any],
    file: Any,
    namespace: dict[str, Any],
    has_nans: bool = False,
    outside: Any = None,
) -> NamespacePickler:
    """Pickle values as one graph.

    Parameters
    ----------
    values
        By name.
    file
        Where the pickle goes.
    namespace
        The user namespace.
    has_nans
        NaNs are written as the objects that they are.
    outside
        Takes large memory, as `pickle.Pickler` has it.

    Returns
    -------
    NamespacePickler
        With what it has met.

    Raises
    ------
    Exception
        Whatever a reduction raises of a value that cannot cross.
    """
    from mlops_nb.pipeline.identities import IdentityPickler  # brings cloudpickle
    from mlops_nb.pipeline.partition import find_overlap
    from mlops_nb.pipeline.pickling import NamespacePickler

    pickler = (IdentityPickler if has_nans else NamespacePickler)(file, namespace, outside)
    if outside is not None:
        outside.made_of = pickler.made_of
    # The list fills while the values are written; after them its objects are in the memo.
    pickler.dump((dict(values), pickler.linked))
    if find_overlap(pickler.memory):
        raise pickle.PicklingError("it shares memory in a way that cannot be carried")
    return pickler


def write_values(
    values: Mapping[str, Any],
    namespace: dict[str, Any],
    folder: Path,
    key: bytes,
    has_nans: bool = False,
) -> Component:
    """Write values that cross together.

    Parameters
    ----------
    values
        By name.
    namespace
        The user namespace.
    folder
        Of the components.
    key
        From `sealing.read_key`.
    has_nans
        NaNs are among them.

    Returns
    -------
    Component
        Without digest and runs.

    Raises
    ------
    Exception
        Whatever a reduction raises of a value that cannot cross.
    """
    if len(values) == 1:
        try:
            plan = choose_plan(next(iter(values.values())))
            if plan is not None:
                return _write_in_format(plan, values, namespace, folder, key, has_nans)
        except Exception:  # noqa: BLE001, S110 - a format refuses what a pickle may carry
            pass
    sealer, outside = Sealer(folder, key), _Outside()
    try:
        pickler = pickle_values(values, sealer, namespace, has_nans, outside)
        file, inline = sealer.finish(outside.found)
    except BaseException:
        sealer.abandon()
        raise
    names = tuple(sorted(pickler.looked_up))
    return Component(
        tuple(values), "", sealer.size_bytes, file, inline, names, has_nans=has_nans, format=PICKLE
    )


def _write_in_format(
    plan: Plan,
    values: Mapping[str, Any],
    namespace: dict[str, Any],
    folder: Path,
    key: bytes,
    has_nans: bool,
) -> Component:
    planned = {address: (length, 0) for address, length in plan.memory}
    outside = _Outside(lambda address, size: find_ranges(planned, address, size) is not None)
    stream = _ShortStream()
    pickler = pickle_values(values, stream, namespace, has_nans, outside)
    # All of the memory has to be read back, and each byte of it once.
    if sum(content.nbytes for _, content in outside.found) != sum(n for n, _ in planned.values()):
        raise _UnfitError
    file = ContentFile(folder)
    try:
        places = {address: (length, offset) for address, length, offset in plan.write(file)}
        pieces = [_locate(piece, content, places) for piece, content in outside.found]
        name = file.finish(f".{plan.format}")
    except BaseException:
        file.abandon()
        raise
    layout = Layout(name, file.size_bytes, bytes(stream), tuple(pieces))
    inline = seal_layout(layout, key)
    names = tuple(sorted(pickler.looked_up))
    return Component(
        *(tuple(values), "", file.size_bytes, name, inline, names),
        has_nans=has_nans,
        format=plan.format,
    )


def _locate(piece: Piece, content: memoryview, places: Mapping[int, tuple[int, int]]) -> Piece:
    ranges: tuple[Range, ...] | None = find_ranges(places, get_address(content), content.nbytes)
    if ranges is None:
        raise _UnfitError
    return replace(piece, ranges=ranges)
