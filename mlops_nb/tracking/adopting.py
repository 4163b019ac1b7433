"""Runs started on behalf of another: for a thread what MLOPS_NB_PARENT_RUN is for a process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar


class Adoption:
    """What runs that are started here belong to.

    Parameters
    ----------
    parent_run_id
        Their parent, where they have none of their own.
    tags
        What they are tagged with then.

    Attributes
    ----------
    run_ids
        Those that were started, in order; another thread may read it meanwhile.
    """

    __slots__ = ("parent_run_id", "run_ids", "tags")

    def __init__(self, parent_run_id: str, tags: Mapping[str, str] | None = None) -> None:
        self.parent_run_id = parent_run_id
        self.tags: Mapping[str, str] = tags or {}
        self.run_ids: list[str] = []


_current: ContextVar[Adoption | None] = ContextVar("mlops_nb_adoption", default=None)


def current_adoption() -> Adoption | None:
    """Give what runs of this task or thread belong to, None where to nothing."""
    return _current.get()


@contextlib.contextmanager
def adopting(adoption: Adoption) -> Iterator[Adoption]:
    """Let every run that this task or thread starts, and that has no other parent, be a child.

    Parameters
    ----------
    adoption
        The parent and the tags.

    Yields
    ------
    Adoption
        The same; its list of runs grows.
    """
    token = _current.set(adoption)
    try:
        yield adoption
    finally:
        _current.reset(token)
