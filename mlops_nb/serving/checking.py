"""Values of a request against the signature: typed columns, or the field that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from mlops_nb.errors import RequestError, near_misses
from mlops_nb.records import FieldSignature, Signature
from mlops_nb.serving.decoding import Rows, show_value

_MAX_WARNINGS = 20
_NUMBERS = ("float", "int", "uint")


@dataclass(frozen=True, slots=True)
class CheckedInputs:
    """Inputs that fit the signature.

    Attributes
    ----------
    matrix
        All values as one array of floats, where every input is of one float type.
    columns
        Else one array or list per input.
    warnings
        Values that were accepted though training saw none like them.
    """

    matrix: Any
    columns: list[Any]
    warnings: list[str]


class InputChecker:
    """Check rows against a signature.

    Parameters
    ----------
    signature
        What the model takes.
    """

    def __init__(self, signature: Signature) -> None:
        import numpy as np

        self.fields = signature.inputs
        kinds = {field.dtype for field in self.fields}
        one = next(iter(kinds)) if len(kinds) == 1 else ""
        self.float_type = one if one.startswith("float") else ""
        limits = [(field.minimum, field.maximum) for field in self.fields]
        self._low = np.array([-np.inf if low is None else low for low, _ in limits])
        self._high = np.array([np.inf if high is None else high for _, high in limits])

    def check(self, given: Rows) -> CheckedInputs:
        """Check all values of a request.

        Parameters
        ----------
        given
            The rows.

        Returns
        -------
        CheckedInputs
            The values in the types of training.

        Raises
        ------
        RequestError
            A value is not of its field's type; the message names the field and the row.
        """
        matrix = self._make_matrix(given.rows) if self.float_type else None
        warnings: list[str] = []
        columns: list[Any] = []
        if matrix is None:
            for column, field in enumerate(self.fields):
                values = [row[column] for row in given.rows]
                place = _Place(field, column, given.locate)
                columns.append(_check_column(values, place, warnings))
        elif ((matrix < self._low) | (matrix > self._high)).any():
            self._warn_of_range(matrix, given.locate, warnings)
        if given.fault is not None:  # every value is fine, yet the text is not JSON
            raise given.fault
        if self.float_type and matrix is None:  # only a gap kept the quick way from working
            import numpy as np

            matrix = np.column_stack(columns)
        if len(warnings) > _MAX_WARNINGS:
            warnings[_MAX_WARNINGS:] = [f"and {len(warnings) - _MAX_WARNINGS} more"]
        return CheckedInputs(matrix, columns, warnings)

    def _make_matrix(self, rows: list[list[Any]]) -> Any:
        """Make one array of plain finite numbers; None where a value needs a closer look."""
        import numpy as np

        if not set(map(type, chain.from_iterable(rows))) <= {int, float}:
            return None
        try:
            with np.errstate(over="ignore"):  # float32 of a large number is found below
                matrix = np.array(rows, dtype=self.float_type)
        except OverflowError:
            return None
        return matrix if np.isfinite(matrix).all() else None

    def _warn_of_range(
        self, matrix: Any, locate: Callable[[int, int], str], warnings: list[str]
    ) -> None:
        import numpy as np

        for row, column in np.argwhere((matrix < self._low) | (matrix > self._high)).tolist():
            place = _Place(self.fields[column], column, locate)
            warnings.append(place.describe_range(row, float(matrix[row, column])))


@dataclass(frozen=True, slots=True)
class _Place:
    """One field and where its values stand in the request."""

    field: FieldSignature
    column: int
    locate: Callable[[int, int], str]

    def refuse(self, row: int, value: Any, hint: str = "") -> RequestError:
        """Make the error for a value of another type."""
        expected = self.field.dtype.removeprefix("category:")
        if self.field.nullable:
            expected += " or null"
        found = f"expected {expected}, got {show_value(value)}"
        return RequestError(self.locate(row, self.column), found, hint)

    def describe_range(self, row: int, value: Any) -> str:
        """Say that a number lies outside of what training saw."""
        low, high = self.field.minimum, self.field.maximum
        where = self.locate(row, self.column)
        return f"{where}: {value} is outside the training range {low} to {high}"


def _check_column(values: list[Any], place: _Place, warnings: list[str]) -> Any:
    """Check one column and give it in the type of training."""
    dtype = place.field.dtype
    if not place.field.nullable and None in values:
        raise place.refuse(values.index(None), None)
    if dtype.startswith("category"):
        return _check_category(values, place)
    if dtype.startswith(_NUMBERS):
        return _check_numbers(values, place, warnings)
    if dtype == "datetime":
        return [_check_time(value, row, place) for row, value in enumerate(values)]
    allowed: tuple[type, ...] = {"bool": (bool,), "any": (str, int, float, bool)}.get(dtype, (str,))
    for row, value in enumerate(values):
        if value is not None and type(value) not in allowed:
            raise place.refuse(row, value)
        if isinstance(value, float) and value - value != 0:  # NaN or infinite
            raise place.refuse(row, value)
    known = place.field.categories
    if dtype == "string" and known is not None:
        seen = set(known)
        for row, value in enumerate(values):
            if value is not None and value not in seen:
                where = place.locate(row, place.column)
                warnings.append(f"{where}: {show_value(value)} was not seen in training")
    return values


def _check_numbers(values: list[Any], place: _Place, warnings: list[str]) -> Any:
    import numpy as np

    dtype = np.dtype(place.field.dtype)
    whole = dtype.kind != "f"
    least, most = _find_limits(dtype)
    low, high = place.field.minimum, place.field.maximum
    for row, value in enumerate(values):
        if value is None:
            continue
        # NaN and infinities lie between no limits; True is an int to Python, not to us
        if type(value) not in (int, float) or not least <= value <= most:
            raise place.refuse(row, value)
        if whole and value != int(value):
            raise place.refuse(row, value)
        if (low is not None and value < low) or (high is not None and value > high):
            warnings.append(place.describe_range(row, value))
    if None in values:  # a gap is NaN, for which integers have no room
        dtype = dtype if dtype.kind == "f" else np.dtype("float64")
        values = [float("nan") if value is None else value for value in values]
    return np.array(values, dtype=dtype)


def _find_limits(dtype: Any) -> tuple[float, float]:
    import numpy as np

    if dtype.kind == "f":
        most = float(np.finfo(dtype).max)
        return -most, most
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _check_time(value: Any, row: int, place: _Place) -> Any:
    if value is None:
        return None
    hint = "Send ISO 8601 without an offset, such as 2026-11-21T09:30:00."
    if not isinstance(value, str):
        raise place.refuse(row, value, hint)
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise place.refuse(row, value, hint) from None
    if time.tzinfo is not None:
        raise place.refuse(row, value, hint)
    return time


def _check_category(values: list[Any], place: _Place) -> Any:
    """Check categories, which have no room for others: pandas would make gaps of them."""
    import pandas as pd

    known = place.field.categories or ()
    typed = {name: _read_category(name, place.field.dtype) for name in known}
    kinds = {type(each) for each in typed.values()} or {str}
    for row, value in enumerate(values):
        if value is None:
            continue
        if type(value) not in kinds:
            raise place.refuse(row, value)
        if str(value) not in typed:
            near = near_misses(str(value), known) or known[:5]
            hint = f"Known: {', '.join(map(repr, near))}"
            where = place.locate(row, place.column)
            raise RequestError(where, f"{show_value(value)} is no category of training", hint)
    return pd.Categorical(values, categories=list(typed.values()))


def _read_category(name: str, dtype: str) -> Any:
    inner = dtype.partition(":")[2]
    if inner == "bool":
        return name == "True"
    if inner.startswith("float"):
        return float(name)
    return int(name) if inner.startswith(_NUMBERS) else name
