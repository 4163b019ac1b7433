"""Which step uses what another one leaves, told from what their cells read and write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_nb.notebook.dataflow import CellFlow

PRELUDE = ""


@dataclass(slots=True)
class Connections:
    """What passes between parts of a notebook.

    Attributes
    ----------
    edges
        Variables by the part that made or changed them last, and the part that uses them.
    needs, provides
        Variables by part: what it reads from before; what it makes or changes for a later one.
    code
        By part: those that define functions and classes, or import modules, that it uses.
    imports
        By part: names that it imports itself before it uses them, and that the whole notebook binds
        in no other way.
    """

    edges: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    needs: dict[str, dict[str, None]] = field(default_factory=dict)
    provides: dict[str, dict[str, None]] = field(default_factory=dict)
    code: dict[str, dict[str, None]] = field(default_factory=dict)
    imports: dict[str, frozenset[str]] = field(default_factory=dict)


def connect(
    parts: Sequence[tuple[str, Sequence[CellFlow]]], asked: Mapping[str, Iterable[str]]
) -> Connections:
    """Find what passes between parts of a notebook.

    Parameters
    ----------
    parts
        Name and cells of each, in the order in which they run; the first one is the prelude, whose
        name is empty.
    asked
        Variables that decide whether a part runs, by its name.

    Returns
    -------
    Connections
        What the prelude makes is needed, but no edge.
    """
    found = Connections()
    owners: dict[str, str] = {}  # who made or changed a variable last
    definers: dict[str, str] = {}  # who defined or imported a name last

    def use(part: str, names: Iterable[str]) -> None:
        for name in sorted(names):
            if definers.get(name, PRELUDE) not in {part, PRELUDE}:
                found.code[part][definers[name]] = None
            owner = owners.get(name)
            if owner is None or owner == part:
                continue
            found.needs[part][name] = None
            if owner != PRELUDE:
                found.provides[owner][name] = None
                found.edges.setdefault((owner, part), {})[name] = None

    for part, _ in parts:
        found.needs[part], found.provides[part], found.code[part] = {}, {}, {}
    for part, flows in parts:
        use(part, asked.get(part, ()))
        for flow in flows:
            use(part, flow.reads | flow.mutates | flow.may_mutate)
            changed = flow.writes | flow.maybe_writes | flow.mutates | flow.may_mutate
            hidden = set(flow.imports) | set(flow.functions)
            owners.update(dict.fromkeys(changed - hidden, part))
            for name in flow.deletes | hidden:
                owners.pop(name, None)
            for name in changed | flow.deletes:
                definers.pop(name, None)
            definers.update(dict.fromkeys(hidden, part))
    found.imports = _find_own_imports(parts)
    return found


def _find_own_imports(
    parts: Sequence[tuple[str, Sequence[CellFlow]]],
) -> dict[str, frozenset[str]]:
    """Find what parts import themselves: nobody can tell whether another one has done so too."""
    paths: dict[str, set[str]] = {}
    if any(flow.is_opaque for _, flows in parts for flow in flows):
        return {}
    for _, flows in parts:
        for flow in flows:
            bound = flow.writes | flow.maybe_writes | flow.deletes | flow.maybe_deletes
            for name in bound | flow.mutates | flow.may_mutate:
                is_import = name in flow.only_imports and name not in flow.mutates
                paths.setdefault(name, set()).add(flow.imports[name] if is_import else "")
    plain = {name for name, found in paths.items() if len(found) == 1 and "" not in found}
    own = {}
    for part, flows in parts:
        bound_here: set[str] = set()
        needed: set[str] = set()
        for flow in flows:
            needed |= flow.reads - bound_here
            bound_here |= flow.writes
        own[part] = frozenset(bound_here & plain - needed)
    return own
