"""What a notebook has made so far, as components that share nothing: a manifest of signed files."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_VERSION = 3


@dataclass(frozen=True, slots=True)
class Component:
    """Names whose values share something, in one signed file.

    Attributes
    ----------
    names
        What it brings.
    digest
        Of the values: the same in every process.
    file
        Name of the file, the digest of its bytes with an ending; empty where there is none.
    inline
        The signed pickle where there is no file, else the signed layout of the file.
    looked_up
        Names that functions in it look up when they are called.
    runs
        Runs that objects in it belong to.
    has_nans
        NaNs in it are written as the objects that they are.
    format
        Of the file: ``pickle``, ``npy``, ``arrow`` or ``safetensors``.
    """

    names: tuple[str, ...]
    digest: str
    size_bytes: int
    file: str = ""
    inline: bytes = b""
    looked_up: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    has_nans: bool = False
    format: str = "pickle"


@dataclass(frozen=True, slots=True)
class State:
    """The values of a notebook between two steps.

    Attributes
    ----------
    components
        Every name in one of them.
    order
        Names in the order in which they were made.
    absent
        Names that could not be written, each with the reason.
    selves
        Names of the namespace itself.
    execution_count
        Number of the next cell.
    deleted
        Names that every step defines again and that the notebook has deleted.
    """

    components: tuple[Component, ...] = ()
    order: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    selves: tuple[str, ...] = ()
    execution_count: int = 1
    deleted: tuple[str, ...] = ()

    def find_owners(self) -> dict[str, Component]:
        """Give the component of each name.

        Returns
        -------
        dict
            By name.
        """
        return {name: part for part in self.components for name in part.names}

    def to_json(self) -> dict[str, Any]:
        """Give the manifest as JSON types.

        Returns
        -------
        dict
            What `read_state` takes.
        """
        return {
            "version": _VERSION,
            "components": [
                {
                    "names": part.names,
                    "digest": part.digest,
                    "size_bytes": part.size_bytes,
                    "file": part.file,
                    "inline": base64.b64encode(part.inline).decode(),
                    "looked_up": part.looked_up,
                    "runs": part.runs,
                    "has_nans": part.has_nans,
                    "format": part.format,
                }
                for part in self.components
            ],
            "order": self.order,
            "absent": dict(self.absent),
            "selves": self.selves,
            "execution_count": self.execution_count,
            "deleted": self.deleted,
        }


def read_state(document: Mapping[str, Any]) -> State:
    """Read a manifest.

    Parameters
    ----------
    document
        From `State.to_json`.

    Returns
    -------
    State
        Nothing of its values is loaded.
    """
    return State(
        tuple(
            Component(
                tuple(part["names"]),
                part["digest"],
                part["size_bytes"],
                part["file"],
                base64.b64decode(part["inline"]),
                tuple(part["looked_up"]),
                tuple(part["runs"]),
                part["has_nans"],
                part.get("format", "pickle"),  # version 2 had no other
            )
            for part in document["components"]
        ),
        tuple(document["order"]),
        document["absent"],
        tuple(document["selves"]),
        document["execution_count"],
        tuple(document["deleted"]),
    )


def merge_states(base: State, before: State, after: State) -> State:
    """Apply what one step has changed to a state that other steps have changed meanwhile.

    Parameters
    ----------
    base
        The state to change.
    before, after
        Of the step.

    Returns
    -------
    State
        Names that the step did not touch stay as they are in `base`.
    """
    if base == before:
        return after
    old, new, current = before.find_owners(), after.find_owners(), base.find_owners()
    touched = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    touched |= {name for name in before.absent if name not in after.absent}
    touched |= {name for name in after.absent if name not in before.absent}
    owners = {name: part for name, part in current.items() if name not in touched}
    owners |= {name: new[name] for name in touched if name in new}
    kept: dict[int, tuple[Component, list[str]]] = {}
    for name, part in owners.items():
        kept.setdefault(id(part), (part, []))[1].append(name)
    absent = {k: v for k, v in base.absent.items() if k not in touched}
    absent |= {k: v for k, v in after.absent.items() if k in touched}
    order = [name for name in base.order if name in owners]
    order += [name for name in after.order if name in owners and name not in set(order)]
    return State(
        tuple(narrow(part, names) for part, names in kept.values()),
        tuple(order),
        absent,
        tuple(dict.fromkeys([*base.selves, *after.selves])),
        max(base.execution_count, after.execution_count),
        tuple(sorted((set(base.deleted) | set(after.deleted)) - set(owners))),
    )


def narrow(part: Component, names: Iterable[str]) -> Component:
    """Give a component that brings fewer of its names.

    Parameters
    ----------
    part
        The component.
    names
        Names that are still wanted.

    Returns
    -------
    Component
        The same file.
    """
    wanted = set(names)
    kept = tuple(name for name in part.names if name in wanted)
    if kept == part.names:
        return part
    return replace(part, names=kept)
