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
    """

    edges: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    needs: dict[str, dict[str, None]] = field(default_factory=dict)
    provides: dict[str, dict[str, None]] = field(default_factory=dict)


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

    def use(part: str, names: Iterable[str]) -> None:
        for name in sorted(names):
            owner = owners.get(name)
            if owner is None or owner == part:
                continue
            found.needs[part][name] = None
            if owner != PRELUDE:
                found.provides[owner][name] = None
                found.edges.setdefault((owner, part), {})[name] = None

    for part, _ in parts:
        found.needs[part], found.provides[part] = {}, {}
    for part, flows in parts:
        use(part, asked.get(part, ()))
        for flow in flows:
            use(part, flow.reads | flow.mutates | flow.may_mutate)
            changed = flow.writes | flow.maybe_writes | flow.mutates | flow.may_mutate
            hidden = set(flow.imports) | set(flow.functions)
            owners.update(dict.fromkeys(changed - hidden, part))
            for name in flow.deletes | hidden:
                owners.pop(name, None)
    return found
