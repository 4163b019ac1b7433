"""The log of changes: what was tampered with is found, and adding to it does not get slower."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.errors import StoreError
from mlops_nb.store import Store
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.auditcheck import check_audit
from mlops_nb.store.auditwriter import ChainWriter
from tests.store.remoting import add_version, fill


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    """Give a log of four records."""
    made = AuditLog(tmp_path / "audit" / "audit.log")
    for number in range(4):
        made.append("event", {"number": number})
    return made


def faults(log: AuditLog, store: Store) -> tuple[str, ...]:
    """Check a log beside the models of an empty store."""
    return check_audit(log, store.models).findings


def test_records_tell_who_when_and_where(log: AuditLog) -> None:
    """Every record names user, time, machine and place in the chain."""
    records = log.records()
    assert [record.sequence for record in records] == [0, 1, 2, 3]
    assert all(record.user and record.host and record.at > 1e9 for record in records)
    assert [record.at for record in records] == sorted(record.at for record in records)


def test_a_whole_log_has_no_faults(log: AuditLog, store: Store) -> None:
    """A log nobody touched is whole, and so is one that was never begun."""
    report = check_audit(log, store.models)
    assert (report.records, report.findings, len(report.head)) == (4, (), 64)
    empty = check_audit(store.audit, store.models)
    assert (empty.records, empty.findings, empty.head) == (0, (), "")


def test_every_kind_of_tampering_is_found(log: AuditLog, store: Store) -> None:
    """Changed, removed, inserted, exchanged and cut lines are found by a fresh reader too."""
    lines = log.path.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b'"number":1', b'"number":7')
    for broken in (
        [lines[0], changed, *lines[2:]], [lines[0], *lines[2:]], [*lines, lines[1]],
        [b"x\n", *lines], [lines[1], lines[0], *lines[2:]], lines[:3], lines[:1], [],
        [lines[0], lines[1], lines[2], lines[3].replace(b'"number":3', b'"number":4')],
    ):  # fmt: skip
        log.path.write_bytes(b"".join(broken))
        for reader in (log, AuditLog(log.path)):
            assert faults(reader, store)
            with pytest.raises(StoreError, match="line"):
                reader.records()
            with pytest.raises(StoreError, match="line"):
                reader.append("event", {})
        assert log.path.read_bytes() == b"".join(broken)
    log.path.write_bytes(b"".join(lines))
    assert not faults(log, store)


def test_a_log_without_its_head_is_told(log: AuditLog, store: Store) -> None:
    """A missing or broken head is a fault; the next record writes it again."""
    head = log.path.with_suffix(".head")
    for wrong in (b"", b"1 2\n", None):
        head.unlink()
        if wrong is not None:
            head.write_bytes(wrong)
        assert "so a cut end would not show" in faults(log, store)[0]
    AuditLog(log.path).append("event", {})
    assert not faults(log, store)


def test_a_kill_before_the_head_is_no_fault(log: AuditLog, store: Store) -> None:
    """A head that tells an earlier record is what a killed writer leaves."""
    head = log.path.with_suffix(".head").read_bytes()
    log.append("event", {})
    log.path.with_suffix(".head").write_bytes(head)
    assert not faults(log, store)
    assert AuditLog(log.path).append("event", {}) == 5


def test_models_witness_the_log(store: Store) -> None:
    """A log cut together with its head still lacks registrations that the models tell of."""
    add_version(store, b"one")
    kept = [store.audit.path, store.audit.path.with_suffix(".head")]
    before = [path.read_bytes() for path in kept]
    add_version(store, b"two")
    for path, data in zip(kept, before, strict=True):
        path.write_bytes(data)
    assert check_audit(store.audit, store.models).findings == (
        "model version m/2 has no record of its registration",
    )


def test_the_log_witnesses_models(store: Store) -> None:
    """A version that is gone or was replaced is told."""
    fill(store)
    (store.root / "models/m/1.json").unlink()
    path = store.root / "models/m/2.json"
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    findings = check_audit(store.audit, store.models).findings
    assert "model version m/1 is gone or was replaced" in findings
    assert "model version m/2 is gone or was replaced" in findings


def test_several_writers_keep_one_chain(log: AuditLog) -> None:
    """Threads with one log and with logs of their own make one chain."""
    logs = [log, log, AuditLog(log.path), AuditLog(log.path)]

    def write(one: AuditLog) -> None:
        for number in range(10):
            one.append("event", {"number": number})

    threads = [threading.Thread(target=write, args=(one,)) for one in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.sequence for record in log.records()] == list(range(44))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_processes_keep_one_chain(log: AuditLog) -> None:
    """Processes at once, forked ones among them, make one chain."""
    code = """
import os, sys
from pathlib import Path
from mlops_nb.store.audit import AuditLog
log = AuditLog(Path(sys.argv[1]))
log.append("event", {})
child = os.fork()
for _ in range(10):
    log.append("event", {})
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""
    command = [sys.executable, "-c", code, str(log.path)]
    root = Path(__file__).parents[2]
    running = [subprocess.Popen(command, cwd=root) for _ in range(2)]
    assert [one.wait() for one in running] == [0, 0]
    assert [record.sequence for record in log.records()] == list(range(4 + 42))


def test_adding_reads_nothing_again(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first record after another's writing looks at what is there."""
    looked = []
    monkeypatch.setattr(ChainWriter, "_catch_up", lambda *_: looked.append(1))
    for _ in range(5):
        log.append("event", {})
    assert not looked
    with log.path.open("ab") as file:
        file.write(b"x")
    log.append("event", {})
    assert len(looked) == 1


def test_time_never_goes_back(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that was set back does not date a record before the one it follows."""
    last = log.records()[-1].at
    monkeypatch.setattr("time.time", lambda: 1.0)
    log.append("event", {})
    AuditLog(log.path).append("event", {})
    assert [record.at for record in log.records()[-3:]] == [last] * 3


def test_a_record_is_one_line_of_json(log: AuditLog) -> None:
    """The form on disk is what the reference page tells."""
    line = json.loads(log.path.read_bytes().splitlines()[2])
    assert list(line) == ["sequence", "at", "user", "host", "event", "document", "previous"]
