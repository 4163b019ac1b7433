"""The route of the notebook in view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import open_session
from tests.server.conftest import Ask

KERNEL = "0f8fad5b-d9cb-469f-a165-70867728950e"


async def test_executions_come_with_what_they_read_and_write(ask: Ask, store: Store) -> None:
    """The panel gets all once and then only what is new, until the kernel has a new session."""
    session = open_session(store, load_settings(), None, KERNEL)
    session.end_cell(session.begin_cell("x = 1", "a", (), 1))
    session.end_cell(session.begin_cell("x += '<b>'", "b", (), 2), "error", "TypeError: no")
    code, body = await ask("notebook", kernel=KERNEL)
    assert code == 200
    assert body["session"]["is_recording"] is True
    assert body["count"] == 2
    assert body["executions"][1] == {
        "index": 1,
        "cell_id": "b",
        "execution_count": 2,
        "status": "error",
        "source": "x += '<b>'",
        "reads": ["x"],
        "writes": ["x"],
        "changes": [],
        "is_repeat": False,
    }
    known = {"kernel": KERNEL, "session": body["session"]["session_id"]}
    _, body = await ask("notebook", since=1, **known)
    assert (body["from"], len(body["executions"])) == (1, 1)
    again = open_session(store, load_settings(), None, KERNEL)
    again.end_cell(again.begin_cell("y = 1", "a", (), 1))
    _, body = await ask("notebook", since=2, **known)
    assert (body["from"], [each["source"] for each in body["executions"]]) == (0, ["y = 1"])


async def test_runs_under_way_come_before_the_last(
    ask: Ask, add_run: Callable[..., str], jp_root_dir: Path
) -> None:
    """While runs go on they are given, else the last one."""
    book = jp_root_dir / "a.ipynb"
    first = add_run("first", book)
    add_run("elsewhere", jp_root_dir / "b.ipynb")
    _, body = await ask("notebook", notebook="a.ipynb")
    assert [run["run_id"] for run in body["runs"]] == [first]
    assert (body["session"], body["executions"]) == (None, [])
    ids = {add_run("live", book, status=None) for _ in range(2)}
    add_run("last", book)
    _, body = await ask("notebook", notebook="a.ipynb")
    assert {run["run_id"] for run in body["runs"]} == ids
    # A training that goes on is not lost among short runs that were begun after it.
    for _ in range(50):
        add_run("short", book)
    for _ in range(2):  # searched for, and then remembered
        _, body = await ask("notebook", notebook="a.ipynb")
        assert {run["run_id"] for run in body["runs"]} == ids


async def test_long_cells_come_in_several_answers(ask: Ask, store: Store) -> None:
    """One answer stays small, and always brings at least one execution."""
    session = open_session(store, load_settings(), None, KERNEL)
    for number in range(8):
        session.end_cell(session.begin_cell(f"x = '{'a' * 199_000}'", str(number)))
    _, body = await ask("notebook", kernel=KERNEL)
    assert (len(body["executions"]), body["count"]) == (5, 8)


@pytest.mark.parametrize(
    "params", [{"since": "-1"}, {"since": "x"}, {"kernel": "k" * 300}, {"session": "s" * 300}]
)
async def test_bad_questions_are_named(params: dict[str, str], ask: Ask) -> None:
    """What cannot be meant is a 400 that names it."""
    code, body = await ask("notebook", **params)
    assert code == 400
    assert next(iter(params)) in body["message"]


async def test_unknown_kernel_has_no_session(ask: Ask) -> None:
    """A name that is no kernel's, paths among them, finds nothing and reads nothing."""
    for kernel in (KERNEL, "../../etc", "%00"):
        code, body = await ask("notebook", kernel=kernel)
        assert (code, body["session"], body["count"]) == (200, None, 0)
