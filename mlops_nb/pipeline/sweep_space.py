"""The space that a sweep searches: words such as ``C=log:0.01:10`` read as typed dimensions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_nb.errors import ParameterError, UsageError, near_misses
from mlops_nb.notebook.giving import coerce, resolve_parameters
from mlops_nb.notebook.parameters import Parameter
from mlops_nb.pipeline.sweep_words import split_list

KINDS = ("log", "lin", "int", "logint", "list")
LARGEST_GRID = 100_000
_FORMS = (
    "log:LOW:HIGH, lin:LOW:HIGH or LOW:HIGH (floats), int:LOW:HIGH[:STEP], logint:LOW:HIGH, "
    "or values divided by commas"
)
_FLOAT = re.compile(r"[+-]?(\d+(_?\d+)*)?\.?\d*([eE][+-]?\d+)?")
_INT = re.compile(r"[+-]?\d+(_\d+)*")


@dataclass(frozen=True, slots=True)
class Choice:
    """A dimension that has these values and no others.

    Attributes
    ----------
    values
        As the notebook's parameter takes them.
    is_ordered
        Whether neighbours are alike, as points of a range are.
    """

    name: str
    values: tuple[Any, ...]
    is_ordered: bool = False

    @property
    def size(self) -> int:
        """How many values it has."""
        return len(self.values)

    @property
    def is_log(self) -> bool:
        """Whether its values are spread by their logarithm."""
        return False

    def at(self, place: int) -> Any:
        """Give the value at a place from 0."""
        return self.values[place]


@dataclass(frozen=True, slots=True)
class FloatRange:
    """Every float from low to high, both included."""

    name: str
    low: float
    high: float
    is_log: bool = False

    @property
    def size(self) -> None:
        """There is no counting them."""
        return


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from low to high, both included, so many apart."""

    name: str
    low: int
    high: int
    step: int = 1
    is_log: bool = False

    @property
    def size(self) -> int:
        """How many values it has."""
        return (self.high - self.low) // self.step + 1

    def at(self, place: int) -> int:
        """Give the value at a place from 0."""
        return self.low + place * self.step


Dimension = Choice | FloatRange | IntRange


def read_space(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Read what a sweep shall search.

    Parameters
    ----------
    parameters
        The notebook's declarations; they say of what type values are.
    given
        By parameter: text as in ``C=log:0.01:10``, or a list, tuple or ``range`` of values.

    Returns
    -------
    tuple of Dimension
        In the order given.

    Raises
    ------
    ParameterNotFoundError
        The notebook declares no such parameter; near misses are named.
    ParameterError
        A range or value has the wrong form or type.
    """
    declared = {parameter.name: parameter for parameter in parameters}
    # One look at all names first: a slip in the last one is told before the first is judged.
    unknown = {name: None for name in given if name not in declared}
    resolve_parameters(parameters, unknown)
    return tuple(_read_dimension(declared[name], value) for name, value in given.items())


def read_words(words: Iterable[str], command: str = "mlops-nb sweep") -> dict[str, str]:
    """Split the words of a command line.

    Parameters
    ----------
    words
        Each of the form ``name=range``.
    command
        Named in errors.

    Returns
    -------
    dict
        Text by name.

    Raises
    ------
    UsageError
        A word has another form, or a name is given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, separator, text = word.partition("=")
        name = name.strip()
        if not separator or not name:
            hint = "For example: C=log:0.01:10 kernel=rbf,linear depth=int:2:8"
            raise UsageError(command, f"{word!r} is not of the form NAME=RANGE", hint)
        if name in found:
            raise UsageError(command, f"parameter {name!r} is given twice")
        found[name] = text
    return found


def count_points(space: Sequence[Dimension]) -> int | None:
    """Count the points of a space, None where there is no counting them."""
    sizes = [dimension.size for dimension in space]
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def _read_dimension(parameter: Parameter, value: Any) -> Dimension:
    if isinstance(value, range):
        if not value:
            raise _refuse(parameter, value, "a range that is not empty")
        ordered = value if value.step > 0 else value[::-1]
        return _make_ints(parameter, value, ordered[0], ordered[-1], ordered.step)
    if isinstance(value, list | tuple):
        return _make_choice(parameter, value, list(value))
    if not isinstance(value, str):
        return _make_choice(parameter, value, [value])
    kind, parts = _find_kind(parameter, value)
    if kind == "list":
        return _make_choice(parameter, value, parts)
    if kind in ("int", "logint"):
        return _read_ints(parameter, value, kind, parts)
    return _read_floats(parameter, value, kind, parts)


def _find_kind(parameter: Parameter, text: str) -> tuple[str, list[str]]:
    """Tell a range from a list of values."""
    head, *rest = text.split(":")
    if head in KINDS and rest:
        if head == "list":
            return "list", split_list(text.partition(":")[2])
        return head, rest
    numbers = [part for part in rest if _is_number(part)]
    if head.isalpha() and len(rest) >= 2 and len(numbers) == len(rest):
        near = near_misses(head, KINDS)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise _refuse(parameter, text, _FORMS, f"There is no kind of range {head!r}.{meant}")
    is_text = isinstance(parameter.default, str) or "str" in (parameter.annotation or "")
    if rest and _is_number(head) and len(numbers) == len(rest) and not is_text:
        return "lin", [head, *rest]
    return "list", split_list(text)


def _is_number(text: str) -> bool:
    stripped = text.strip().lower().lstrip("+-")
    if stripped in ("inf", "infinity", "nan"):
        return True
    return any(char.isdigit() for char in stripped) and _FLOAT.fullmatch(text.strip()) is not None


def _read_floats(parameter: Parameter, text: str, kind: str, parts: list[str]) -> Dimension:
    form = f"{kind}:LOW:HIGH[:POINTS]"
    if len(parts) not in (2, 3) or not all(_is_number(part) for part in parts[:2]):
        raise _refuse(parameter, text, f"{form} with numbers")
    low, high = float(parts[0]), float(parts[1])
    is_log = kind == "log"
    if not (math.isfinite(low) and math.isfinite(high)):
        raise _refuse(parameter, text, "bounds that are finite")
    if is_log and low <= 0:
        raise _refuse(parameter, text, "a lower bound above 0, as logarithms need")
    if low >= high:
        raise _refuse(parameter, text, "a lower bound below the upper one")
    for bound in (low, high):
        try:
            coerce(parameter, bound)
        except ParameterError as error:
            hint = error.hint
            if low.is_integer() and high.is_integer():
                word = "logint" if is_log else "int"
                hint = f"For whole numbers: {parameter.name}={word}:{int(low)}:{int(high)}"
            raise _refuse(parameter, text, error.expected, hint) from None
    if len(parts) == 2:
        return FloatRange(parameter.name, low, high, is_log)
    if not _INT.fullmatch(parts[2].strip()) or not 2 <= int(parts[2]) <= LARGEST_GRID:
        raise _refuse(parameter, text, f"{form} with 2 points or more")
    points = _spread(low, high, int(parts[2]), is_log)
    return Choice(parameter.name, points, is_ordered=True)


def _spread(low: float, high: float, count: int, is_log: bool) -> tuple[float, ...]:
    """Give points at equal distances; the bounds are exact."""
    inner = range(1, count - 1)
    if is_log:
        ratio = math.log(high / low)
        middle = [low * math.exp(ratio * place / (count - 1)) for place in inner]
    else:
        middle = [low + (high - low) * place / (count - 1) for place in inner]
    return (low, *middle, high)


def _read_ints(parameter: Parameter, text: str, kind: str, parts: list[str]) -> IntRange:
    form = "logint:LOW:HIGH" if kind == "logint" else "int:LOW:HIGH[:STEP]"
    most = 2 if kind == "logint" else 3
    if not 2 <= len(parts) <= most or not all(_INT.fullmatch(part.strip()) for part in parts):
        raise _refuse(parameter, text, f"{form} with whole numbers")
    low, high, *step = (int(part) for part in parts)
    if kind == "logint" and low < 1:
        raise _refuse(parameter, text, "a lower bound of 1 or more, as logarithms need")
    if low >= high:
        raise _refuse(parameter, text, "a lower bound below the upper one")
    if step and step[0] < 1:
        raise _refuse(parameter, text, "a step of 1 or more")
    return _make_ints(parameter, text, low, high, *step, is_log=kind == "logint")


def _make_ints(
    parameter: Parameter, given: Any, low: int, high: int, step: int = 1, *, is_log: bool = False
) -> IntRange:
    for bound in (low, high):
        try:
            coerce(parameter, bound)
        except ParameterError as error:
            raise _refuse(parameter, given, error.expected, error.hint) from None
    # The last value that is reached: the bound itself may lie between two steps.
    return IntRange(parameter.name, low, low + (high - low) // step * step, step, is_log)


def _make_choice(parameter: Parameter, given: Any, items: Sequence[Any]) -> Choice:
    if not items or any(isinstance(item, str) and not item.strip() for item in items):
        raise _refuse(parameter, given, "values divided by commas, none of them empty")
    values: list[Any] = []
    for item in items:
        value = coerce(parameter, item.strip() if isinstance(item, str) else item)
        if any(repr(value) == repr(known) for known in values):
            raise _refuse(parameter, given, f"every value once; {value!r} stands there twice")
        values.append(value)
    return Choice(parameter.name, tuple(values))


def _refuse(parameter: Parameter, given: Any, expected: str, hint: str = "") -> ParameterError:
    return ParameterError(f"the range of parameter {parameter.name!r}", given, expected, hint)
