"""A session keeps executed cells and knows which run belongs to which."""

from __future__ import annotations

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import Session, active_run, current_session, open_session


def open_in(store: Store) -> Session:
    """Open a session that is kept in the store."""
    return open_session(store, load_settings(), "/project/nb.ipynb")


def test_run_has_the_cells_executed_before_it(store: Store) -> None:
    """What made a run is every cell executed up to its last one, in execution order."""
    session = open_in(store)
    for source in ("import this", "x = 1"):
        session.end_cell(session.begin_cell(source))
    index = session.begin_cell("fit()", cell_id="abc", tags=("step:train",), execution_count=3)
    run = session.start_run(is_active=False)
    session.adopt(run)
    assert session.touched_runs() == [run]
    assert session.end_cell(index) == [run]
    session.end_cell(session.begin_cell("later()"))
    record = store.read_run(run.run_id)
    assert [cell.source for cell in record.cells] == ["import this", "x = 1", "fit()"]
    assert record.cells[-1].cell_id == "abc"
    assert record.cells[-1].tags == ("step:train",)
    assert record.cells[-1].status == "ok"
    assert record.cells[-1].duration_s is not None
    assert record.notebook == "/project/nb.ipynb"
    assert record.session_id == session.session_id
    assert record.status == "finished"


def test_a_failing_cell_fails_its_runs(store: Store) -> None:
    """Runs that end with their cell end as it ended."""
    session = open_in(store)
    words = []
    for status in ("error", "interrupted"):
        index = session.begin_cell("fit()")
        run = session.start_run(is_active=False)
        session.adopt(run)
        session.end_cell(index, status, "ValueError: no")
        words.append(store.read_run(run.run_id).status)
    assert words == ["failed", "interrupted"]
    assert store.read_session_cells(session.session_id or "")[0].error == "ValueError: no"


def test_auto_logged_runs_are_not_active(store: Store) -> None:
    """What a user logs by hand does not land in a run that a fit opened."""
    session = open_in(store)
    index = session.begin_cell("fit()")
    session.adopt(session.start_run(is_active=False))
    assert active_run() is None
    session.end_cell(index)


def test_a_late_metric_adds_its_cell(store: Store) -> None:
    """A cell that adds to a run which ended before is among the run's cells."""
    session = open_in(store)
    index = session.begin_cell("fit()")
    run = session.start_run(is_active=False)
    session.adopt(run)
    session.end_cell(index)
    index = session.begin_cell("score()")
    session.touch(run)
    run.log_metric("acc", 1.0)
    assert session.end_cell(index) == [run]
    assert [cell.source for cell in store.read_run(run.run_id).cells] == ["fit()", "score()"]


def test_nested_cells(store: Store) -> None:
    """A cell that runs another keeps its own timing and place."""
    session = open_in(store)
    outer = session.begin_cell("%run other")
    inner = session.begin_cell("x = 1")
    assert session.cell == inner
    session.end_cell(inner)
    assert session.cell == outer
    session.end_cell(outer)
    cells = store.read_session_cells(session.session_id or "")
    assert [cell.source for cell in cells] == ["%run other", "x = 1"]


def test_environment_reaches_runs_begun_before_it(store: Store) -> None:
    """The environment is read in the background; every run of the session names it."""
    session = open_in(store)
    before = session.start_run("before")
    session.set_environment("e" * 64, "c" * 64)
    after = session.start_run("after")
    for run in (before, after):
        record = store.read_run(run.run_id)
        assert (record.environment, record.code) == ("e" * 64, "c" * 64)


def test_a_session_without_a_store_does_nothing(store: Store) -> None:
    """Cells and runs of a session that records nothing work all the same."""
    session = open_session(None, load_settings())
    index = session.begin_cell("x")
    run = session.start_run()
    run.log_metric("m", 1.0)
    session.adopt(run)
    assert session.end_cell(index) == [run]
    session.close()
    assert store.search() == []


def test_opening_a_session_closes_the_one_before(store: Store) -> None:
    """A process has one session; a cell left open by the old one is interrupted."""
    first = open_in(store)
    first.begin_cell("never ends")
    second = open_in(store)
    assert current_session() is second
    assert store.read_session_cells(first.session_id or "")[0].status == "interrupted"
