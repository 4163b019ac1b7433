"""A store and a remote folder: what is pushed is pulled, and differences are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_nb.store import Store
from mlops_nb.store.auditcheck import check_audit
from mlops_nb.store.remotenames import find_kind
from tests.store.remoting import (
    add_run,
    add_version,
    files_of,
    fill,
    pull,
    push,
    tell,
)

RUN = "01890000-0000-7000-8000-000000000000"


# ------------------------------------------------------------------ there and back
def test_an_empty_store_becomes_equal(store: Store, other: Store, url: str) -> None:
    """A pull into an empty store gives the same runs, search results, bytes, models and aliases."""
    fill(store)
    sent = push(store, url)
    assert (sent.runs, sent.models, sent.audits, sent.is_clean) == (3, 2, 1, True)
    taken = pull(other, url)
    assert (taken.runs, taken.models, taken.audits, taken.is_clean) == (3, 2, 1, True)
    assert tell(other) == tell(store)
    assert not check_audit(other.audit, other.models).findings


def test_a_second_time_nothing_travels(store: Store, other: Store, url: str) -> None:
    """What is there is neither sent nor taken again, and no byte of it changes."""
    fill(store)
    push(store, url)
    pull(other, url)
    before = files_of(other.root)
    for again in (push(store, url), pull(other, url), push(other, url)):
        assert (again.size_bytes, again.is_clean) == (0, True)
    assert files_of(other.root) == before


def test_logs_grow_between_pushes(store: Store, other: Store, remote: Path, url: str) -> None:
    """A run that goes on is sent and taken from where it was; only whole records travel."""
    log = store.start_run({"name": "long", "experiment": "e"})
    for step in range(5):
        log.log_metrics({"acc": float(step)}, step)
    with (log.folder / "metrics.bin").open("ab") as file:
        file.write(b"half a record")
    push(store, url)
    pull(other, url)
    assert len(other.read_metric_history(log.run_id, "acc")) == 5
    (log.folder / "metrics.bin").write_bytes((log.folder / "metrics.bin").read_bytes()[:160])
    for step in range(5, 9):
        log.log_metrics({"acc": float(step)}, step)
    log.append({"type": "tags", "tags": {"a": "b"}})
    log.end("finished")
    assert push(store, url).runs == 1
    parts = sorted(path.name[:31] for path in (remote / f"runs/{log.run_id}/metrics.bin").iterdir())
    assert parts == ["000000000000000-000000000000160", "000000000000160-000000000000288"]
    pull(other, url)
    assert other.read_run(log.run_id) == store.read_run(log.run_id)
    assert other.search("tags.a = 'b'") == store.search("tags.a = 'b'")
    log.close()


def test_stores_are_merged(store: Store, other: Store, url: str) -> None:
    """Runs, models and aliases of two stores come together in both."""
    fill(store)
    add_run(other, "elsewhere")
    digest = other.objects.put_bytes(b"n")
    fields = {
        "name": "n",
        "flavor": "skops",
        "digest": digest,
        "size_bytes": 1,
        "registered_at": 2.0,
    }
    other.models.create_version(fields)
    other.models.set_alias("n", "champion", 1)
    push(store, url)
    pull(other, url)
    push(other, url)
    pull(store, url)
    assert tell(other) == tell(store)
    assert store.models.aliases("n") == other.models.aliases("n") == {"champion": 1}
    store.models.set_alias("m", "champion", 1)
    push(store, url)
    pull(other, url)
    assert other.models.aliases("m") == {"champion": 1}


def test_secrets_and_strangers_stay(store: Store, remote: Path, url: str) -> None:
    """Keys, caches, temporary files, links and files that are not of the format are never sent."""
    fill(store)
    for name in (
        "keys/boundary.key",
        "cache/x",
        "runs/.hidden",
        "runs/notes.txt",
        f"runs/{RUN}/.env",
    ):
        path = store.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
    (store.root / "runs" / RUN / "run.json").symlink_to("/etc/passwd")
    push(store, url)
    assert not [
        name
        for name in files_of(remote)
        if find_kind(name.rpartition("/")[0]) is None
        and not name.startswith("models/")
        and name != "remote.json"
    ]
    assert b"secret" not in b"".join(files_of(remote).values())
    assert not (remote / "runs" / RUN).exists()


# ------------------------------------------------------------------ conflicts
def test_one_number_for_two_models_is_told(store: Store, other: Store, url: str) -> None:
    """Each side keeps its own version, and an alias never moves to the other's model."""
    add_version(store, b"theirs")
    store.models.set_alias("m", "champion", 1)
    add_version(other, b"ours")
    push(store, url)
    before = files_of(other.root / "models")
    assert pull(other, url).conflicts == ("models/m/1.json",)
    assert push(other, url).conflicts == ("models/m/1.json",)
    assert files_of(other.root / "models") == before
    assert other.models.aliases("m") == {}
    assert store.models.aliases("m") == {"champion": 1}


def test_a_log_that_is_another_is_told(store: Store, other: Store, url: str) -> None:
    """Logs that went different ways are left alone on both sides."""
    run_id = add_run(store, "r")
    push(store, url)
    pull(other, url)
    path = store.root / "runs" / run_id / "events.log"
    path.write_bytes(path.read_bytes()[::-1])
    before = files_of(store.root / "runs")
    name = f"runs/{run_id}/events.log"
    assert push(store, url).conflicts == (name,)
    assert pull(store, url).conflicts == (name,)
    assert files_of(store.root / "runs") == before


def test_a_run_of_the_same_name_is_told(store: Store, url: str) -> None:
    """A ``run.json`` that differs from what was pushed is never overwritten on either side."""
    run_id = add_run(store, "r")
    push(store, url)
    path = store.root / "runs" / run_id / "run.json"
    path.write_text(path.read_text() + " ")
    assert push(store, url).conflicts == (f"runs/{run_id}/run.json",)
    assert pull(store, url).conflicts == (f"runs/{run_id}/run.json",)


def test_a_shorter_log_is_made_whole(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that lost its end gets it back from the remote."""
    run_id = add_run(store, "r")
    push(store, url)
    path = store.root / "runs" / run_id / "metrics.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-45])
    report = push(store, url)
    assert (report.is_clean, report.size_bytes) == (True, 0)
    assert pull(store, url).size_bytes == 0  # its writer, this process, may still be at work
    assert path.read_bytes() == whole[:-45]
    meta = json.loads((path.parent / "run.json").read_text())
    with monkeypatch.context() as patch:
        patch.setattr("platform.node", lambda: "another-machine")
        assert meta["writer"]["host"] != "another-machine"
        assert pull(store, url).size_bytes == 45
    assert path.read_bytes() == whole


def test_a_cut_own_chain_is_told(store: Store, url: str) -> None:
    """The remote witnesses records of changes that the store's own chain has lost."""
    fill(store)
    push(store, url)
    lines = store.audit.path.read_bytes().splitlines(keepends=True)
    store.audit.path.write_bytes(b"".join(lines[:-1]))
    name = f"audit/{store.store_id}.log"
    assert push(store, url).conflicts == (name,)
    assert pull(store, url).conflicts == (name,)
