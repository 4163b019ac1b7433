"""Chains of changes under attack, kill and fork: what can be found is found, nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_nb.errors import StoreError
from mlops_nb.store import Store, auditwriter, open_store
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.auditcheck import check_audit
from tests.store.remoting import add_version, make_store, pull, push

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
Lines = list[bytes]


def swap(lines: Lines) -> Lines:
    """Give two lines each other's place."""
    return [lines[0], lines[2], lines[1], *lines[3:]]


TAMPERED: dict[str, Callable[[Lines], Lines]] = {
    "edited at the start": lambda lines: [lines[0].replace(b"m", b"n", 1), *lines[1:]],
    "edited within": lambda lines: [lines[0], lines[1].replace(b'"document":', b'"document": '), *lines[2:]],
    "edited at the end": lambda lines: [*lines[:-1], lines[-1].replace(b"version", b"veraion")],
    "another time": lambda lines: [lines[0], lines[1].replace(b'"at":', b'"at":1'), *lines[2:]],
    "another person": lambda lines: [lines[0], lines[1].replace(b'"user":"', b'"user":"x'), *lines[2:]],
    "deleted at the start": lambda lines: lines[1:],
    "deleted within": lambda lines: [lines[0], *lines[2:]],
    "cut by one": lambda lines: lines[:-1],
    "cut to one": lambda lines: lines[:1],
    "emptied": lambda lines: [],
    "torn": lambda lines: [*lines[:-1], lines[-1][:-9]],
    "reordered": swap,
    "repeated": lambda lines: [*lines, lines[-1]],
    "inserted": lambda lines: [lines[0], lines[0], *lines[1:]],
    "inserted by hand": lambda lines: [*lines, b'{"sequence":4,"at":1.0}\n'],
    "no text": lambda lines: [*lines, b"\xff\x00\n"],
}  # fmt: skip


@pytest.fixture
def kept(store: Store) -> Store:
    """Give a store with four changes."""
    add_version(store, b"one")
    add_version(store, b"two")
    for version in (1, 2):
        store.models.set_alias("m", "champion", version)
    assert check_audit(store.audit, store.models).findings == ()
    return store


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found(kept: Store, tmp_path: Path, how: str) -> None:
    """Each is told by the check, and a process that begins now adds nothing to the chain."""
    path = kept.audit.path
    lines = path.read_bytes().splitlines(keepends=True)
    spoiled = b"".join(TAMPERED[how](lines))
    path.write_bytes(spoiled)
    assert check_audit(kept.audit, kept.models).findings
    with pytest.raises(StoreError):
        AuditLog(path).append("event", {})
    assert path.read_bytes() == spoiled
    path.write_bytes(b"".join(lines))
    assert not check_audit(kept.audit, kept.models).findings


@pytest.mark.parametrize("gone", [["log"], ["head"], ["log", "head"]])
def test_a_missing_chain_is_found(kept: Store, gone: list[str]) -> None:
    """A log that is gone is told by its head, and where both are gone by the models."""
    for suffix in gone:
        kept.audit.path.with_suffix(f".{suffix}").unlink()
    findings = check_audit(kept.audit, kept.models).findings
    expected = {
        "log": "audit.log: line 4, which was its last, is no longer there",
        "head": "audit.log: its .head file is missing or broken, so a cut end would not show",
        "log head": "model version m/1 has no record of its registration",
    }
    assert expected[" ".join(gone)] in findings


@pytest.mark.parametrize("gone", [["log"], ["head"], ["log", "head"]])
def test_a_missing_pulled_chain_is_found(kept: Store, tmp_path: Path, gone: list[str]) -> None:
    """The record of a pull names the chains that came with it, so none vanishes unseen."""
    push(kept, (tmp_path / "remote").as_uri())
    other = make_store(tmp_path / "other")
    pull(other, (tmp_path / "remote").as_uri())
    other.audit.append("store.pulled", {"chains": other.audit.pulled()})
    assert not check_audit(other.audit, other.models).findings
    for suffix in gone:
        (other.root / f"audit/{kept.store_id}.{suffix}").unlink()
    findings = check_audit(other.audit, other.models).findings
    assert any(kept.store_id in finding for finding in findings)


def test_a_pulled_chain_cut_with_its_head_is_found(kept: Store, tmp_path: Path) -> None:
    """Who cuts a chain of another store and its head is told by the record of the pull."""
    push(kept, (tmp_path / "remote").as_uri())
    other = make_store(tmp_path / "other")
    pull(other, (tmp_path / "remote").as_uri())
    other.audit.append("store.pulled", {"chains": other.audit.pulled()})
    path = other.root / f"audit/{kept.store_id}.log"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    path.with_suffix(".head").unlink()
    findings = check_audit(other.audit, other.models).findings
    assert f"{kept.store_id}.log: line 4, which was pulled, is not there" in findings


# Written before the files were held open; every later version reads it and goes on with it.
GOLDEN = (
    b'{"sequence":0,"at":1763740800.75,"user":"ana","host":"forge","event":"model.registered",'
    b'"document":{"name":"m","version":1,"digest":"' + b"0" * 64 + b'","run_id":null},'
    b'"previous":"' + b"0" * 64 + b'"}\n'
    b'{"sequence":1,"at":1763740801.25,"user":"ana","host":"forge","event":"alias.set",'
    b'"document":{"name":"m","alias":"champion","version":1,"digest":"' + b"0" * 64 + b'",'
    b'"before":null},'
    b'"previous":"27e4498fc44332d3690470693fb23820a465eec9bd0a900cb3c16fea022d498b"}\n'
    b'{"sequence":2,"at":1763740801.75,"user":"ana","host":"forge","event":"note",'
    b'"document":{"text":"\\u00e9 \\ud83d\\ude42 \\udc80","list":[1,2.5,true]},'
    b'"previous":"3cabac6d4c9e3474c98f51bd7222a5c4ec5f85811b4a933ee3e38ee444a79304"}\n'
)
GOLDEN_HEAD = (
    b"00000000000000000002 00448cef93cd0b854bcd12bc87e0a6162bac7d79aeb3d7d37f032d927f905b4e\n"
)


def test_the_first_format_is_read_and_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain of the first version is whole, is added to, and what is added has the same form."""
    path = tmp_path / "audit.log"
    path.write_bytes(GOLDEN)
    path.with_suffix(".head").write_bytes(GOLDEN_HEAD)
    log = AuditLog(path)
    assert [record.event for record in log.records()] == ["model.registered", "alias.set", "note"]
    assert log.append("event", {}) == 3
    assert len(log.records()) == 4
    again = AuditLog(tmp_path / "again/audit.log")
    monkeypatch.setattr(auditwriter, "find_user", lambda: "ana")
    monkeypatch.setattr("platform.node", lambda: "forge")
    for record in log.records()[:3]:
        monkeypatch.setattr("time.time", lambda at=record.at: at)
        again.append(record.event, record.document)
    assert again.path.read_bytes() == GOLDEN
    assert again.path.with_suffix(".head").read_bytes() == GOLDEN_HEAD


# ------------------------------------------------------------------ kill, fork, deletion
@needs_fork
def test_what_returned_survives_a_kill(tmp_path: Path) -> None:
    """After SIGKILL at 40 moments the chain is whole and holds every record that returned."""
    path = tmp_path / "audit/audit.log"
    total = 0
    for moment in range(40):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            log = AuditLog(path)
            while True:
                os.write(writing, b"%d\n" % log.append("event", {"text": "x" * moment * 50}))
        os.close(writing)
        told = b""
        while told.count(b"\n") < 1 + moment % 5:
            told += os.read(reading, 4096)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while more := os.read(reading, 65536):
            told += more
        os.close(reading)
        last = int(told[: told.rindex(b"\n")].split()[-1])
        records = AuditLog(path).records()
        assert [record.sequence for record in records] == list(range(len(records)))
        assert len(records) > last >= total
        total = last


@needs_fork
def test_a_forked_child_opens_files_of_its_own(tmp_path: Path) -> None:
    """A child holds none of its parent's files, so it can neither keep nor lend the lock."""
    log = AuditLog(tmp_path / "audit/audit.log")
    log.append("event", {"who": "parent"})
    writer = log._writer
    assert writer is not None
    held = set(writer._handles.values())
    is_taken = threading.Event()
    is_done = threading.Event()

    def hold() -> None:
        with writer._lock:
            is_taken.set()
            is_done.wait()

    holding = threading.Thread(target=hold)  # another thread is within a call as the fork happens
    holding.start()
    is_taken.wait()
    pid = os.fork()
    if pid == 0:
        code = 0 if not writer._handles else 1
        log.append("event", {"who": "child"})
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    is_done.set()
    holding.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert set(writer._handles.values()) == held
    log.append("event", {"who": "parent"})
    assert [record.document["who"] for record in log.records()] == ["parent", "child", "parent"]


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be deleted")
def test_a_deleted_log_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are open, but no longer at their paths, are not written to."""
    monkeypatch.setattr(auditwriter, "_GLANCE_S", 0.0)
    log = AuditLog(tmp_path / "store/audit/audit.log")
    for number in range(3):
        log.append("event", {"number": number})
    shutil.move(tmp_path / "store", tmp_path / "trash")
    assert log.append("event", {"number": 3}) == 0
    assert [record.document["number"] for record in log.records()] == [3]
    shutil.rmtree(tmp_path / "store")
    assert log.append("event", {"number": 4}) == 0
    assert not check_audit(log, open_store(tmp_path / "other").models).findings


def test_a_change_in_place_is_seen_by_a_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has the log open notices that a line before its own was changed."""
    monkeypatch.setattr(auditwriter, "_GLANCE_S", 0.0)
    log = AuditLog(tmp_path / "audit/audit.log")
    for number in range(3):
        log.append("event", {"number": number})
    with log.path.open("r+b") as file:
        file.write(b"[")
    later = log.path.stat().st_mtime_ns + 1_000_000_000
    os.utime(log.path, ns=(later, later))
    with pytest.raises(StoreError, match="line 1"):
        log.append("event", {})


def test_only_one_store_holds_its_files(tmp_path: Path) -> None:
    """A process that knows many stores does not run out of files."""
    logs = [AuditLog(tmp_path / f"{number}/audit.log") for number in range(20)]
    for log in logs:
        log.append("event", {})
    holding = [log for log in logs if log._writer is not None and log._writer._handles]
    assert len(holding) == (1 if auditwriter._HOLDS else 0)
    assert [log.append("event", {}) for log in logs] == [1] * 20
