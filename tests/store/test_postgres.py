"""Whatever runs hold and whatever is asked, PostgreSQL gives SQLite's answer."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_nb.store import Store, open_store, pages
from tests.store.indexes import lose_index
from tests.store.postgres import Server

Pair = tuple[Store, Store]

WORDS = [
    "", "a", "A", "b", "aB", "a_b", "a%b", "%", "_", "a\\", "'", '"', "é", "É", "e\u0301", "ß", "Z", "z", "~", " ",
    "10", "9", "1e3", "0.5", "-0", "inf", "nan", "True", "\x00", "a\x00b", "\x01", "\ufffd", "\n", "\U0001f600",
    "\uffff", "x" * 3000 + "a", "x" * 3000 + "b", "İ", "\u0131", "\u00a0",
]  # fmt: skip
NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, 0.1 + 0.2, 9.0, 10.0, 1000.0, 1e300, -1e300, 5e-324, math.inf, -math.inf,
    math.nan, 2.0**53, 2.0**53 + 2, 1.7976931348623157e308,
]  # fmt: skip
PARAMS = [*WORDS, *NUMBERS, True, False, None, 7, 10**400, -(2**63), 2**64, [1, "a"], {"a": 1}]
COLUMNS = [
    "metrics.m", "metrics.n", "params.p", "params.q", "tags.t", "tags.`odd \u00e9`", "run_name", "status",
    "started_at", "start_time", "ended_at", "duration_s", "notebook", "parent_run_id", "run_id",
]  # fmt: skip


def fill(store: Store) -> None:
    """Write runs that differ in everything that is hard to compare."""
    for number in range(90):
        log = store.start_run(
            {
                "name": WORDS[number % len(WORDS)],
                "experiment": WORDS[-number % 7],
                "notebook": WORDS[number % 11] if number % 3 else None,
                "parent_run_id": WORDS[number % 5] if number % 4 else None,
                "started_at": [0.0, 100.5, 1e9 / 3, number * 1.1][number % 4],
            }
        )
        params = {"p": PARAMS[number % len(PARAMS)], "q": WORDS[number * 7 % len(WORDS)]}
        log.append(
            {"type": "params", "params": {key: params[key] for key in ("p", "q")[: number % 3]}}
        )
        log.append(
            {
                "type": "tags",
                "tags": {"t": WORDS[number * 3 % len(WORDS)], "odd é": str(number % 4)},
            }
        )
        if number % 5:
            log.log_metrics({"m": NUMBERS[number % len(NUMBERS)], "n": float(number % 3)}, 0)
        if number % 2:
            log.append({"type": "end", "status": "finished", "ended_at": 1e9 / 3 + number % 7})
        log.close()


@pytest.fixture(scope="module")
def pair(postgres: Server) -> Iterator[Pair]:
    """Give one store of odd runs, opened with either index."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        one = open_store(root / "store", cache=root / "one")
        fill(one)
        two = open_store(root / "store", cache=root / "two", index=postgres.url())
        yield one, two
        lose_index(two)
        one.index.close()
        two.index.close()


def quote(value: str) -> str:
    """Write text as a filter has it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


texts = st.sampled_from(WORDS) | st.text(max_size=3)
patterns = st.lists(
    st.sampled_from(["%", "_", "a", "A", "b", "é", "x", "\\", "\x00", "'"]), max_size=4
).map("".join)
numbers = st.sampled_from(
    [repr(x) for x in NUMBERS if math.isfinite(x)] + ["1e999", "-1e999", "7", "1e3", "+.5"]
)
sameness = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """Give a comparison of any field, right for its type."""
    column = draw(st.sampled_from(COLUMNS))
    kind = draw(st.sampled_from(["compare", "in", "null", "like"]))
    is_number = column.startswith(("metrics", "start", "ended", "duration"))
    is_numeric = is_number or (kind != "like" and draw(st.booleans()))
    value = numbers if is_numeric else texts.map(quote)
    negation = draw(st.sampled_from(["", "NOT "]))
    if kind == "compare" or (kind == "like" and is_number):
        return f"{column} {draw(sameness)} {draw(value)}"
    if kind == "in":
        return f"{column} {negation}IN ({', '.join(draw(st.lists(value, min_size=1, max_size=4)))})"
    if kind == "null":
        return f"{column} IS {negation}NULL"
    return f"{column} {negation}{draw(st.sampled_from(['LIKE', 'ILIKE']))} {quote(draw(patterns))}"


filters = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
        st.tuples(inner, inner).map(" and ".join),
    ),
    max_leaves=4,
)
orders = st.lists(
    st.tuples(st.sampled_from(COLUMNS), st.sampled_from(["", " ASC", " DESC"])).map("".join), max_size=3
)  # fmt: skip


@given(
    text=st.none() | filters, order=orders, limit=st.integers(0, 100) | st.just(1 << 70),
    offset=st.integers(0, 90) | st.just(1 << 70), few=st.sampled_from([0, 5, pages.FEW_RUNS]),
)  # fmt: skip
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_both_databases_find_the_same(
    pair: Pair, text: str | None, order: list[str], limit: int, offset: int, few: int
) -> None:
    """Filter, order and page give the same runs in the same order, and the same number of them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pages, "FEW_RUNS", few)  # along a metric, or from a filter
        found = [[run.run_id for run in s.search(text, order, limit, offset)] for s in pair]
    assert found[0] == found[1]
    one, two = (store.index.count(text) for store in pair)
    assert one == two
    if limit > 90 and not offset:
        assert len(found[0]) == one


@given(texts)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_both_databases_know_whom_a_person_means(pair: Pair, text: str) -> None:
    """Names, and the beginnings and ends of ids, lead to the same runs."""
    one, two = (store.index.find(text) for store in pair)
    assert one == two


@pytest.mark.parametrize("cut", [slice(0, 8), slice(-6, None), slice(0, 3), slice(2, 9)])
def test_both_databases_find_parts_of_ids(pair: Pair, cut: slice) -> None:
    """A part of an id is looked for in the same places."""
    for run_id in pair[0].list_run_ids()[:5]:
        part = run_id[cut].upper()
        assert pair[0].index.find(part) == pair[1].index.find(part)


def test_both_databases_keep_the_same_records(pair: Pair) -> None:
    """Every run is read back equal, with NaN, numbers of any size and text of any kind."""
    one, two = ([repr(run) for run in store.search()] for store in pair)
    assert one == two
    assert len(one) == 90
    assert pair[0].index.names() == pair[1].index.names()


@pytest.mark.parametrize(("name", "length"), [("p", 10_000_000), ("k" * 400, 5000)])
def test_a_parameter_of_10_mb(either: Store, name: str, length: int) -> None:
    """Long values, which no index over text takes whole, are found by equality and by order."""
    long = "x" * length
    many = "ab" if length < 10_000 else "a"  # each of 10 MB costs seconds
    for value in (*(long + letter for letter in many), "short", "é"):
        log = either.start_run({"name": value[-1], "experiment": "e"})
        log.append({"type": "params", "params": {name: value}})
        log.append({"type": "tags", "tags": {"t": value[:3000] + value[-1]}})

    def find(text: str, order: str = "params.p") -> str:
        return "".join(run.name for run in either.search(text, [order]))

    field = f"params.{name}"
    assert find(f"{field} = '{long}a'") == "a"
    assert find(f"{field} > '{long}' and {field} LIKE 'x%'", field) == many
    assert find(f"{field} IN ('{long}b', 'short')", field) == "t" + many[1:]
    assert find(f"tags.t < '{long[:3000]}b'", "tags.t DESC") == "at"
