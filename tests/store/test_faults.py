"""Damaged records, turned clocks, wrong folders: a clear word each time, and nothing else lost."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import StoreError
from mlops_nb.store import Store, open_store
from mlops_nb.store.auditcheck import check_audit
from mlops_nb.store.frames import pack_frame
from mlops_nb.store.models import DAMAGED as DAMAGED_MODEL
from mlops_nb.store.runmeta import DAMAGED, read_meta
from mlops_nb.store.upkeep import rebuild_indexes
from tests.store.remoting import add_run, add_version

DAY_S = 86_400.0


# ------------------------------------------------------------------ run.json
SPOILED: dict[str, bytes] = {
    "empty": b"",
    "cut": b'{"run_id": "01',
    "no object": b"[]",
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_run_is_listed_as_damaged(store: Store, how: str) -> None:
    """A run whose description is lost is listed with a clear word, its values, and its time."""
    run_id, other = add_run(store, "one"), add_run(store, "two")
    before = store.read_run(run_id)
    (store.root / "runs" / run_id / "run.json").write_bytes(SPOILED[how])
    rebuild_indexes(store)
    found = {run.run_id: run for run in store.search()}
    assert found.keys() == {run_id, other}
    for run in (found[run_id], store.read_run(run_id)):
        assert (run.name, run.status) == ("damaged", "finished")
        assert run.tags[DAMAGED] == "its run.json cannot be read"
        assert (run.metrics, run.params) == (before.metrics, before.params)
        assert abs(run.started_at - before.started_at) < 1
        assert run.dropped_records == 1
    assert found[other].name == "two"
    assert DAMAGED not in found[other].tags
    assert store.search(f"tags.`{DAMAGED}` LIKE '%run.json%'")[0].run_id == run_id


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run_id", "../../etc"), ("run_id", None), ("name", 7), ("name", None), ("experiment", []),
        ("started_at", "x"), ("started_at", 1e300), ("started_at", True), ("started_at", -1),
        ("tags", 5), ("writer", 3), ("session_id", 7), ("parent_run_id", [1]), ("user", {}),
        ("notebook", 4),
    ],
)  # fmt: skip
def test_one_wrong_value_stops_no_list(store: Store, key: str, value: Any) -> None:
    """A value of the wrong type is named, the others count, and every other run is listed."""
    run_id = add_run(store, "one")
    add_run(store, "two")
    path = store.root / "runs" / run_id / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), key: value}))
    rebuild_indexes(store)
    found = {run.run_id: run for run in store.search()}
    assert len(found) == 2
    assert key in found[run_id].tags[DAMAGED]
    assert found[run_id].name == ("damaged" if key == "name" else "one")
    assert found[run_id].metrics == {"acc": 1.9, "loss": 1.0}
    assert store.read_run(run_id).tags == found[run_id].tags


def test_every_flipped_bit_leaves_a_list(store: Store) -> None:
    """Whatever bit turns in a description, the run stays in the list, and no other is touched."""
    run_id, other = add_run(store, "one"), add_run(store, "two")
    path = store.root / "runs" / run_id / "run.json"
    good = path.read_bytes()
    whole = store.read_run(other)
    for place in range(0, len(good), 3):
        spoiled = bytearray(good)
        spoiled[place] ^= 1 << place % 8
        path.write_bytes(spoiled)
        meta = read_meta(path.parent)
        assert meta is not None
        assert meta["run_id"] == run_id
        assert store.read_run(run_id).metrics == {"acc": 1.9, "loss": 1.0}
    rebuild_indexes(store)
    assert {run.run_id for run in store.search()} == {run_id, other}
    assert store.read_run(other) == whole


@pytest.mark.parametrize(
    "event",
    [
        {"type": "params", "params": 7}, {"type": "tags", "tags": [1]}, {"type": "name", "name": 7},
        {"type": "artifact", "path": 1, "digest": 2, "size_bytes": "x", "media_type": None},
        {"type": "end", "status": "melted", "ended_at": 1.0}, {"type": "end", "status": "finished", "ended_at": "x"},
        {"type": "cell", "index": "x"}, {"type": "cell", "index": 1, "session_id": 7},
        {"type": "environment", "digest": 1}, {"type": "dataset", "dataset": 7},
        {"type": "tags", "tags": {"a": "b"}, "at": "x"}, {"type": "tags", "tags": {"a": "b"}, "at": 1e300},
    ],
)  # fmt: skip
def test_events_of_the_wrong_form_are_dropped(store: Store, event: dict[str, Any]) -> None:
    """What a stranger wrote into a log is dropped and counted; the run and the list stay whole."""
    run_id = add_run(store, "one")
    before = store.read_run(run_id)
    with (store.root / "runs" / run_id / "events.log").open("ab") as file:
        file.write(pack_frame({"at": 1.0, **event}))
    rebuild_indexes(store)
    (found,) = store.search()
    assert (found.name, found.params, found.tags, found.status) == (
        "one", before.params, before.tags, "finished",
    )  # fmt: skip
    assert found.dropped_records == 1
    assert store.read_run(run_id).dropped_records == 1


# ------------------------------------------------------------------ clock
def test_a_clock_set_back_keeps_order_and_series(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids keep the order runs were made in, series that of their steps, chains that of records."""
    real, real_ns = time.time, time.time_ns
    ids = [add_run(store, "before")]
    add_version(store)
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: real() - 400 * DAY_S)
        patched.setattr("time.time_ns", lambda: real_ns() - int(400 * DAY_S) * 10**9)
        ids.append(add_run(store, "back"))
        log = store.start_run({"name": "across", "experiment": "e"})
        log.log_metrics({"a": 0.0}, 0)
        store.models.set_alias("m", "champion", 1)
    log.log_metrics({"a": 1.0}, 1)
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: real() - 800 * DAY_S)
        patched.setattr("time.time_ns", lambda: real_ns() - int(800 * DAY_S) * 10**9)
        log.log_metrics({"a": 2.0}, 2)
        log.append({"type": "params", "params": {"late": 1}})
        log.end("finished")
    ids += [log.run_id, add_run(store, "after")]
    assert ids == sorted(ids)
    assert store.list_run_ids() == ids
    run = store.read_run(log.run_id)
    assert run.metrics == {"a": 2.0}
    assert run.params == {"late": 1}
    assert run.duration_s == 0  # it never ends before it began
    assert [point.value for point in store.read_metric_history(log.run_id, "a")] == [0.0, 1.0, 2.0]
    assert {found.name for found in store.search()} == {"before", "back", "across", "after"}
    records = store.audit.records()
    assert [record.at for record in records] == sorted(record.at for record in records)
    assert check_audit(store.audit, store.models).findings == ()
    assert store.models.get("m", 1).aliases == ("champion",)


# ------------------------------------------------------------------ models
@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'"text"', b"{}", b"\xff", b'{"signature": null, "datasets": []}']
)
def test_one_bad_version_stops_no_list(store: Store, data: bytes) -> None:
    """A version that cannot be read is named as damaged; the others are listed and can be used."""
    for number in range(3):
        add_version(store, b"%d" % number)
    store.models.set_alias("m", "champion", 2)
    good = store.root / "models/m/2.json"
    good.write_bytes(data)
    found = [store.models.describe("m", number) for number in store.models.versions("m")]
    assert [version.flavor == DAMAGED_MODEL for version in found] == [False, True, False]
    assert (found[1].name, found[1].version, found[1].digest) == ("m", 2, "")
    assert found[1].aliases == ("champion",)
    with pytest.raises(StoreError, match=r"2\.json of model 'm' cannot be read"):
        store.models.get("m", 2)
    assert store.models.get("m", 3).version == 3
    assert add_version(store, b"next") == 4
    assert (
        "model version m/2 is gone or was replaced"
        in check_audit(store.audit, store.models).findings
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "other"), ("version", 7), ("digest", 1), ("registered_at", "x"), ("metrics", [])],
)
def test_a_version_with_wrong_values_is_damaged(store: Store, key: str, value: Any) -> None:
    """A version that tells of another one, or with a value of the wrong type, is not used."""
    add_version(store)
    path = store.root / "models/m/1.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), key: value}))
    with pytest.raises(StoreError, match=r"1\.json"):
        store.models.get("m", 1)
    assert store.models.describe("m", 1).flavor == DAMAGED_MODEL


def test_a_version_without_its_record_is_taken_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the change cannot be recorded, the registration has not happened."""
    add_version(store)

    def fail(event: str, document: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store.audit, "append", fail)
        with pytest.raises(OSError, match="No space"):
            add_version(store, b"two")
    assert store.models.versions("m") == [1]
    assert check_audit(store.audit, store.models).findings == ()
    assert add_version(store, b"three") == 2


# ------------------------------------------------------------------ folders
@pytest.mark.parametrize(
    "name", ["runs", "sessions", "packs", "tmp", "gc", "late", "models", "audit", "keys", "deleted"]
)
@pytest.mark.parametrize("is_link", [False, True])
def test_a_file_in_place_of_a_folder_is_told(tmp_path: Path, name: str, is_link: bool) -> None:
    """A store in which a folder is a file, or a link to nowhere, is refused in one sentence."""
    made = open_store(tmp_path / "made")
    shutil.copytree(made.root, tmp_path / "store")
    if is_link:
        (tmp_path / "store" / name).symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "store" / name).write_bytes(b"x")
    with pytest.raises(StoreError, match=f"'{name}' in it must be a folder") as told:
        open_store(tmp_path / "store")
    assert "Move it away" in told.value.hint
    (tmp_path / "store" / name).unlink()
    add_run(open_store(tmp_path / "store"), "one")
