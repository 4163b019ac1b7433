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
