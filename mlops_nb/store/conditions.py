"""Single conditions on runs as parameterised SQL, with nothing left for a database to guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.store.dialect import Words, to_key, to_text

ATTRIBUTES = {
    "run_id": "run.run_id",
    "name": "run.name",
    "run_name": "run.name",
    "experiment": "run.experiment",
    "experiment_id": "run.experiment",
    "status": "run.status",
    "started_at": "run.started_at",
    "start_time": "run.started_at * 1000",
    "ended_at": "run.ended_at",
    "end_time": "run.ended_at * 1000",
    "duration_s": "(run.ended_at - run.started_at)",
    "notebook": "run.notebook",
    "parent_run_id": "run.parent_run_id",
}
_NUMBERS = {"started_at", "start_time", "ended_at", "end_time", "duration_s"}
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Number(float):
    """A number that knows how it was written, for it may stand beside text."""

    def __new__(cls, written: str) -> Number:
        """Read a number."""
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str


@dataclass(frozen=True, slots=True)
class Query:
    """A piece of SQL and the values for its placeholders.

    Attributes
    ----------
    parts
        Where all of several conditions must hold: each of them.
    source
        For a condition that an index answers: SQL that gives the runs' numbers, and its values.
    """

    sql: str
    values: tuple[Any, ...] = ()
    parts: tuple[Query, ...] = ()
    source: tuple[str, tuple[Any, ...]] | None = None


def compile_condition(
    words: Words, field: tuple[str, str], operator: str, values: tuple[Any, ...], text: str
) -> Query:
    """Turn one comparison into SQL.

    Parameters
    ----------
    words
        Of the database that is asked.
    field
        Its kind and name, from `search.split_name`.
    operator
        A comparison, ``LIKE``, ``ILIKE`` or ``IN``, each also after ``NOT``, or ``IS [NOT] NULL``.
    values
        What to compare with: text or `Number`.
    text
        The whole expression, for errors.

    Returns
    -------
    Query
        A condition on the table ``run``.

    Raises
    ------
    InvalidValueError
        The values are not of the field's type.
    """
    kind, key = field
    values, is_number = _settle_values(field, operator, values, text)
    if kind == "attribute":
        if key == "status":  # MLflow writes FINISHED, we write finished
            values = tuple(value.lower() for value in values)
        return _condition(words, ATTRIBUTES[key], operator, values)
    key = to_key(key)
    if operator in ("IS NULL", "IS NOT NULL"):
        word = "NOT EXISTS" if operator == "IS NULL" else "EXISTS"
        sql = f"{word} (SELECT 1 FROM {kind} f WHERE f.run = run.id AND f.key = ?)"  # noqa: S608
        return Query(sql, (key,))
    column = "f.value" if kind == "metric" else "f.number" if is_number else "f.text"
    # Looked at run by run, the index of keys and runs is the right one; that of values is not.
    inner = _condition(words, words.unindexed(column), operator, values)
    # The kind is one of three table names and the inner condition is made of fixed words.
    where = f"f.run = run.id AND f.key = ? AND {inner.sql}"
    sql = f"EXISTS (SELECT 1 FROM {kind} f WHERE {where})"  # noqa: S608
    source = None
    if operator in ("=", "<", "<=", ">", ">=", "IN"):
        plain = _condition(words, column, operator, values)
        lead = words.lead(column, operator, len(values)) if column == "f.text" else ""
        sought = f"{lead} AND {plain.sql}" if lead else plain.sql
        source = (
            f"SELECT f.run FROM {kind} f WHERE f.key = ? AND {sought}",  # noqa: S608
            (key, *(plain.values if lead else ()), *plain.values),
        )
    return Query(sql, (key, *inner.values), (), source)


def _settle_values(
    field: tuple[str, str], operator: str, values: tuple[Any, ...], text: str
) -> tuple[tuple[Any, ...], bool]:
    """Give values of one type, that of the field, and whether it is a number.

    Databases differ in what they make of a number beside text; here nothing is left to them.
    """
    kind, key = field
    is_number = kind == "metric" or (kind == "attribute" and key in _NUMBERS)
    name = key if kind == "attribute" else f"{kind}s.{key}"
    all_numbers = all(isinstance(value, Number) for value in values)
    if operator.endswith("LIKE"):
        if is_number or all_numbers:
            raise InvalidValueError(
                "filter", text, f"text and a quoted pattern to compare {name} with"
            )
    elif is_number and not all_numbers:
        raise InvalidValueError("filter", text, f"a number to compare {name} with")
    if is_number or (kind == "param" and all_numbers and values):
        return tuple(float(value) for value in values), True
    written = (value.written if isinstance(value, Number) else value for value in values)
    return tuple(to_text(value) for value in written), False


def _condition(words: Words, column: str, operator: str, values: tuple[Any, ...]) -> Query:
    if operator in ("IS NULL", "IS NOT NULL"):
        return Query(f"{column} {operator}")
    if operator.endswith("IN"):
        return Query(f"{column} {operator} ({','.join('?' * len(values))})", values)
    negated = operator.startswith("NOT")
    if operator.endswith("ILIKE"):  # A to Z only: what else is a capital, databases differ on
        folded = tuple(value.translate(_LOWER) for value in values)
        return Query(words.like(f"lower({column})", negated=negated), folded)
    if operator.endswith("LIKE"):
        return Query(words.like(column, negated=negated), values)
    return Query(f"{column} {operator} ?", values)
