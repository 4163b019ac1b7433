"""The routes, asked of a real Jupyter server."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.utils import JupyterServerAuthWarning
from tornado.httpclient import HTTPClientError

from mlops_nb.server.routes import ROUTES, build_routes
from mlops_nb.store import open_store
from tests.server.conftest import Ask

AddRun = Callable[..., str]


async def test_status_tells_version_and_store(ask: Ask, tmp_path: Path) -> None:
    """The first question of the panel is answered with version and store."""
    import mlops_nb

    code, body = await ask("status")
    assert code == 200
    assert body == {"version": mlops_nb.__version__, "store": str(tmp_path / "store")}


async def test_runs_of_one_notebook(ask: Ask, add_run: AddRun, jp_root_dir: Path) -> None:
    """Only the notebook's own runs are given, newest first, with what a row shows."""
    book = jp_root_dir / "sub" / "it's.ipynb"
    first = add_run("first", book, {"acc": 0.5, "bad": float("nan")}, {"depth": 3})
    add_run("other", jp_root_dir / "other.ipynb")
    second = add_run("second", book, status=None)
    code, body = await ask("runs", notebook="sub/it's.ipynb")
    assert code == 200
    assert [run["run_id"] for run in body["runs"]] == [second, first]
    assert [run["status"] for run in body["runs"]] == ["running", "finished"]
    assert body["runs"][1]["metrics"] == {"acc": 0.5, "bad": "NaN"}
    assert body["runs"][1]["params"] == {"depth": 3}
    assert body["runs"][1]["duration_s"] >= 0
    assert body["now"] >= body["runs"][0]["started_at"]


async def test_pages_meet_without_gap_or_overlap(ask: Ask, add_run: AddRun) -> None:
    """Pages of two give all five runs once, and only the last says that there is no more."""
    ids = [add_run(f"run-{place}") for place in range(5)]
    seen, more = [], []
    for offset in (0, 2, 4):
        _, body = await ask("runs", limit=2, offset=offset)
        seen += [run["run_id"] for run in body["runs"]]
        more.append(body["has_more"])
    assert seen == ids[::-1]
    assert more == [True, True, False]


async def test_filter_and_order_reach_the_store(ask: Ask, add_run: AddRun) -> None:
    """The panel asks in the language that search_runs has."""
    for accuracy in (0.7, 0.9, 0.8):
        add_run("run", metrics={"acc": accuracy})
    _, body = await ask("runs", filter="metrics.acc > 0.75", order_by="metrics.acc DESC")
    assert [run["metrics"]["acc"] for run in body["runs"]] == [0.9, 0.8]


async def test_one_run_is_given_whole(ask: Ask, add_run: AddRun) -> None:
    """A run's own route gives what the list leaves out, by id or by name."""
    run_id = add_run("solo", params={"p": "x" * 5000})
    for text in (run_id, "solo"):
        code, body = await ask("runs", text)
        assert code == 200
        assert body["run_id"] == run_id
        assert len(body["params"]["p"]) == 5000
        assert body["cell_count"] == body["artifact_count"] == 0


async def test_unknown_run_names_near_misses(ask: Ask, add_run: AddRun) -> None:
    """A run that is not there is a 404 that says what was meant and how to go on."""
    add_run("baseline")
    code, body = await ask("runs", "basline")
    assert code == 404
    assert body["error"] == "RunNotFoundError"
    assert "'baseline'" in body["message"]
    assert "mlops-nb runs" in body["hint"]


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"filter": "metrics.acc >"}, "filter"),
        ({"notebook": "../../etc/passwd"}, "notebook"),
    ],
)
async def test_bad_input_is_a_400_that_names_it(
    params: dict[str, str], word: str, ask: Ask, add_run: AddRun
) -> None:
    """What cannot be understood is quoted, with what would be right."""
    add_run("any")
    code, body = await ask("runs", **params)
    assert code == 400
    assert word in body["message"]
    assert "expected" in body["message"]


async def test_no_store_is_an_empty_list_and_stays_none(
    ask: Ask, jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at a notebook that never recorded anything writes nothing."""
    monkeypatch.delenv("MLOPS_NB_STORE")
    (jp_root_dir / "pyproject.toml").touch()
    code, body = await ask("runs", notebook="new.ipynb")
    assert (code, body["runs"], body["has_more"]) == (200, [], False)
    assert body["searched"] == {"store": str(jp_root_dir / ".mlops"), "exists": False}
    code, body = await ask("runs", "any", notebook="new.ipynb")
    assert (code, body["error"]) == (404, "RunNotFoundError")
    assert [path.name for path in jp_root_dir.iterdir()] == ["pyproject.toml"]


async def test_who_finds_no_run_is_told_which_store_was_asked(ask: Ask, add_run: AddRun) -> None:
    """A kernel may record elsewhere; where there are runs nothing is told."""
    add_run("any")
    _, body = await ask("runs", scope="store")
    assert body["searched"] is None
    _, body = await ask("runs", notebook="other.ipynb")
    assert body["searched"]["exists"]
    assert body["searched"]["store"] == (await ask("status"))[1]["store"]


async def test_store_is_that_of_the_notebooks_project(
    ask: Ask, add_run: AddRun, jp_root_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two projects under one server each show their own runs."""
    monkeypatch.delenv("MLOPS_NB_STORE")
    for name in ("one", "two"):
        (jp_root_dir / name).mkdir()
        (jp_root_dir / name / "pyproject.toml").touch()
        store = open_store(jp_root_dir / name / ".mlops", cache=tmp_path / "cache")
        add_run(f"of-{name}", jp_root_dir / name / "a.ipynb", into=store)
        _, body = await ask("runs", notebook=f"{name}/a.ipynb")
        assert [run["name"] for run in body["runs"]] == [f"of-{name}"]


async def test_foreign_store_is_told_not_hidden(ask: Ask, tmp_path: Path) -> None:
    """A folder that is no store of ours gives a 409 that says what was found."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "format.json").write_text("{}")
    code, body = await ask("runs", notebook="a.ipynb")
    assert code == 409
    assert body["error"] == "StoreError"
    assert "format.json" in body["message"]


async def test_faults_of_ours_show_no_detail(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug is a 500 without internals for the browser, and a traceback in the log."""

    def fail(**_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("mlops_nb.server.routes.api.list_runs", fail)
    with caplog.at_level(logging.ERROR):
        code, body = await ask("runs")
    assert code == 500
    assert body["error"] == "InternalError"
    assert "secret" not in json.dumps(body)
    assert "secret detail" in caplog.text


async def test_a_disk_that_refuses_is_no_fault_of_ours(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that is read-only, or on a full disk, is named with what may be the reason."""
    for number, words in ((errno.EROFS, "Read-only file system"), (errno.EACCES, "denied")):
        error = OSError(number, os.strerror(number), "/data/.mlops/deleted")

        def fail(error: OSError = error, **_: Any) -> None:
            raise error

        monkeypatch.setattr("mlops_nb.server.routes.api.list_runs", fail)
        code, body = await ask("runs")
        assert (code, body["error"]) == (409, "StoreError")
        assert "'/data/.mlops/deleted'" in body["message"]
        assert words in body["message"]
        assert "may not write there" in body["hint"]
    assert "Traceback" not in caplog.text


async def test_slow_store_does_not_stop_the_server(
    ask: Ask, jp_fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a question waits for the disk, the server answers others."""
    import threading

    gate = threading.Event()
    monkeypatch.setattr("mlops_nb.server.routes.api.list_runs", lambda **_: gate.wait(240) and [])
    slow = asyncio.ensure_future(ask("runs"))
    response = await jp_fetch("api", "status")
    assert response.code == 200
    assert not slow.done()
    gate.set()
    assert (await slow)[0] == 200


async def test_eight_questions_at_once(ask: Ask, add_run: AddRun) -> None:
    """Several browsers may ask together."""
    run_id = add_run("shared", metrics={"acc": 1.0})
    answers = await asyncio.gather(*(ask("runs") for _ in range(8)))
    assert {code for code, _ in answers} == {200}
    assert all(body["runs"][0]["run_id"] == run_id for _, body in answers)


METHODS = [
    (method, pattern.replace("([^/]+)", "x"))
    for pattern, handler in ROUTES
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    if method.lower() in vars(handler)
]


@pytest.mark.parametrize(("method", "route"), METHODS)
async def test_no_route_answers_a_stranger(method: str, route: str, jp_fetch: Any) -> None:
    """Without a token every method of every route refuses."""
    headers = {"Authorization": "token wrong"}
    body = None if method in ("GET", "DELETE") else "{}"
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("mlops-nb", *route.split("/"), method=method, headers=headers, body=body)
    assert caught.value.code == 403


async def test_every_method_of_every_route_is_guarded(jp_serverapp: Any) -> None:
    """Jupyter's own check finds no method of ours that lacks authentication."""
    jp_serverapp.web_app.settings["allow_unauthenticated_access"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", JupyterServerAuthWarning)
        jp_serverapp.web_app.add_handlers(".*$", build_routes("/again/"))


async def test_authorizer_is_asked(
    jp_serverapp: Any, send: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not read or change our resource is refused on every route."""
    asked: list[tuple[str, str]] = []

    def refuse(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", refuse)
    for method, route in METHODS:
        code, _body = await send(method, *route.split("/"))
        assert code == 403
    assert asked == [("read" if method == "GET" else "write", "mlops_nb") for method, _ in METHODS]


async def test_watching_is_no_activity(jp_serverapp: Any, ask: Ask) -> None:
    """A panel left open does not keep an idle server alive."""
    before = jp_serverapp.web_app.settings.get("api_last_activity")
    await ask("runs")
    assert jp_serverapp.web_app.settings.get("api_last_activity") == before
