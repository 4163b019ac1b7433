"""Gates: what a run's metrics must be for the run to pass, such as ``acc>=0.9``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mlops_nb.errors import InvalidValueError, near_misses
from mlops_nb.records import GateResult

_FORM = re.compile(r"\s*(?P<metric>.*?\S)\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<bound>\S+)\s*")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition on one metric."""

    metric: str
    sign: str
    bound: float

    def __str__(self) -> str:
        """Give the condition as it is typed."""
        return f"{self.metric}{self.sign}{self.bound:g}"


def read_gates(texts: Iterable[str]) -> tuple[Gate, ...]:
    """Read conditions as they are typed.

    Parameters
    ----------
    texts
        Each ``METRIC SIGN NUMBER``; a sign is ``>=``, ``<=``, ``>``, ``<``, ``==`` or ``!=``.

    Returns
    -------
    tuple of Gate
        In the order given.

    Raises
    ------
    InvalidValueError
        A text is not of that form.
    """
    return tuple(_read_gate(text) for text in texts)


def _read_gate(text: str) -> Gate:
    found = _FORM.fullmatch(text)
    try:
        bound = float(found["bound"]) if found else float("nan")
    except ValueError:
        bound = float("nan")
    if found is None or bound != bound:  # noqa: PLR0124 - no comparison with NaN can hold
        raise InvalidValueError(
            "a gate", text, "METRIC, one of >= <= > < == !=, and a number", "For example: acc>=0.9"
        )
    return Gate(found["metric"], found["sign"], bound)


def check_gates(gates: Iterable[Gate], metrics: Mapping[str, float]) -> tuple[GateResult, ...]:
    """Check a run's metrics.

    Parameters
    ----------
    gates
        The conditions.
    metrics
        Last value of each metric.

    Returns
    -------
    tuple of GateResult
        A metric that was not logged, or is NaN, does not pass.
    """
    return tuple(_check(gate, metrics) for gate in gates)


def _check(gate: Gate, metrics: Mapping[str, float]) -> GateResult:
    if gate.metric not in metrics:
        near = near_misses(gate.metric, metrics)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        return GateResult(str(gate), None, False, f"no metric {gate.metric!r} was logged{meant}")
    value = metrics[gate.metric]
    passed = value == value and _SIGNS[gate.sign](value, gate.bound)  # noqa: PLR0124 - NaN
    return GateResult(str(gate), value, passed, "" if passed else f"{gate.metric} is {value:g}")
