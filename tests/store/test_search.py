"""Filter and order expressions find the right runs, and never become SQL."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_nb.errors import InvalidValueError, MLOpsError, NotFoundError
from mlops_nb.store import Store
from mlops_nb.store.search import compile_filter, compile_order


@pytest.fixture
def store(either: Store) -> Store:
    """Give an empty store, its index in either database."""
    return either


@pytest.fixture
def runs(store: Store) -> Store:
    """Give a store with four runs that differ in everything a filter can ask."""
    for number in range(4):
        log = store.start_run(
            {
                "name": f"run {number}",
                "experiment": "e",
                "notebook": "/n/it's.ipynb",
                "started_at": 100.0 + number,
            }
        )
        log.append(
            {"type": "params", "params": {"model": "rf" if number % 2 else "LR", "C": number / 2}}
        )
        tags = {"team": f"red_{number}", "a.b-c": "x", "number": number, '"quoted"': "x"}
        log.append({"type": "tags", "tags": tags})
        log.log_metrics({"acc": number / 10, "odd name": 1.0}, 0)
        if number == 3:
            log.log_metrics({"loss": float("nan")}, 0)
        log.end("failed" if number == 0 else "finished")
    return store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "3210"),
        ("", "3210"),
        ("metrics.acc > 0.1", "32"),
        ("metrics.acc >= 0.1 and metrics.acc <= 0.2", "21"),
        ("metrics.acc != 0", "321"),
        ("metrics.acc = -1", ""),
        ("params.model = 'rf'", "31"),
        ('params.model = "LR"', "20"),
        ("params.C > 0.5", "32"),
        ("params.C = '0.5'", "1"),
        ("parameters.model != 'rf'", "20"),
        ("tags.team LIKE 'red%'", "3210"),
        ("tags.team like 'RED%'", ""),
        ("tags.team ILIKE 'RED%'", "3210"),
        ("tags.team LIKE 'red__'", "3210"),
        ("tags.team NOT LIKE '%_1'", "320"),
        ("tags.`a.b-c` = 'x'", "3210"),
        ("metrics.`odd name` = 1", "3210"),
        ('tags.`"quoted"` = "x"', "3210"),
        ("attributes.status = 'FINISHED'", "321"),
        ("status = 'failed'", "0"),
        ("run_name IN ('run 1', 'run 3')", "31"),
        ("name NOT IN ('run 1')", "320"),
        ("metrics.loss IS NOT NULL", "3"),
        ("metrics.loss IS NULL", "210"),
        ("metrics.loss > 0", ""),
        ("params.model = 'rf' or metrics.acc = 0", "310"),
        ("not params.model = 'rf' and metrics.acc < 0.1", "0"),
        ("(params.model = 'rf' or metrics.acc = 0) and metrics.acc < 0.2", "10"),
        ("(params.model = 'rf' and (metrics.acc > 0.1)) and name = 'run 3'", "3"),
        ("(params.model IN ('rf', 'LR')) and status = 'finished'", "321"),
        ("start_time >= 101000", "321"),
        ("notebook = '/n/it''s.ipynb'", "3210"),
        ("metrics.acc > 1e-1 AND metrics.acc < +.25", "2"),
        ("tags.number = 2", "2"),
        ("tags.number IN (1, '2')", "21"),
        ("tags.number LIKE 'x' or run_name = 2", ""),
        ("ended_at IS NULL or parent_run_id NOT LIKE '%'", ""),
        ("tags.team ILIKE '%RED\\_3'", "3"),
        ("start_time > 1e999", ""),
    ],
)
def test_filter(runs: Store, text: str | None, expected: str) -> None:
    """A filter keeps exactly the runs that it describes, newest first."""
    assert "".join(run.name[-1] for run in runs.search(text)) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["metrics.acc"], "0123"),
        (["metrics.acc DESC"], "3210"),
        (["params.model ASC", "metrics.acc desc"], "2031"),
        (["metrics.missing DESC", "metrics.acc"], "0123"),
        (["start_time"], "0123"),
        (["attributes.name DESC"], "3210"),
        (["params.C"], "0123"),
    ],
)
def test_order(runs: Store, order: list[str], expected: str) -> None:
    """Runs come in the order asked for, those without a value last."""
    found = [run.name[-1] for run in runs.search(None, order)]
    assert "".join(found) == expected


def test_pages(runs: Store) -> None:
    """Pages follow one another without gap or overlap."""
    pages = [[run.name for run in runs.search(None, None, 2, offset)] for offset in (0, 2, 4)]
    assert pages == [["run 3", "run 2"], ["run 1", "run 0"], []]
    assert runs.index.count("metrics.acc > 0.1") == 2


@pytest.mark.parametrize(
    "text",
    [
        "metrics.acc >", "metrics.acc", "> 3", "metrics.acc > 'x'", "metrics.acc > 1 and", "(metrics.acc > 1",
        "metrics.acc > 1)", "params.a = b", "params.a LIKE 3 4", "x;y", "params.a = 'open", "tags.a is 3",
        "params.a in ()", "params.a in 'x'", "not", "metrics.acc not > 3", "params.a LIKE 3",
        "metrics.acc LIKE 'x'", "metrics.acc LIKE 3", "started_at LIKE '1%'", "duration_s > 'x'",
        "start_time IN (1, '2')",
    ],
)  # fmt: skip
def test_unreadable_filters_are_refused(runs: Store, text: str) -> None:
    """What cannot be read is refused with the expression and an example, never guessed."""
    with pytest.raises(MLOpsError) as caught:
        runs.search(text)
    assert isinstance(caught.value, InvalidValueError | NotFoundError)
    assert caught.value.exit_code == 2


def test_unknown_fields_are_named(runs: Store) -> None:
    """A field that runs do not have is named with what was meant."""
    with pytest.raises(NotFoundError, match="Did you mean 'status'"):
        runs.search("statsu = 'x'")
    with pytest.raises(NotFoundError, match="'metrics'"):
        runs.search("metric_s.acc > 1")
    with pytest.raises(InvalidValueError, match=r"metrics\.acc DESC"):
        runs.search(None, ["metrics.acc DOWN"])
    with pytest.raises(InvalidValueError, match="limit is -1"):
        runs.search(None, None, -1)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_values_never_become_sql(value: str) -> None:
    """Whatever a value holds, it travels as a placeholder."""
    quoted = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    query = compile_filter(f"params.model = {quoted}")
    assert query.values == ("model", value.replace("\0", "\ufffd"))
    assert query.sql == compile_filter("params.model = 'x'").sql


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail in any way but our own errors."""
    for parse in (compile_filter, lambda words: compile_order([words])):
        try:
            parse(text)
        except MLOpsError:
            continue


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(tags.x = 'y' and (metrics.a > 1)) and name = 'z'", 2),
        ("((tags.x = 'y'))", 1),
        ("(tags.x = 'y' or metrics.a > 1) and name = 'z'", 0),
        ("not (tags.x = 'y') and name = 'z'", 0),
    ],
)
def test_brackets_hide_no_condition(text: str, count: int) -> None:
    """What must hold is found by its own index also where it stands in brackets."""
    query = compile_filter(text)
    assert len([part for part in query.parts or (query,) if part.source]) == count


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200 + "name = 'a'" + ")" * 200,
        "(" * 20_000 + "name = 'a'" + ")" * 20_000,
        "not " * 500 + "name = 'a'",
        "name = 'b' or (" * 30 + "name = 'a'" + ")" * 30,
        " and ".join(["name = 'a'"] * 1200),
    ],
    ids=["brackets", "very many", "not", "nested", "long"],
)
def test_filters_beyond_the_database_are_refused_in_words(runs: Store, text: str) -> None:
    """What SQLite's parser would give up on is no error of ours, and no filter."""
    with pytest.raises(InvalidValueError, match="at most"):
        runs.search(text)


def test_filters_of_many_conditions_are_read(runs: Store) -> None:
    """Brackets as deep, conditions and fields as many as are promised find their run."""
    deep = "name = 'b' or not (name = 'c' and (" * 5 + "name = 'run 1'" + "))" * 5
    assert runs.search(deep) is not None
    long = " or ".join(["name = 'b'"] * 499 + ["name = 'run 1'"])
    fields = [f"metrics.m{number} DESC" for number in range(100)]
    assert [run.name for run in runs.search(long, fields)] == ["run 1"]
    with pytest.raises(InvalidValueError, match="number of fields"):
        runs.search(None, [*fields, "name"])
