"""Which run made which object: a fitted model names its run without carrying anything of ours."""

from __future__ import annotations

import weakref
from typing import Any

from mlops_nb.capture.kinds import identify

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
    identity = identify(value)

    try:
        reference = weakref.ref(value, lambda gone: unlink(gone, identity))
    except TypeError:
        return False
    link_reference(reference, identity, run_id)
    return True


def link_reference(reference: weakref.ref[Any], identity: int, run_id: str) -> None:
    """Remember which run made an object that somebody refers to already; see `link_object`.

    Parameters
    ----------
    reference
        To the object; who made it calls `unlink` when the object is gone.
    identity
        The object's, as `identify` gives it.
    run_id
        The run that made it.
    """
    _links[identity] = (reference, run_id)


def unlink(reference: weakref.ref[Any], identity: int) -> None:
    """Forget an object that is gone."""
    known = _links.get(identity)
    if known is not None and known[0] is reference:
        del _links[identity]


def find_run_of(value: Any) -> str | None:
    """Give the run that made an object, None where it is not known."""
    known = _links.get(identify(value))
    return known[1] if known is not None and known[0]() is value else None


def list_links() -> list[tuple[Any, str]]:
    """Give every living object whose run is known, with its run; strong references, so be brief."""
    found = [(reference(), run_id) for reference, run_id in list(_links.values())]
    return [(value, run_id) for value, run_id in found if value is not None]
