"""A store and a remote folder: what is pushed is pulled, and nothing hostile gets in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_nb.errors import InvalidValueError, MissingPackageError, RemoteError
from mlops_nb.store import Store
from mlops_nb.store.auditcheck import check_audit
from mlops_nb.store.remote import Remote, show_url
from mlops_nb.store.remotenames import find_kind
from mlops_nb.store.segments import (
    LONGEST_PART_BYTES,
    Segment,
    covered_to,
    is_whole,
    parse_segment,
)
from tests.store.remoting import (
    add_run,
    add_version,
    files_of,
    fill,
    make_store,
    pull,
    push,
    tell,
)

RUN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """Name the folder of a remote that is not there yet."""
    return tmp_path / "remote"


@pytest.fixture
def url(remote: Path) -> str:
    """Give the address of the remote."""
    return remote.as_uri()


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Give a second, empty store."""
    return make_store(tmp_path / "other")


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


# ------------------------------------------------------------------ damage and hostility
def test_damaged_parts_are_not_taken(store: Store, tmp_path: Path, remote: Path, url: str) -> None:
    """A flipped bit or a cut file anywhere on the remote is found and told; the rest arrives."""
    fill(store)
    push(store, url)
    names = [path for path in sorted(remote.rglob("*")) if path.is_file()]
    assert len(names) > 15
    for number, path in enumerate(names):
        if path.name == "remote.json":
            continue
        whole = path.read_bytes()
        place = len(whole) // 2
        flipped = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        path.write_bytes(flipped if number % 2 else whole[:-1])
        other = make_store(tmp_path / f"other-{number}")
        report = pull(other, url)
        assert report.damaged, path
        told = path.relative_to(remote).as_posix()
        assert any(told.startswith(name) or name.startswith(told) for name in report.damaged)
        assert not [one for one in files_of(other.root).values() if one in (flipped, whole[:-1])]
        path.write_bytes(whole)
        assert pull(other, url).is_clean
        assert tell(other) == tell(store)


@pytest.mark.parametrize(
    "key",
    [
        "runs/../../x/000000000000000-000000000000001-" + "0" * 64,
        "runs/x/run.json/000000000000000-000000000000001-" + "0" * 64 + ".end",
        f"runs/{RUN}/../../format.json/000000000000000-000000000000001-" + "0" * 64,
        f"runs/{RUN}/.env/000000000000000-000000000000001-" + "0" * 64,
        f"runs/{RUN}/events.log/000000000000005-000000000000001-" + "0" * 64,
        f"runs/{RUN.replace('0189', 'ABCD')}/events.log/000000000000000-000000000000001-" + "0" * 64,
        f"packs/ab/{'cd' * 32}.pack/000000000000000-000000000000001-" + "0" * 64 + ".end",
        "models/../1.json", "models/..m/1.json", "models/m/01.json", "models/m/1.json/x",
        "audit/audit.log/000000000000000-000000000000001-" + "0" * 64,
        "keys/boundary.key", "format.json/x",
    ],
)  # fmt: skip
def test_hostile_names_are_passed_over(other: Store, remote: Path, url: str, key: str) -> None:
    """A name that is not exactly of the format leads to no file at all."""
    push(other, url)
    before = files_of(other.root)
    folder = remote
    for part in key.split("/")[:-1]:
        folder = folder / part.replace("..", "dots")
    assert find_kind(key) is None
    path, _, name = key.rpartition("/")
    assert find_kind(path) is None or parse_segment(name) is None
    (remote / "models" / "m").mkdir(parents=True)
    if ".." not in key:
        folder.mkdir(parents=True, exist_ok=True)
        (remote / key).write_bytes(b"x")
    pull(other, url)
    assert files_of(other.root) == before


def test_a_document_that_lies_is_not_taken(other: Store, remote: Path, url: str) -> None:
    """A version's record must tell the name and the number of its file."""
    from mlops_nb.store.remote import pack_document

    push(other, url)
    (remote / "models" / "m").mkdir(parents=True)
    for number, text in enumerate([b'{"name": "x", "version": 1}', b"[]", b"{", b"\xff"], start=1):
        (remote / f"models/m/{number}.json").write_bytes(pack_document(text))
    assert len(pull(other, url).damaged) == 4
    assert other.models.names() == []


def test_chains_that_lie_are_not_taken(other: Store, remote: Path, url: str) -> None:
    """A chain that breaks, or is dated in the future, never reaches the store."""
    from mlops_nb.store.objects import digest_bytes

    push(other, url)
    fields = {
        "sequence": 0, "at": 9e18, "user": "u", "host": "h", "event": "alias.set",
        "document": {"name": "m"}, "previous": "0" * 64,
    }  # fmt: skip
    lies = [
        json.dumps(fields),
        json.dumps({**fields, "at": 1.0, "sequence": 4}),
        "{}",
        '{"at": NaN}',
    ]
    for number, lie in enumerate(lies):
        data = lie.encode() + b"\n"
        folder = remote / f"audit/00000000-0000-4000-8000-00000000000{number}.log"
        folder.mkdir(parents=True)
        (folder / Segment(0, len(data), digest_bytes(data)).name).write_bytes(data)
    assert len(pull(other, url).damaged) == 4
    assert not (other.root / "audit").exists() or not list((other.root / "audit").glob("*.log"))


def test_links_in_a_store_are_not_followed(
    store: Store, other: Store, tmp_path: Path, url: str
) -> None:
    """A folder of the store that is a link leads out of it: nothing is put there."""
    fill(store)
    push(store, url)
    (tmp_path / "outside").mkdir()
    (other.root / "runs").symlink_to(tmp_path / "outside")
    with pytest.raises(RemoteError, match="is a link"):
        pull(other, url)
    assert not list((tmp_path / "outside").iterdir())


# ------------------------------------------------------------------ kills and several at once
KILLED = """
import os, signal, sys
from pathlib import Path
from mlops_nb.store import open_store
from mlops_nb.store.{verb} import {verb}_store
left = [int(sys.argv[3])]
def stop(name, size):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
store = open_store(Path(sys.argv[1]))
{verb}_store(store.root, store.store_id, sys.argv[2], stop)
"""


def run_killed(verb: str, folder: Path, url: str, after: int) -> int:
    """Push or pull in a process that ends itself after so many files."""
    command = [sys.executable, "-c", KILLED.format(verb=verb), str(folder), url, str(after)]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_a_killed_push_goes_on(store: Store, tmp_path: Path, url: str, after: int) -> None:
    """After a kill all that is visible is whole, and the next push completes it."""
    fill(store)
    assert run_killed("push", store.root, url, after) == -9
    partly = make_store(tmp_path / "partly")
    assert pull(partly, url).is_clean
    for run in partly.search():
        for artifact in run.artifacts:
            assert partly.objects.read_bytes(artifact.digest)
    assert push(store, url).is_clean
    pull(partly, url)
    assert tell(partly) == tell(store)


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_a_killed_pull_goes_on(store: Store, other: Store, url: str, after: int) -> None:
    """After a kill the store is usable, and the next pull completes it."""
    fill(store)
    push(store, url)
    assert run_killed("pull", other.root, url, after) == -9
    for run in other.search():
        for artifact in run.artifacts:
            assert other.objects.read_bytes(artifact.digest)
    assert pull(other, url).is_clean
    assert tell(other) == tell(store)


def test_several_push_at_once(store: Store, other: Store, tmp_path: Path, url: str) -> None:
    """Pushes of one store and of another at once lose nothing and see no conflict."""
    fill(store)
    for number in range(3):
        add_run(other, f"other-{number}")
    threads = [threading.Thread(target=push, args=(one, url)) for one in (store, other, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    third = make_store(tmp_path / "third")
    assert pull(third, url).is_clean
    assert set(third.list_run_ids()) == {*store.list_run_ids(), *other.list_run_ids()}


def test_several_pull_at_once(store: Store, other: Store, url: str) -> None:
    """Pulls into one store at once leave every file whole."""
    fill(store)
    push(store, url)
    threads = [threading.Thread(target=pull, args=(other, url)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tell(other) == tell(store)


# ------------------------------------------------------------------ addresses and names
@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", "http://host/x", "s3://", "s3://user:secret@bucket/x", "s3://bucket/x?token=secret",
        "s3://bucket/../x", "s3://bucket//x", "file://host/x", "file:relative", "az://c/x#secret",
        "s3://[", "gs://bucket/a\nb",
    ],
)  # fmt: skip
def test_wrong_addresses_are_refused(wrong: str) -> None:
    """An address of another form is refused, and what may be secret in it is not repeated."""
    with pytest.raises(InvalidValueError, match="remote is") as told:
        Remote(wrong)
    assert "secret" not in str(told.value)
    assert "secret" not in show_url(wrong)


def test_nothing_there_is_said(other: Store, tmp_path: Path) -> None:
    """A pull from where nothing was pushed, or from another format, says so."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(RemoteError, match="nothing was pushed there"):
        pull(other, (tmp_path / "empty").as_uri())
    (tmp_path / "empty" / "remote.json").write_text('{"format": 9}')
    with pytest.raises(RemoteError, match="format 9"):
        pull(other, (tmp_path / "empty").as_uri())
    with pytest.raises(RemoteError):
        pull(other, (tmp_path / "missing").as_uri())
    assert not (tmp_path / "missing").exists()


def test_a_store_is_no_remote(store: Store, other: Store) -> None:
    """A folder that holds a store is not made a remote as well."""
    before = files_of(other.root)
    with pytest.raises(RemoteError, match="it is a store"):
        push(store, other.root.as_uri())
    assert files_of(other.root) == before


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Without obstore the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingPackageError, match=r"mlops-nb\[remote\]"):
        Remote(url)


def test_parts_cover_a_file_without_gaps() -> None:
    """Parts may overlap; a gap, or a part after the end of a file, counts for nothing."""
    zero = "0" * 64
    assert covered_to([]) == 0
    assert covered_to([Segment(0, 5, zero), Segment(3, 9, zero)]) == 9
    assert covered_to([Segment(0, 5, zero), Segment(6, 9, zero)]) == 5
    assert is_whole([Segment(0, 5, zero), Segment(5, 9, zero, is_last=True)])
    assert not is_whole([Segment(0, 4, zero), Segment(5, 9, zero, is_last=True)])
    assert is_whole([Segment(0, 0, zero, is_last=True)])


@pytest.mark.parametrize(
    "name",
    [
        "", "0-1-" + "0" * 64, f"{5:015d}-{5:015d}-{'0' * 64}", f"{6:015d}-{5:015d}-{'0' * 64}",
        f"{0:015d}-{LONGEST_PART_BYTES + 1:015d}-{'0' * 64}", f"{0:015d}-{5:015d}-{'G' * 64}",
        f"{0:015d}-{5:015d}-{'0' * 64}.end\n", f"{0:015d}-{5:015d}-{'0' * 64}.END",
    ],
)  # fmt: skip
def test_names_of_parts_are_exact(name: str) -> None:
    """What is not exactly the name of a part is none."""
    assert parse_segment(name) is None
    good = Segment(3, 9, "a" * 64, is_last=True)
    assert parse_segment(good.name) == good
