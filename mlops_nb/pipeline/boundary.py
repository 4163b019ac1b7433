"""What crosses from one step to the next: every name and the state around them, in one file."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import pickle
import secrets
import struct
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import blake3

from mlops_nb.errors import CorruptObjectError, InvalidValueError
from mlops_nb.pipeline import ambient, rebuild
from mlops_nb.pipeline.names import find_running_threads, is_local_module, list_user_names
from mlops_nb.pipeline.patches import capture_patches, restore_patches

if TYPE_CHECKING:
    from mlops_nb.pipeline.pickling import NamespacePickler

Memory = tuple[int, int, bool, str]  # start, length, writable, owner
MAGIC = b"mlops_nb boundary 1\n"
_HEADER = struct.Struct(f"<{len(MAGIC)}sQQ32s")
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """What was written, and what could not be.

    Attributes
    ----------
    names
        Names that cross.
    size_bytes
        Size of the file.
    unpicklable
        Names that cannot cross, each with the reason. A thread that still runs the notebook's
        code is listed as ``<thread NAME>``.
    looked_up
        Names that functions in the boundary may look up when they are called.
    """

    names: tuple[str, ...]
    size_bytes: int
    unpicklable: dict[str, str] = field(default_factory=dict)
    looked_up: frozenset[str] = frozenset()


def read_key(folder: Path) -> bytes:
    """Give the secret key of a store; make it on first use.

    Parameters
    ----------
    folder
        The store's folder.

    Returns
    -------
    bytes
        32 bytes that only the owner of the folder can read.
    """
    path = folder / "boundary.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != 32:
            raise InvalidValueError(
                f"the key in {str(path)!r}", key[:0], "32 bytes", "Delete the file."
            ) from None
        return key
    with os.fdopen(handle, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key


class _DigestingFile:
    """Passes bytes on and takes their digest on the way."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self.hasher = blake3.blake3(max_threads=blake3.blake3.AUTO)
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        length = memoryview(data).nbytes
        self.size_bytes += length
        if self._file is not None:
            self.hasher.update(data)
            self._file.write(data)
        return length


def _find_overlap(memory: Iterable[Memory]) -> tuple[Memory, Memory] | None:
    furthest: Memory | None = None
    for piece in sorted(set(memory)):
        inside = furthest is not None and piece[0] < furthest[0] + furthest[1]
        if furthest and inside and piece[3] != furthest[3] and (piece[2] or furthest[2]):
            return furthest, piece
        if furthest is None or sum(piece[:2]) > sum(furthest[:2]):
            furthest = piece
    return None


def _dump_graph(graph: Any, file: Any, namespace: dict[str, Any]) -> NamespacePickler:
    from mlops_nb.pipeline.pickling import NamespacePickler  # brings cloudpickle

    pickler = NamespacePickler(file, namespace)
    pickler.dump(graph)
    pickler.dump(pickler.linked)  # with the same memo: the objects themselves are not written again
    if _find_overlap(pickler.memory):
        raise pickle.PicklingError("it shares memory in a way that cannot be carried")
    return pickler


def _explain(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."


def find_unpicklable(namespace: dict[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Try each value by itself.

    Parameters
    ----------
    namespace
        The user namespace.
    values
        What to try, by name.

    Returns
    -------
    dict
        Reason for each name that cannot cross.
    """
    reasons: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    memory: list[Memory] = []
    for name in sorted(values):
        try:
            found = _dump_graph(values[name], _DigestingFile(None), namespace).memory
        except Exception as error:  # noqa: BLE001 - reductions run code of any library
            reasons[name] = _explain(error)
            continue
        memory.extend(found)
        for piece in found:
            owners.setdefault(piece[3], set()).add(name)
    while overlap := _find_overlap(memory):
        culprits = {name for piece in overlap for name in owners[piece[3]]}
        for name in culprits:
            reasons[name] = "shares memory with " + ", ".join(sorted(culprits - {name}))
        gone = {owner for owner, users in owners.items() if users <= set(reasons)}
        memory = [piece for piece in memory if piece[3] not in gone]
    return reasons


def _collect_local_modules(namespace: dict[str, Any]) -> dict[str, dict[str, Any]]:
    kept = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
    found: dict[str, dict[str, Any]] = {}
    for name, module in list(sys.modules.items()):
        if not isinstance(module, types.ModuleType) or not is_local_module(module):
            continue
        values = {
            key: value
            for key, value in vars(module).items()
            if not key.startswith("__") and not isinstance(value, kept)
        }
        for key in find_unpicklable(namespace, values):
            del values[key]  # a lock or a connection; importing makes a new one
        if values:
            found[name] = values
    return found


def dump_boundary(
    user_ns: dict[str, Any],
    names: Iterable[str] | None,
    path: Path,
    *,
    key: bytes,
    environment: dict[str, str] | None = None,
    extra: Iterable[str] = (),
    patches: Iterable[str] = (),
) -> BoundaryReport:
    """Write names and ambient state as one graph.

    Parameters
    ----------
    user_ns
        The user namespace.
    names
        Names to carry, or None for all that the notebook has made.
    path
        The file; it appears complete or not at all.
    key
        From `read_key`.
    environment
        Environment variables when the kernel started.
    extra
        Names of the shell to carry as well, such as ``_oh``.
    patches
        Dotted paths of what the notebook has set on libraries.

    Returns
    -------
    BoundaryReport
        Names that cannot be pickled are left out and listed with the reason.
    """
    own = list_user_names(user_ns, _get_hidden())
    chosen = own if names is None else set(user_ns) & set(names)
    chosen |= set(user_ns) & set(extra)
    chosen = {name for name in chosen if user_ns[name] is not user_ns}
    unpicklable: dict[str, str] = {}
    graph: dict[str, Any] = {
        "whole": names is None,
        "ambient": ambient.capture_ambient(environment),
        "patches": capture_patches(patches),
        "modules": _collect_local_modules(user_ns),
        "selves": sorted(name for name, value in user_ns.items() if value is user_ns),
    }
    head = {k: graph["ambient"].pop(k) for k in ambient.PLAIN_PARTS if k in graph["ambient"]}
    try:
        written = _write(graph | {"names": _pick(user_ns, chosen)}, head, path, key, user_ns)
    except Exception:  # noqa: BLE001 - reductions run code of any library; now find which name
        unpicklable = find_unpicklable(user_ns, _pick(user_ns, chosen) | graph["patches"])
        chosen -= set(unpicklable)
        graph["patches"] = {k: v for k, v in graph["patches"].items() if k not in unpicklable}
        graph["dropped"] = sorted(unpicklable)
        written = _write(graph | {"names": _pick(user_ns, chosen)}, head, path, key, user_ns)
    unpicklable |= find_running_threads(user_ns)
    return BoundaryReport(tuple(sorted(chosen)), written[0], unpicklable, written[1])


def _get_hidden() -> dict[str, Any]:
    """Give the names that the shell itself has put into the namespace."""
    shell = rebuild.get_shell()
    return {} if shell is None else dict(shell.user_ns_hidden)


def _pick(namespace: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in namespace.items() if name in names}


def _write(
    graph: dict[str, Any], head: dict[str, Any], path: Path, key: bytes, namespace: dict[str, Any]
) -> tuple[int, frozenset[str]]:
    start = pickle.dumps(head, protocol=5)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(bytes(_HEADER.size + _MAC_BYTES))
            digesting = _DigestingFile(file)
            digesting.write(start)
            looked_up = _dump_graph(graph, digesting, namespace).looked_up
            digest = digesting.hasher.digest()
            body_bytes = digesting.size_bytes - len(start)
            header = _HEADER.pack(MAGIC, len(start), body_bytes, digest)
            file.seek(0)
            file.write(header + hmac.digest(key, header, hashlib.sha256))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return _HEADER.size + _MAC_BYTES + digesting.size_bytes, frozenset(looked_up)


def _read_verified(path: Path, key: bytes) -> tuple[memoryview, memoryview]:
    content = memoryview(path.read_bytes())
    if len(content) < _HEADER.size + _MAC_BYTES or content[: len(MAGIC)] != MAGIC:
        raise CorruptObjectError(path, path.name, "is not a boundary of this version")
    header = content[: _HEADER.size]
    _, head_bytes, body_bytes, digest = _HEADER.unpack(header)
    start = _HEADER.size + _MAC_BYTES
    if not hmac.compare_digest(
        hmac.digest(key, bytes(header), hashlib.sha256), bytes(content[_HEADER.size : start])
    ):
        raise CorruptObjectError(path, digest.hex(), "was not written by this store")
    payload = content[start:]
    found = blake3.blake3(payload, max_threads=blake3.blake3.AUTO).digest()
    if len(payload) != head_bytes + body_bytes or found != digest:
        raise CorruptObjectError(path, digest.hex(), "has been changed since it was written")
    return payload[:head_bytes], payload[head_bytes:]


def load_boundary(path: Path, user_ns: dict[str, Any], *, key: bytes) -> tuple[str, ...]:
    """Continue in this process where another one wrote a boundary.

    Parameters
    ----------
    path
        Written by `dump_boundary`.
    user_ns
        The user namespace to fill. Names that the notebook had deleted are deleted here too.
    key
        From `read_key`.

    Returns
    -------
    tuple of str
        The names that were put in.

    Raises
    ------
    CorruptObjectError
        The file was not written with this key, or was changed. Nothing of it was run.
    """
    start, body = _read_verified(path, key)
    head = pickle.loads(start)  # noqa: S301 - verified above
    ambient.prepare_imports(head)
    with rebuild.loading_into(user_ns):
        unpickler = pickle.Unpickler(io.BytesIO(body))  # noqa: S301 - verified above
        graph, linked = unpickler.load(), unpickler.load()
    if graph["whole"]:
        kept = set(graph["names"]) | set(graph.get("dropped", ()))
        for name in list_user_names(user_ns, _get_hidden()) - kept:
            del user_ns[name]
    user_ns.update(graph["names"])
    user_ns.update(dict.fromkeys(graph["selves"], user_ns))
    for name, values in graph["modules"].items():
        vars(sys.modules[name]).update(values)
    ambient.restore_ambient(graph["ambient"] | head)
    restore_patches(graph["patches"])
    if linked:
        from mlops_nb.tracking.links import link_object  # only where something was recorded

        for value, run_id in linked:
            link_object(value, run_id)
    return tuple(sorted(graph["names"]))
