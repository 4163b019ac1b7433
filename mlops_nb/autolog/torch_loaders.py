"""Epochs and batches, as the iterators of data loaders tell them; nothing is done per batch."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from types import FrameType, SimpleNamespace
from typing import Any

from mlops_nb.autolog.frames import read_locals

_MOST_PASSES = 16


@dataclass(eq=False, slots=True)
class Pass:
    """One pass over a loader; keeps neither the iterator nor the loader alive."""

    iterator: weakref.ref[Any]
    loader: weakref.ref[Any]
    begun_ns: int
    is_persistent: bool
    seen: int = 0
    is_counted: bool = False


def open_pass(passes: list[Pass], frame: FrameType, now_ns: int) -> None:
    """Note that a loader's iterator is being made.

    Parameters
    ----------
    passes
        Of this thread, oldest first; those whose iterator is gone are dropped.
    frame
        The iterator's ``__init__``.
    now_ns
        The time.
    """
    values = read_locals(frame)
    iterator, loader = values.get("self"), values.get("loader")
    if iterator is None or loader is None:
        return
    passes[:] = [each for each in passes[1 - _MOST_PASSES :] if each.iterator() is not None]
    is_persistent = bool(getattr(loader, "persistent_workers", False))
    passes.append(Pass(weakref.ref(iterator), weakref.ref(loader), now_ns, is_persistent))


def find_pass(passes: list[Pass]) -> tuple[Pass, int] | None:
    """Find the pass that feeds the step being made, and how many batches it has given.

    Parameters
    ----------
    passes
        Of this thread; those that are over are dropped.

    Returns
    -------
    tuple or None
        The newest pass that still goes on.
    """
    for each in list(reversed(passes)):
        iterator = each.iterator()
        batches = -1 if iterator is None else iterator._num_yielded  # noqa: SLF001 - the count
        # Workers that stay on keep their iterator when the pass is over.
        is_kept = each.is_persistent and not each.is_counted and batches > 1
        if iterator is None or (is_kept and _is_over(iterator, batches)):
            passes.remove(each)
        elif batches > 0:
            return each, batches  # else made, and not asked for a batch yet
    return None


def find_loader(found: Pass) -> Any:
    """Give the loader of a pass, or what its iterator knows of one that nobody holds any more.

    Parameters
    ----------
    found
        A pass that goes on.

    Returns
    -------
    object or None
        With the fields of a loader that are read here.
    """
    loader, iterator = found.loader(), found.iterator()
    sampler = getattr(iterator, "_index_sampler", None)
    if loader is not None or sampler is None:
        return loader
    return SimpleNamespace(
        dataset=getattr(iterator, "_dataset", None),
        num_workers=getattr(iterator, "_num_workers", 0),
        batch_size=getattr(sampler, "batch_size", None),
        batch_sampler=sampler,
        sampler=getattr(sampler, "sampler", sampler),
    )


def _is_over(iterator: Any, batches: int) -> bool:
    try:
        return bool(batches >= len(iterator))
    except TypeError:
        return False


def read_size(loader: Any) -> tuple[int | None, int | None]:
    """Give the size of a loader's batches, and the most samples that one pass can have.

    Parameters
    ----------
    loader
        A ``DataLoader``, or None where it is gone.
    """
    if loader is None:
        return None, None
    size = loader.batch_size
    if size is None:
        size = getattr(loader.batch_sampler, "batch_size", None)
    most = None
    if type(size) is int and type(loader.sampler).__module__.startswith("torch."):
        try:
            most = len(loader.sampler)
        except (TypeError, NotImplementedError):
            most = None  # data that only flow have no length
    return (size if type(size) is int else None), most
