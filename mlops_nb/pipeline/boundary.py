"""Writes what a step leaves behind, component by component, and brings it into the next kernel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.pipeline import ambient, items, rebuild, text_arrays
from mlops_nb.pipeline.attachments import find_attachments
from mlops_nb.pipeline.payloads import load_payload, open_payload
from mlops_nb.pipeline.state import Component, State, narrow

if TYPE_CHECKING:
    from mlops_nb.pipeline.partition import Group, Memory


@dataclass(slots=True)
class Loaded:
    """What a kernel has taken over from the step before.

    Attributes
    ----------
    state
        The whole state, loaded or not.
    names
        Names that were loaded.
    given
        Values that were there before the step's first cell and that the step does not mention:
        imports and definitions that every step runs again.
    history
        What was typed before, where a cell reads it.
    """

    state: State = field(default_factory=State)
    names: set[str] = field(default_factory=set)
    given: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """What was written, and what could not be.

    Attributes
    ----------
    state
        After the step.
    unpicklable
        Names that cannot cross, each with the reason. A thread that still runs the notebook's
        code is listed as ``<thread NAME>``.
    changed
        Names that the step has made or changed.
    deleted
        Names that were loaded and are no more.
    """

    state: State
    unpicklable: dict[str, str]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Variables of the state."""
        owners = self.state.find_owners()
        return tuple(sorted(name for name in owners if not items.is_pseudo(name)))

    @property
    def size_bytes(self) -> int:
        """Size of all components."""
        return sum(part.size_bytes for part in self.state.components)

    @property
    def looked_up(self) -> frozenset[str]:
        """Names that functions in the state may look up."""
        return frozenset(name for part in self.state.components for name in part.looked_up)


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
    from mlops_nb.pipeline.partition import Nowhere, find_overlap
    from mlops_nb.pipeline.writing import pickle_values

    reasons: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    memory: list[Memory] = []
    for name in sorted(values):
        try:
            found = pickle_values({name: values[name]}, Nowhere(), namespace).memory
        except Exception as error:  # noqa: BLE001 - reductions run code of any library
            reasons[name] = _explain(error)
            continue
        memory.extend(found)
        for piece in found:
            owners.setdefault(piece[3], set()).add(name)
    while overlap := find_overlap(memory):
        culprits = {name for piece in overlap for name in owners[piece[3]]}
        for name in culprits:
            reasons[name] = "shares memory with " + ", ".join(sorted(culprits - {name}))
        gone = {owner for owner, users in owners.items() if users <= set(reasons)}
        memory = [piece for piece in memory if piece[3] not in gone]
    return reasons


class _Writer:
    """Writes groups of values as components."""

    def __init__(self, loaded: Loaded, namespace: dict[str, Any], folder: Path, key: bytes) -> None:
        self.namespace, self.folder, self.key = namespace, folder, key
        parts = {id(part): part for part in loaded.state.components}.values()
        self.known = {(part.digest, frozenset(part.names), part.runs): part for part in parts}
        self.reasons: dict[str, str] = {}

    def write(self, values: dict[str, Any], group: Group) -> Component | None:
        """Write one group; what cannot be written is left out and its reason kept."""
        if group.refused:
            self.reasons |= dict.fromkeys(values, group.refused)
            return None
        from mlops_nb.pipeline.digests import DigestPickler
        from mlops_nb.pipeline.writing import write_values

        while values:
            try:
                pickler = DigestPickler(self.namespace)
                digest = pickler.digest(values)
                runs = tuple(run for _, run in pickler.linked)
                known = self.known.get((digest, frozenset(values), runs))
                if known is not None:
                    return known
                part = write_values(values, self.namespace, self.folder, self.key, group.has_nans)
            except Exception as error:  # noqa: BLE001 - reductions run code of any library
                reasons = find_unpicklable(self.namespace, values)
                # Together they fail though each alone can cross: then none of them does.
                self.reasons |= reasons or dict.fromkeys(values, _explain(error))
                values = {k: v for k, v in values.items() if k not in self.reasons}
                continue
            return replace(part, digest=digest, runs=runs)
        return None


@text_arrays.remembered()
def dump_boundary(  # noqa: PLR0913 - all of it differs from step to step
    user_ns: dict[str, Any],
    loaded: Loaded,
    folder: Path,
    *,
    key: bytes,
    start: Mapping[str, Any],
    extra: Iterable[str] = (),
    patches: Iterable[str] = (),
    late: Collection[str] = (),
    execution_count: int = 1,
    history: Mapping[str, Any] | None = None,
    bound: Collection[str] = (),
) -> BoundaryReport:
    """Write what the notebook has made and changed since it was loaded.

    Parameters
    ----------
    user_ns
        The user namespace.
    loaded
        What came from before. Components that are as they were are not written again.
    folder
        Where the files of components go.
    key
        From `sealing.read_key`.
    start
        From `items.read_start`, when the kernel started.
    extra
        Names of the shell to carry as well, such as ``_oh``.
    patches
        Dotted paths of what the notebook has set on libraries.
    late
        Names that later steps define again; they are left out unless something shares their value.
    execution_count
        Number of the next cell.
    history
        From `history.collect`, where a cell reads it.
    bound
        Names that the next step binds anew by itself.

    Returns
    -------
    BoundaryReport
        Names that cannot be pickled are left out and listed with the reason.
    """
    from mlops_nb.pipeline.partition import partition

    own = items.list_own_names(user_ns)
    own = {n for n in own if n not in loaded.given or loaded.given[n] is not user_ns[n]}
    own |= set(user_ns) & set(extra)
    values = {n: v for n, v in user_ns.items() if n in own and v is not user_ns}
    values |= items.collect_patches(patches) | items.collect_modules()
    values |= items.collect_ambient(start)
    if history is not None:
        values[items.HISTORY] = history
    folder.mkdir(parents=True, exist_ok=True)
    writer = _Writer(loaded, user_ns, folder, key)
    written: list[Component] = []
    for group in partition(values, user_ns):
        if set(group.names) <= set(late):
            values = {k: v for k, v in values.items() if k not in group.names}
            continue
        part = writer.write({name: values[name] for name in sorted(group.names)}, group)
        if part is not None:
            written.append(part)
    modules = {n for n in writer.reasons if n.startswith(items.MODULE)}
    reasons = {n: r for n, r in writer.reasons.items() if n not in modules}
    # A lock or a connection of a local module: importing it makes a new one.
    state = _compose(loaded, written, values, reasons, user_ns, execution_count)
    gone = {name for name in (*bound, *loaded.state.deleted) if name not in user_ns}
    state = replace(state, deleted=tuple(sorted(gone)))
    old = loaded.state.find_owners()
    new = state.find_owners()
    changed = [n for n in values if n in new and not _is_same(old.get(n), new[n])]
    deleted = [n for n in loaded.names if n not in new and n not in reasons]
    reasons = reasons | find_attachments(user_ns)
    return BoundaryReport(state, reasons, tuple(changed), tuple(deleted))


def _is_same(old: Component | None, new: Component) -> bool:
    return old is not None and old.digest == new.digest


def _compose(
    loaded: Loaded,
    written: list[Component],
    values: Mapping[str, Any],
    reasons: Mapping[str, str],
    user_ns: dict[str, Any],
    execution_count: int,
) -> State:
    gone = loaded.names | set(values)
    carried = []
    for part in loaded.state.components:
        names = [name for name in part.names if name not in gone]
        if names:
            carried.append(narrow(part, names))
    brought = {name for part in [*carried, *written] for name in part.names}
    order = [name for name in loaded.state.order if name in brought]
    order += [name for name in values if name in brought and name not in loaded.state.order]
    absent = {k: v for k, v in loaded.state.absent.items() if k not in gone} | dict(reasons)
    selves = [name for name, value in user_ns.items() if value is user_ns]
    return State((*carried, *written), tuple(order), absent, tuple(sorted(selves)), execution_count)


def load_boundary(
    state: State,
    needed: Collection[str] | None,
    user_ns: dict[str, Any],
    folder: Path,
    *,
    key: bytes,
    loaded: Loaded | None = None,
) -> Loaded:
    """Continue in this process where another one has stopped.

    Parameters
    ----------
    state
        What there is.
    needed
        Names to load, or None for all. Whatever shares a value with one of them comes as well.
    user_ns
        The user namespace to fill.
    folder
        Where the files of components are.
    key
        From `sealing.read_key`.
    loaded
        From an earlier call in this process, whose names are left as they are now.

    Returns
    -------
    Loaded
        For `dump_boundary`.

    Raises
    ------
    CorruptObjectError
        A file was not written with this key, or was changed. Nothing of it was run.
    """
    before = loaded or Loaded(state)
    if loaded is None and needed is not None:
        before.given = {n: v for n, v in user_ns.items() if n not in needed}
    chosen = [
        part
        for part in state.components
        if not before.names.issuperset(part.names)
        and (needed is None or any(n in needed or items.is_pseudo(n) for n in part.names))
    ]
    payloads = [(part, open_payload(part, folder, key)) for part in chosen]
    found: dict[str, Any] = {}
    linked: list[tuple[Any, str]] = []
    first = sorted(payloads, key=lambda pair: items.PROCESS not in pair[0].names)
    with rebuild.loading_into(user_ns):
        for part, payload in first:
            values, links = load_payload(part, payload)
            if items.PROCESS in values and loaded is None:
                ambient.prepare_imports(values[items.PROCESS])
            found |= {name: values[name] for name in part.names}
            linked += links
    names = [name for name in state.order if name in found and not items.is_pseudo(name)]
    user_ns.update({name: found[name] for name in names})
    user_ns.update(dict.fromkeys(state.selves, user_ns))
    if loaded is None:
        for name in state.deleted:
            user_ns.pop(name, None)
    if loaded is None:
        items.restore_pseudo(found)
    if linked:
        from mlops_nb.tracking.links import link_object  # only where something was recorded

        for value, run_id in linked:
            link_object(value, run_id)
    before.names |= set(found)
    before.history = found.get(items.HISTORY, before.history)
    return before
