"""The models that a run has trained, while they live: what can be registered of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_nb.errors import UnsafeModelError
from mlops_nb.registry.flavors import find_flavor
from mlops_nb.tracking import list_links


def find_models(run_id: str) -> list[Any]:
    """Give the models of a run that are still in this process, the outermost of each.

    Parameters
    ----------
    run_id
        The whole id.

    Returns
    -------
    list
        Objects of which the registry can keep a version. A module within another one of them, and
        what a wrapper wraps, is left out.
    """
    found = [value for value, linked in list_links() if linked == run_id and _is_model(value)]
    return [value for value in found if not _is_within(value, found)]


def _is_model(value: Any) -> bool:
    try:
        find_flavor(value)
    except UnsafeModelError:
        return False
    # A tensor is of torch too.
    return any(callable(getattr(value, name, None)) for name in ("modules", "fit"))


def _is_within(value: Any, others: Sequence[Any]) -> bool:
    for other in others:
        modules = getattr(other, "modules", None)
        if other is value or not callable(modules):
            continue
        if any(inner is value for inner in modules()):
            return True
    return False
