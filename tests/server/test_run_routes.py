"""The routes of one run: what it keeps, and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.utils import url_path_join

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import Run, start_run
from tests.server.conftest import Ask

AddRun = Callable[..., str]
Send = Callable[..., Awaitable[tuple[int, Any]]]
PNG = b"\x89PNG\r\n\x1a\nrest"


@pytest.fixture
def rich_run(store: Store) -> Run:
    """Give an ended run with a curve, files and documents."""
    run = start_run(store, load_settings(), "rich", is_active=False)
    for step in range(1000):
        run.log_metric("train/loss", float("nan") if step == 500 else 1 / (step + 1), step)
    run.log_bytes(PNG, "plots/roc.png")
    run.log_bytes(b"<svg onload='alert(1)'/>", "evil.svg")
    run.log_bytes(b"<script>alert(1)</script>", "not.png")
    assert run._log is not None
    for kind in ("environment", "code"):
        run._append({"type": kind, "digest": store.objects.put_json({"is": kind})})
    run.end()
    return run


async def test_rename_and_tags_change_what_lists_say(ask: Ask, send: Send, add_run: AddRun) -> None:
    """A new name and tags are there at once; what was measured stays."""
    run_id = add_run("before", metrics={"acc": 0.5})
    code, body = await send("PATCH", "runs", run_id, name="<b>ünïcode</b>", tags={"owner": "Ada"})
    assert (code, body["name"]) == (200, "<b>ünïcode</b>")
    _, listed = await ask("runs", filter="tags.owner = 'Ada'")
    assert [run["name"] for run in listed["runs"]] == ["<b>ünïcode</b>"]
    assert listed["runs"][0]["metrics"] == {"acc": 0.5}
    assert listed["runs"][0]["status"] == "finished"


async def test_run_names_its_notebook_as_the_front_end_knows_it(
    ask: Ask, add_run: AddRun, jp_root_dir: Path, tmp_path: Path
) -> None:
    """The path from the server's root, while the notebook lies there; nothing of what lies elsewhere."""
    book = jp_root_dir / "sub" / "a b.ipynb"
    outside = tmp_path / "secret.ipynb"
    outside.touch()
    there, elsewhere = add_run("there", book), add_run("elsewhere", outside)
    odd = add_run("odd", jp_root_dir / ".." / "secret.ipynb")
    _, body = await ask("runs", there)
    assert body["notebook_path"] is None  # not there yet
    book.parent.mkdir()
    book.touch()
    found = [(await ask("runs", run))[1]["notebook_path"] for run in (there, elsewhere, odd)]
    assert found == ["sub/a b.ipynb", None, None]


async def test_null_takes_a_tag_away(ask: Ask, send: Send, add_run: AddRun, store: Store) -> None:
    """A tag that is taken away is gone from lists, filters and the record, and can be set again."""
    run_id = add_run("tagged")
    await send("PATCH", "runs", run_id, tags={"owner": "Ada", "kept": "yes"})
    _, body = await send("PATCH", "runs", run_id, tags={"owner": None, "never": None})
    assert body["tags"] == {"kept": "yes"}
    assert store.read_run(run_id).tags == {"kept": "yes"}
    for wanted, count in (("tags.owner = 'Ada'", 0), ("tags.kept = 'yes'", 1)):
        _, listed = await ask("runs", filter=wanted)
        assert len(listed["runs"]) == count
    _, body = await send("PATCH", "runs", run_id, tags={"owner": "Bo"})
    assert body["tags"] == {"kept": "yes", "owner": "Bo"}


async def test_pinned_runs_come_with_every_page(ask: Ask, send: Send, add_run: AddRun) -> None:
    """What is pinned is there whatever is filtered, until it is pinned no more."""
    first = add_run("first")
    add_run("second")
    await send("PATCH", "runs", first, tags={"mlops.pinned": "yes"})
    _, body = await ask("runs", filter="name = 'second'", limit=1)
    assert [run["name"] for run in body["pinned"]] == ["first"]
    assert [run["name"] for run in body["runs"]] == ["second"]
    await send("PATCH", "runs", first, tags={"mlops.pinned": None})
    _, body = await ask("runs")
    assert body["pinned"] == []


WRONG_CHANGES: list[tuple[Any, str]] = [
    ({"name": ""}, "run name"),
    ({"name": "a\nb"}, "run name"),
    ({"name": "x" * 10_000}, "run name"),
    ({"name": "right\u202eleft"}, "run name"),
    ({"name": "\ud800"}, "Unicode"),
    ({"name": 7}, "name is 7"),
    ({"name": "fine", "tags": {"": "x"}}, "tag name"),
    ({"tags": {"a": 1}}, "tags"),
    ({"status": "finished"}, "the request"),
    ([], "the request"),
    (b"{", "the request"),
    (b"[" * 100_000, "the request"),
    (b" " * 300_000, "size"),
]


async def test_wrong_changes_write_nothing(ask: Ask, jp_fetch: Any, add_run: AddRun) -> None:
    """Each is a 400 that says what was wrong, and the run is as it was."""
    run_id = add_run("same")
    for body, word in WRONG_CHANGES:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await jp_fetch(
            "mlops-nb", "runs", run_id, method="PATCH", body=content, raise_error=False
        )
        assert answer.code == 400
        assert word in json.loads(answer.body)["message"]
    _, run = await ask("runs", run_id)
    assert (run["name"], run["tags"]) == ("same", {})


async def test_deleted_run_comes_back(ask: Ask, send: Send, add_run: AddRun) -> None:
    """A run leaves the list when it is deleted and returns when that is undone."""
    run_id = add_run("gone")
    assert await send("DELETE", "runs", run_id) == (200, {"run_id": run_id, "name": "gone"})
    assert (await ask("runs"))[1]["runs"] == []
    code, body = await send("POST", "runs", run_id, "restore")
    assert (code, body["name"]) == (200, "gone")
    assert [run["run_id"] for run in (await ask("runs"))[1]["runs"]] == [run_id]
    code, body = await send("POST", "runs", run_id, "restore")
    assert (code, body["error"]) == (404, "NotFoundError")


async def test_running_run_is_not_deleted(ask: Ask, send: Send, add_run: AddRun) -> None:
    """What a kernel still writes stays, with the reason."""
    run_id = add_run("busy", status=None)
    code, body = await send("DELETE", "runs", run_id)
    assert code == 400
    assert "a run that has ended" in body["message"]
    assert len((await ask("runs"))[1]["runs"]) == 1


async def test_changes_take_whole_ids_only(send: Send, add_run: AddRun) -> None:
    """No change guesses which run is meant."""
    add_run("gone")
    for given in ("latest", "gone", "0", "..%2f..%2fruns", "x" * 10_000):
        for method in ("DELETE", "PATCH"):
            code, _ = await send(method, "runs", given)
            assert code in (400, 404)


async def test_curve_is_as_wide_as_the_chart(ask: Ask, rich_run: Run) -> None:
    """A long metric comes in as many entries as asked for, gaps as words that JSON has."""
    code, body = await ask("runs", rich_run.run_id, "metric", key="train/loss", pixels=50)
    assert code == 200
    assert body["count"] == 1000
    assert len(body["steps"]) == len(body["lows"]) == len(body["highs"]) <= 50
    assert body["highs"][0] == 1.0
    code, body = await ask("runs", rich_run.run_id, "metric", key="train/los")
    assert code == 404
    assert "'train/loss'" in body["message"]
    assert (await ask("runs", rich_run.run_id, "metric"))[0] == 400


async def test_artifacts_run_nowhere(jp_fetch: Any, rich_run: Run) -> None:
    """Pictures are told by their bytes, and all else is sent to be saved."""
    for path, kind, place in (
        ("plots/roc.png", "image/png", "inline"),
        ("evil.svg", "application/octet-stream", "attachment"),
        ("not.png", "application/octet-stream", "attachment"),
    ):
        parts = ("mlops-nb", "runs", rich_run.run_id, "artifact")
        answer = await jp_fetch(*parts, params={"path": path})
        assert answer.headers["Content-Type"].split(";")[0] == kind
        assert answer.headers["Content-Disposition"] == place
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.body.startswith((PNG, b"<s"))


async def test_only_artifacts_are_read(ask: Ask, rich_run: Run) -> None:
    """No path but an artifact's name leads to bytes, neither in the store nor beyond it."""
    for path in ("../run.json", "/etc/passwd", "run.json", "plots/../../run.json", "", "\0"):
        code, body = await ask("runs", rich_run.run_id, "artifact", path=path)
        assert code in (400, 404)
        assert set(body) <= {"error", "message", "hint", "reason"}


async def test_huge_artifact_is_refused(
    ask: Ask, rich_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that no browser should hold is named with the way to have it."""
    monkeypatch.setattr("mlops_nb.server.run_routes._MOST_BYTES", 5)
    code, body = await ask("runs", rich_run.run_id, "artifact", path="evil.svg")
    assert code == 400
    assert "read_artifact" in body["hint"]


async def test_surroundings_and_cells(ask: Ask, rich_run: Run) -> None:
    """Environment and code are given as documents, cells in pages."""
    assert await ask("runs", rich_run.run_id, "surroundings") == (
        200,
        {"environment": {"is": "environment"}, "code": {"is": "code"}},
    )
    code, body = await ask("runs", rich_run.run_id, "cells", limit=2)
    assert (code, body) == (200, {"cells": [], "count": 0, "offset": 0})
    assert (await ask("runs", "nobody", "surroundings"))[0] == 404


async def test_comparison_has_differences_first(ask: Ask, add_run: AddRun) -> None:
    """Rows that differ come before those that do not, in pages, long texts cut."""
    one = add_run("one", metrics={"acc": 0.5, "bad": float("inf")}, params={"C": 1, "k": "x" * 999})
    two = add_run("two", metrics={"acc": 0.75, "bad": float("inf")}, params={"C": 1})
    code, body = await ask("compare", run=[one, two])
    assert code == 200
    assert [run["name"] for run in body["runs"]] == ["one", "two"]
    rows = {row["key"]: row for row in body["rows"]}
    assert rows["acc"] == {"group": "metric", "key": "acc", "values": [0.5, 0.75], "differs": True}
    assert rows["bad"]["values"] == ["Infinity", "Infinity"]
    assert len(rows["k"]["values"][0]) == 300
    assert [row["differs"] for row in body["rows"]] == [True, True, False, False]
    _, page = await ask("compare", run=[one, two], limit=1, offset=3)
    assert (page["rows"], page["count"]) == (body["rows"][3:], 4)
    assert body["best_by"] is None
    three = add_run("two", metrics={"acc": 0.5})
    for beside, found in (("best", "acc"), ("previous", None)):
        _, body = await ask("compare", run=three, beside=beside)
        assert [run["run_id"] for run in body["runs"]] == [two, three]
        assert body["best_by"] == found
    assert (await ask("compare", run=three, beside="worst"))[0] == 400
    for wrong in ([], [one], [one] * 21):  # there is no other run of that name
        code, body = await ask("compare", run=wrong)
        assert (code, body["error"]) == (400, "InvalidValueError")


async def test_all_runs_of_the_notebooks_store(
    ask: Ask, add_run: AddRun, jp_root_dir: Path
) -> None:
    """The scope widens a notebook's list to its store."""
    add_run("own", jp_root_dir / "a.ipynb")
    add_run("other", jp_root_dir / "b.ipynb")
    for scope, names in (("notebook", ["own"]), ("store", ["other", "own"])):
        _, body = await ask("runs", notebook="a.ipynb", scope=scope)
        assert [run["name"] for run in body["runs"]] == names


async def test_wrong_filter_is_told_as_it_was_written(ask: Ask, add_run: AddRun) -> None:
    """The error quotes what a person typed, and no filter reaches out of its notebook."""
    add_run("other")
    for wrong in ("metrics.acc >", "name = 'x') or (name = 'other'"):
        code, body = await ask("runs", notebook="a.ipynb", filter=wrong)
        assert code == 400
        assert repr(wrong) in body["message"]
        assert "attributes.notebook" not in body["message"] + body["hint"]


async def test_change_from_another_site_is_refused(
    jp_serverapp: Any, jp_base_url: str, http_server_client: Any, add_run: AddRun, ask: Ask
) -> None:
    """A cookie without the token that only our pages know changes nothing."""
    run_id = add_run("mine")
    page = url_path_join(jp_base_url, "tree") + f"?token={jp_serverapp.identity_provider.token}"
    answer = await http_server_client.fetch(page, follow_redirects=False, raise_error=False)
    cookies = [text.split(";")[0] for text in answer.headers.get_list("Set-Cookie")]
    cookie = {"Cookie": "; ".join(text for text in cookies if "_xsrf" not in text)}
    address = url_path_join(jp_base_url, "mlops-nb/runs", run_id)
    seen = await http_server_client.fetch(address, headers=cookie)
    assert seen.code == 200
    refused = await http_server_client.fetch(
        address, method="DELETE", headers=cookie, raise_error=False
    )
    assert refused.code == 403
    assert len((await ask("runs"))[1]["runs"]) == 1
