"""Push, pull and audit on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api

Ask = Callable[..., Any]
FIELDS: dict[str, Any] = {
    "name": "m", "flavor": "skops", "size_bytes": 1, "registered_at": 1.0, "digest": "0" * 64,
}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Give the address of a remote that is not there yet."""
    return (tmp_path / "remote").as_uri()


def test_push_and_pull(ask: Ask, tmp_path: Path, url: str) -> None:
    """What was pushed from one store is listed in another."""
    with api.start_run("shared") as run:
        api.log_metric("acc", 0.9)
    api.close_session()
    sent = ask("push", url, "--json").json
    assert (sent["runs"], sent["conflicts"], sent["is_clean"]) == (1, [], True)
    assert ask("push", url).out.splitlines()[-1].split() == ["bytes", "0"]
    other = tmp_path / "other"
    found = ask("--store", other, "pull", url, "--progress")
    assert found.code == 0
    assert "run.json" in found.err
    listed = ask("--store", other, "runs", "--json").json
    assert [(one["run_id"], one["metrics"]) for one in listed] == [(run.run_id, {"acc": 0.9})]


def test_conflicts_fail(ask: Ask, tmp_path: Path, url: str) -> None:
    """A number that both sides gave is told, and the exit code says so."""
    api.get_store().models.create_version(FIELDS)
    assert ask("push", url).code == 0
    other = api.get_store(tmp_path / "other")
    other.models.create_version({**FIELDS, "digest": "1" * 64})
    answer = ask("--store", other.root, "pull", url)
    assert answer.code == 1
    assert "conflict: models/m/1.json" in answer.out
    assert ask("--store", other.root, "push", url, "--json").json["is_clean"] is False


def test_errors_of_remotes(ask: Ask, tmp_path: Path, url: str) -> None:
    """A wrong address is usage, a remote that is not there is work that failed; no store is made."""
    assert ask("pull", "s3://user:secret@bucket").code == 2
    answer = ask("pull", url)
    assert answer.code == 1
    assert answer.err.startswith("error: cannot use the remote")
    assert ask("push", url).code == 2
    assert not (tmp_path / "store").exists()
    assert not (tmp_path / "remote").exists()


def test_audit_is_listed_and_verified(ask: Ask, url: str) -> None:
    """Changes are listed with who and where; a tampered log fails the check."""
    assert ask("audit", "verify").out == "0 records, whole\n"
    store = api.get_store()
    store.models.create_version(FIELDS)
    store.models.set_alias("m", "champion", 1)
    listed = ask("audit", "list", "--json").json
    assert [one["event"] for one in listed] == ["model.registered", "alias.set"]
    assert all(one["user"] and one["host"] and one["at"] for one in listed)
    assert "alias=champion" in ask("audit", "list").out
    report = ask("audit", "verify", "--json").json
    assert (report["records"], report["findings"]) == (2, [])
    data = store.audit.path.read_bytes()
    store.audit.path.write_bytes(data.replace(b"champion", b"chumpion"))
    # The last line has nothing after it that tells of it, but its head.
    answer = ask("audit", "verify")
    assert answer.code == 1
    assert "no longer there" in answer.out
    assert ask("audit", "list").code == 2
    store.audit.path.write_bytes(data.partition(b"\n")[0] + b"\n")
    assert ask("audit", "verify", "--json").json["findings"]


def test_a_pull_is_a_recorded_change(ask: Ask, tmp_path: Path, url: str) -> None:
    """Models that came from elsewhere are in the log of the store that took them."""
    api.get_store().models.create_version(FIELDS)
    ask("push", url)
    other = tmp_path / "other"
    ask("--store", other, "pull", url)
    listed = ask("--store", other, "audit", "list", "--json").json
    assert [one["event"] for one in listed] == ["model.registered", "store.pulled"]
    document = listed[-1]["document"]
    chain = api.get_store().audit.records()
    (taken,) = document.pop("chains").values()
    assert document == {"url": url, "runs": 0, "models": 1, "objects": 0}
    assert (taken[0], len(taken[1])) == (len(chain) - 1, 64)
    assert ask("--store", other, "audit", "verify").code == 0
