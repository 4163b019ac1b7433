"""A disk that is full at every size: what returned is there, what failed left nothing broken."""

from __future__ import annotations

import json
import os
import shutil
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import MLOpsError
from mlops_nb.store import Store, open_store
from mlops_nb.store.auditcheck import check_audit
from mlops_nb.store.deletion import delete_run, list_deleted, restore_run
from mlops_nb.store.scrub import verify_objects
from mlops_nb.store.upkeep import collect_store
from tests.store.apart import read_all, write_apart
from tests.store.remoting import add_version
from tests.store.test_gc import make_bytes

resource = pytest.importorskip("resource", reason="this platform limits no file sizes")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
LIMITS = (0, 100, 400, 900, 2_000, 5_000, 20_000, 70_000)
FULL = (OSError, MLOpsError)


def work(store: Store, say: Callable[..., object]) -> None:
    """Do everything that writes, and tell what returned."""

    def attempt(call: Callable[[], Any], *told: Any) -> Any:
        try:
            found = call()
        except FULL:
            return None
        say(*told, found if isinstance(found, str | int) else None)
        return found

    for number in range(8):
        meta = {"name": f"r{number}", "experiment": "e"}
        log = attempt(partial(store.start_run, meta))
        if log is not None:
            for step in range(40):
                point = partial(log.log_metric, "m", step / 2, step)
                attempt(point, "point", log.run_id, step)
            param = {"type": "params", "params": {"p": "x" * 300 * number}}
            attempt(partial(log.append, param), "param", log.run_id, number)
            attempt(partial(log.end, "finished"), "end", log.run_id)
        data = make_bytes(str(number), 400 * 3**number)
        attempt(partial(store.objects.put_bytes, data), "object", number)
        attempt(partial(add_version, store, b"%d" % number), "version")
        attempt(partial(store.models.set_alias, "m", "champion", number + 1), "alias", number + 1)
        attempt(partial(store.audit.append, "event", {"text": "x" * 50}), "record")
    for run_id in store.list_run_ids()[:2]:
        attempt(partial(delete_run, store.root, store.audit, run_id), "deleted", run_id)
    attempt(partial(collect_store, store))
    attempt(store.compact)
    assert len(store.search()) <= 8  # reading goes on, with whatever index there can be


def run_full(
    store: Store, limit: int, perform: Callable[[Store, Callable[..., object]], None]
) -> list[Any]:
    """Work in a process whose files cannot grow beyond a limit, and give what it told."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            perform(store, lambda *told: os.write(writing, json.dumps(told).encode() + b"\n"))
            code = 0
        except BaseException:  # noqa: BLE001 - told through the pipe
            os.write(writing, json.dumps(["failed", traceback.format_exc()]).encode() + b"\n")
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a handle
        told = [json.loads(line) for line in pipe]
    os.waitpid(pid, 0)
    assert [entry[1] for entry in told if entry[0] == "failed"] == []
    return told


@pytest.mark.parametrize("limit", LIMITS)
def test_nothing_that_returned_is_lost(store: Store, tmp_path: Path, limit: int) -> None:
    """With files that end at any size, every answer holds afterwards and every chain is whole."""
    told = run_full(store, limit, work)
    fresh = open_store(store.root, cache=tmp_path / "fresh")
    deleted = {entry[1] for entry in told if entry[0] == "deleted"}
    assert deleted == {run.run_id for run in list_deleted(fresh.root)}
    for run_id in deleted:
        restore_run(fresh.root, fresh.audit, run_id)
    versions = []
    for what, *facts in told:
        if what == "point":
            values = [point.step for point in fresh.read_metric_history(facts[0], "m")]
            assert facts[1] in values
        elif what == "param":
            assert fresh.read_run(facts[0]).params == {"p": "x" * 300 * facts[1]}
        elif what == "end":
            assert fresh.read_run(facts[0]).status == "finished"
        elif what == "object":
            assert fresh.objects.read_bytes(facts[1]) == make_bytes(
                str(facts[0]), 400 * 3 ** facts[0]
            )
        elif what == "version":
            versions.append(facts[0])
    assert fresh.models.versions("m") == versions if versions else True
    aliases = [entry[1] for entry in told if entry[0] == "alias"]
    assert fresh.models.aliases("m").get("champion") == (aliases[-1] if aliases else None)
    records = len([entry for entry in told if entry[0] in ("version", "alias", "record")])
    assert len(fresh.audit.records()) >= records
    assert check_audit(fresh.audit, fresh.models).findings == ()
    assert verify_objects(fresh.objects).damaged == []
    assert all(run.dropped_records <= 1 for run in fresh.search())
    assert add_version(fresh, b"afterwards") > max(versions, default=0)


@pytest.mark.parametrize("limit", [0, 200, 3_000, 9_000])
def test_a_collection_on_a_full_disk_breaks_nothing(
    store: Store, tmp_path: Path, limit: int
) -> None:
    """Compacting and merging without room is an error at most; all is readable, and works later."""
    run_id = write_apart(store, 3000)
    points = read_all(store, run_id)
    kept = {}
    for number in range(20):
        data = make_bytes(str(number), 700)
        kept[store.objects.put_bytes(data)] = data
    store.audit.append("kept", {"digests": list(kept)})

    def collect(one: Store, say: Callable[..., object]) -> None:
        try:
            collect_store(one, grace_s=0)
        except FULL:
            say("full")

    copy = tmp_path / "copy"
    shutil.copytree(store.root, copy)
    told = run_full(Store(copy, store.store_id, tmp_path / "c1", store.objects.cut), limit, collect)
    assert told == [["full"]]
    fresh = open_store(copy, cache=tmp_path / "c2")
    for digest, data in kept.items():
        assert fresh.objects.read_bytes(digest) == data
    assert read_all(fresh, run_id) == points
    assert check_audit(fresh.audit, fresh.models).findings == ()
    collect_store(fresh, grace_s=0)
    assert len(fresh.objects.packs.names()) == 1
    for digest, data in kept.items():
        assert fresh.objects.read_bytes(digest) == data
    assert read_all(fresh, run_id) == points
