"""Names that are odd, and still names: what is asked for is what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import start_run
from tests.server.conftest import Ask

AddRun = Callable[..., str]


async def test_blanks_around_names_belong_to_them(
    ask: Ask, add_run: AddRun, store: Store, jp_root_dir: Path
) -> None:
    """A notebook, a metric and a file whose names begin or end with blanks are found."""
    book = jp_root_dir / " my notes" / "a.ipynb"
    add_run("in it", notebook=book)
    _, body = await ask("runs", notebook=" my notes/a.ipynb")
    assert [run["name"] for run in body["runs"]] == ["in it"]
    run = start_run(store, load_settings(), "odd", is_active=False)
    run.log_metric(" acc ", 0.5, 0)
    run.log_bytes(b"x", "out/a.txt ")
    run.end()
    code, body = await ask("runs", run.run_id, "metric", key=" acc ")
    assert (code, body.get("count")) == (200, 1)


async def test_files_with_blanks_around_their_names_are_given(jp_fetch: Any, store: Store) -> None:
    """What lists name can be saved."""
    run = start_run(store, load_settings(), "odd", is_active=False)
    run.log_bytes(b"x", "out/a.txt ")
    run.end()
    answer = await jp_fetch(
        "mlops-nb", "runs", run.run_id, "artifact", params={"path": "out/a.txt "}
    )
    assert answer.body == b"x"


@pytest.mark.parametrize("route", ["runs", "pipeline", "notebook", "data", "status"])
async def test_names_that_no_disk_has_are_refused_in_words(ask: Ask, route: str) -> None:
    """A part of 300 characters is no error of ours."""
    code, body = await ask(route, notebook="a" * 300 + "/b.ipynb")
    assert (code, body["error"]) == (400, "InvalidValueError")


async def test_great_whole_numbers_are_not_rounded(ask: Ask, add_run: AddRun) -> None:
    """A seed that a browser has no number for comes as text, in lists, pages and comparisons."""
    seeds = {"seed": 2**60 + 1, "least": -(2**63), "kept": 2**53 - 1}
    shown = {"seed": "1152921504606846977", "least": "-9223372036854775808", "kept": 2**53 - 1}
    run_id, other = add_run("one", params=seeds), add_run("other", params={"seed": 2**60})
    _, listed = await ask("runs", run_id)
    assert listed["params"] == shown
    _, listed = await ask("runs", filter="params.kept = 9007199254740991")
    assert [run["params"] for run in listed["runs"]] == [shown]
    _, compared = await ask("compare", run=[run_id, other])
    values = {row["key"]: row["values"] for row in compared["rows"]}
    assert values["seed"] == [shown["seed"], str(2**60)]
