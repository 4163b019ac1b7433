"""Filter and order expressions, in the syntax of MLflow's ``search_runs``, as parameterised SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.store.conditions import ATTRIBUTES, Number, Query, compile_condition
from mlops_nb.store.dialect import SQLITE, Words, to_key

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    | (?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    | (?P<name>[A-Za-z_]\w*(?:\.(?:`[^`]+`|"[^"]+"|[\w./:@-]+))?|`[^`]+`)
    | (?P<op><=|>=|!=|<>|==|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
_KINDS = {
    "metrics": "metric",
    "metric": "metric",
    "params": "param",
    "param": "param",
    "parameters": "param",
    "tags": "tag",
    "tag": "tag",
    "attributes": "attribute",
    "attribute": "attribute",
    "attr": "attribute",
    "run": "attribute",
}
_COMPARE = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
# More, and SQLite's own parser gives up: of brackets within one another, of conditions, of fields.
_DEEPEST = 16
_MOST_CONDITIONS = 500
_MOST_FIELDS = 100
SYNTAX = "an expression such as: metrics.acc > 0.9 and params.model = 'rf' and tags.x LIKE 'a%'"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression: its kind, text and position from 0."""

    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Order:
    """An ORDER BY list; where a metric leads it, that metric and the list that follows it.

    Attributes
    ----------
    sql, values
        The whole list.
    metric
        The leading metric, else None.
    is_descending
        Its direction.
    rest
        The list without it.
    """

    sql: str
    values: tuple[Any, ...]
    metric: str | None
    is_descending: bool
    rest: Query


def _tokenize(text: str) -> list[Token]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            raise InvalidValueError(
                "filter", text, SYNTAX, f"Cannot read {text[at : at + 20]!r} at {at}."
            )
        tokens.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over ``or``, ``and``, ``not``, brackets and comparisons."""

    def __init__(self, text: str, words: Words) -> None:
        self.words, self.text, self.tokens, self.at = words, text, _tokenize(text), 0
        self.depth = self.conditions = 0

    def fail(self, expected: str) -> InvalidValueError:
        token = self.peek()
        found = "the end" if token is None else f"{token.text!r} at {token.position}"
        return InvalidValueError(
            "filter", self.text, SYNTAX, f"Expected {expected}, found {found}."
        )

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *words: str) -> bool:
        token = self.peek()
        if token is None or token.kind == "string" or token.text.lower() not in words:
            return False
        self.at += 1
        return True

    def parse(self) -> Query:
        query = self.any_of()
        if self.peek() is not None:
            raise self.fail("'and', 'or' or the end")
        return query

    def any_of(self) -> Query:
        parts = [self.all_of()]
        while self.take("or"):
            parts.append(self.all_of())
        return _join(" OR ", parts)

    def all_of(self) -> Query:
        parts = [self.one()]
        while self.take("and"):
            parts.append(self.one())
        return _join(" AND ", parts)

    def one(self) -> Query:
        self.depth += 1
        if self.depth > _DEEPEST + 1:
            expected = f"at most {_DEEPEST} brackets and 'not's within one another"
            raise InvalidValueError("filter", self.text, expected)
        found = self.alone()
        self.depth -= 1
        return found

    def alone(self) -> Query:
        if self.take("not"):
            inner = self.one()
            return Query(f"NOT ({inner.sql})", inner.values)
        if self.take("("):
            inner = self.any_of()
            if not self.take(")"):
                raise self.fail("')'")
            return Query(f"({inner.sql})", inner.values, inner.parts, inner.source)
        return self.comparison()

    def comparison(self) -> Query:
        token = self.peek()
        if token is None or token.kind != "name":
            raise self.fail("metrics.NAME, params.NAME, tags.NAME or an attribute")
        self.at += 1
        self.conditions += 1
        if self.conditions > _MOST_CONDITIONS:
            hint = "Of one field and many values: NAME IN ('a', 'b')"
            expected = f"at most {_MOST_CONDITIONS} conditions"
            raise InvalidValueError("filter", self.text, expected, hint)
        kind, key = split_name(token.text)
        operator, values = self.operator_and_values()
        return compile_condition(self.words, (kind, key), operator, values, self.text)

    def operator_and_values(self) -> tuple[str, tuple[Any, ...]]:
        negated = self.take("not")
        for word in ("like", "ilike"):
            if self.take(word):
                return ("NOT " if negated else "") + word.upper(), (self.value(),)
        if self.take("in"):
            return ("NOT IN" if negated else "IN"), self.values()
        if self.take("is"):
            wanted = "IS NOT NULL" if self.take("not") else "IS NULL"
            if not self.take("null"):
                raise self.fail("NULL")
            return wanted, ()
        token = self.peek()
        if negated or token is None or token.text not in _COMPARE:
            raise self.fail("a comparison such as =, !=, <, >=, LIKE, IN or IS NULL")
        self.at += 1
        return _COMPARE[token.text], (self.value(),)

    def values(self) -> tuple[Any, ...]:
        if not self.take("("):
            raise self.fail("'('")
        found = [self.value()]
        while self.take(","):
            found.append(self.value())
        if not self.take(")"):
            raise self.fail("')'")
        return tuple(found)

    def value(self) -> Any:
        token = self.peek()
        if token is None or token.kind not in ("number", "string"):
            raise self.fail("a number or a quoted string")
        self.at += 1
        if token.kind == "number":
            return Number(token.text)
        quote = token.text[0]
        return re.sub(r"\\(.)", r"\1", token.text[1:-1].replace(quote * 2, quote))


def _join(word: str, parts: list[Query]) -> Query:
    if len(parts) == 1:
        return parts[0]
    values: tuple[Any, ...] = sum((part.values for part in parts), ())
    # What stands in brackets must hold as well.
    conjuncts = tuple(each for part in parts for each in part.parts or (part,))
    conjuncts = conjuncts if word == " AND " else ()
    return Query("(" + word.join(part.sql for part in parts) + ")", values, conjuncts)


def _take_off_quotes(key: str) -> str:
    # One pair: what stands inside belongs to the name.
    is_quoted = len(key) > 1 and key[0] == key[-1] and key[0] in '`"'
    return key[1:-1] if is_quoted else key


def split_name(text: str) -> tuple[str, str]:
    """Split ``metrics.acc`` into its table and key.

    Parameters
    ----------
    text
        With MLflow's prefixes; a bare word is an attribute. The key may stand in back-ticks.

    Returns
    -------
    kind : str
        ``metric``, ``param``, ``tag`` or ``attribute``.
    key : str
        The name within it.

    Raises
    ------
    NotFoundError
        The prefix or the attribute does not exist.
    """
    prefix, dot, key = text.partition(".")
    if not dot:
        kind, key = "attribute", _take_off_quotes(prefix)
    elif prefix.lower() in _KINDS:
        kind, key = _KINDS[prefix.lower()], _take_off_quotes(key)
    else:
        raise NotFoundError("kind of field", prefix, _KINDS, "Write metrics., params. or tags.")
    if kind == "attribute":
        key = key.lower()
        if key not in ATTRIBUTES:
            raise NotFoundError("attribute of runs", key, ATTRIBUTES, "Metrics need 'metrics.'.")
    return kind, key


def compile_filter(text: str | None, words: Words = SQLITE) -> Query:
    """Turn a filter expression into a condition on the table ``run``.

    Parameters
    ----------
    text
        For example ``metrics.acc > 0.9 and params.model = 'rf'``; empty or None keeps every run.
        ``and``, ``or``, ``not``, brackets, ``LIKE``, ``ILIKE``, ``IN`` and ``IS NULL`` are read.
    words
        Of the database that is asked.

    Returns
    -------
    Query
        Values only ever travel as placeholders.

    Raises
    ------
    InvalidValueError
        The expression cannot be read.
    NotFoundError
        It names a field that runs do not have.
    """
    return _Parser(text, words).parse() if text and text.strip() else Query("1 = 1")


def compile_order(order_by: list[str] | None) -> Order:
    """Turn order expressions such as ``metrics.acc DESC`` into an ORDER BY list.

    Parameters
    ----------
    order_by
        In order of importance; newest runs first where nothing is given or equal.

    Returns
    -------
    Order
        Runs without a value come last.

    Raises
    ------
    InvalidValueError
        An expression is not ``FIELD``, ``FIELD ASC`` or ``FIELD DESC``.
    """
    parts: list[Query] = []
    lead: tuple[str | None, bool] = (None, False)
    if order_by and len(order_by) > _MOST_FIELDS:
        raise InvalidValueError("number of fields to order by", len(order_by), f"<= {_MOST_FIELDS}")
    for text in order_by or []:
        match = re.fullmatch(r"\s*(\S+?|\w+\.`[^`]+`)(?:\s+(asc|desc))?\s*", text, re.IGNORECASE)
        if match is None:
            raise InvalidValueError("order_by", text, "a field with ASC or DESC: metrics.acc DESC")
        kind, key = split_name(match[1])
        key = to_key(key)
        direction = (match[2] or "asc").upper()
        if kind == "metric" and not parts:
            lead = (key, direction == "DESC")
        parts += _order_parts(kind, key, direction)
    parts.append(Query("run.started_at DESC, run.run_id DESC"))
    whole, rest = _list(parts), _list(parts[1:] or parts)
    return Order(whole.sql, whole.values, *lead, rest)


def _order_parts(kind: str, key: str, direction: str) -> list[Query]:
    if kind == "attribute":
        return [Query(f"{ATTRIBUTES[key]} {direction} NULLS LAST")]
    columns = {"metric": ("value",), "param": ("number", "text"), "tag": ("text",)}[kind]
    parts = []
    for column in columns:  # parameters that are numbers come before those that are words
        sql = f"(SELECT f.{column} FROM {kind} f WHERE f.run = run.id AND f.key = ?)"  # noqa: S608
        parts.append(Query(f"{sql} {direction} NULLS LAST", (key,)))
    return parts


def _list(parts: list[Query]) -> Query:
    values: tuple[Any, ...] = sum((part.values for part in parts), ())
    return Query(", ".join(part.sql for part in parts), values)
