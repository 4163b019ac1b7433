"""Whether a run gave the same again, as frozen records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from mlops_nb.records.runs import format_time

ReproductionStatus = Literal["same", "differs", "could not run"]
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class RunDifference:
    """One thing that a run and its reproduction do not share; None where a side has none.

    Attributes
    ----------
    group
        ``input``, ``status``, ``data``, ``param``, ``metric``, ``model``, ``run``; of what they
        ran in, ``packages``, ``python``, ``threads``, ``machine``, ``variables``, ``code`` ...
    key
        Which one.
    """

    group: str
    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Give it as one line."""
        return f"{self.group} {self.key}: {_shorten(self.before)} -> {_shorten(self.after)}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The verdict on a run that was made again from what the store keeps.

    Attributes
    ----------
    run_id
        The run that was to be reproduced.
    status
        ``same``: all that was compared is the same. ``differs``: something is not.
        ``could not run``: nothing was compared, for `reason`.
    at
        When the verdict was given, in seconds since the epoch.
    differences
        Between the runs, the most telling first; their inputs come before their results.
    surroundings
        Differences between what they ran in; they are told whatever the verdict is.
    unchecked
        What could not be checked, in words: an auditor must not take it for checked.
    remarks
        What else is worth knowing.
    new_run_id
        The run that was recorded now; None where none was.
    command
        What makes the environment that the run had, where it was another.
    """

    run_id: str
    name: str
    status: ReproductionStatus
    at: float
    reason: str = ""
    differences: tuple[RunDifference, ...] = ()
    surroundings: tuple[RunDifference, ...] = ()
    unchecked: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    new_run_id: str | None = None
    command: str = ""
    duration_s: float = 0.0

    def __str__(self) -> str:
        """Give the verdict as one line."""
        if self.status == "could not run":
            return f"could not run: {self.reason}"
        if self.status == "differs":
            return f"differs: {self.differences[0]}"
        if not self.unchecked:
            return "same"
        more = len(self.unchecked) - 1
        rest = f" (and {more} more)" if more else ""
        return f"same, but not checked: {self.unchecked[0]}{rest}"

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types; the time is an ISO 8601 string in UTC.

        Returns
        -------
        dict
            Every field of the record, and ``verdict``.
        """
        return {**asdict(self), "at": format_time(self.at), "verdict": str(self)}


def _shorten(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
