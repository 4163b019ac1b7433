"""All that is known of an estimator before its run begins, whatever the user's classes do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_nb.autolog.describe import describe_params, read_plain_params
from mlops_nb.autolog.generators import read_later, read_seeds
from mlops_nb.capture.numpystate import State
from mlops_nb.tracking.values import read_params


@dataclass(slots=True)
class Described:
    """What a run says of an estimator from its start.

    Attributes
    ----------
    params
        As they are kept.
    tags
        Which were changed, and what is drawn from, as far as it is digested.
    state
        Of NumPy's generator, yet to be digested.
    """

    params: dict[str, Any]
    tags: dict[str, object]
    state: State | None


def describe_estimator(estimator: Any) -> Described:
    """Read the parameters of an estimator and what random numbers it is going to draw from.

    Parameters
    ----------
    estimator
        Anything; a class of the user's that fails gives a tag in place of its parameters.

    Returns
    -------
    Described
        Holds nothing of the user's.
    """
    read = read_plain_params(estimator)
    if read is not None:
        tags, state = read_later(read)
        tags["params.changed"] = ", ".join(read.changed)
        return Described(read.params, tags, state)
    params: dict[str, Any] = {}
    tags = read_seeds()
    try:
        found, changed = describe_params(estimator)
        params = read_params(found)
        tags["params.changed"] = ", ".join(changed)
    except Exception as error:  # noqa: BLE001 - a class of the user's, and one run's matter
        tags["params.unknown"] = f"{type(error).__name__}: {read_message(error)}"
    return Described(params, tags, None)


def read_message(error: BaseException) -> str:
    """Give the text of an exception in one line; empty where asking for it raises."""
    try:
        return " ".join(str(error).split())[:500]
    except Exception:  # noqa: BLE001 - an exception's own text may raise
        return ""
