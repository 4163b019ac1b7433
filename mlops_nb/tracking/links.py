"""Which run made which object: a fitted model names its run without carrying anything of ours."""

from __future__ import annotations

import weakref
from typing import Any

# By identity, because equal objects may come from different runs; the reference is weak, so that an
# object lives exactly as long as its user wants, and tells when its identity is free again.
_links: dict[int, tuple[weakref.ref[Any], str]] = {}


def link_object(value: Any, run_id: str) -> bool:
    """Remember which run made an object; a later run takes its place.

    Parameters
    ----------
    value
        A fitted model, for example. It is not kept alive and not changed.
    run_id
        The run that made it.

    Returns
    -------
    bool
        False where Python allows no weak reference to it.
    """
    identity = id(value)

    def forget(reference: weakref.ref[Any]) -> None:
        known = _links.get(identity)
        if known is not None and known[0] is reference:
            del _links[identity]

    try:
        _links[identity] = (weakref.ref(value, forget), run_id)
    except TypeError:
        return False
    return True


def find_run_of(value: Any) -> str | None:
    """Give the run that made an object, None where it is not known."""
    known = _links.get(id(value))
    return known[1] if known is not None and known[0]() is value else None


def list_links() -> list[tuple[Any, str]]:
    """Give every living object whose run is known, with its run; strong references, so be brief."""
    found = [(reference(), run_id) for reference, run_id in list(_links.values())]
    return [(value, run_id) for value, run_id in found if value is not None]
