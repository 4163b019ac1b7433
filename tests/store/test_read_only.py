"""A store that may not be written: all of it is read, every change is refused with a word."""

from __future__ import annotations

import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops_nb.errors import MLOpsError
from mlops_nb.store import Store, open_store
from mlops_nb.store.auditcheck import check_audit
from mlops_nb.store.deletion import delete_run
from mlops_nb.store.scrub import verify_objects
from mlops_nb.store.upkeep import collect_store, read_stats
from tests.store.remoting import add_run, add_version

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
_NOBODY = 65534


@pytest.fixture
def sealed() -> Iterator[Store]:
    """Give a store whose files and folders nobody may write, in a place that all may enter."""
    place = Path(tempfile.mkdtemp(prefix="mlops-nb-"))
    place.chmod(0o755)
    store = open_store(place / "store", cache=place / "cache")
    add_run(store, "one")
    add_version(store)
    store.models.set_alias("m", "champion", 1)
    shutil.rmtree(place / "cache", ignore_errors=True)
    for path in [*store.root.rglob("*"), store.root, place]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield store
    for path in [place, store.root, *store.root.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(place)


def perform(work: Callable[[], None]) -> str:
    """Work in a process that has no right to write, and give its traceback where it failed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            if os.geteuid() == 0:  # whom no permission stops
                os.setgroups([])
                os.setgid(_NOBODY)
                os.setuid(_NOBODY)
            work()
        except BaseException:  # noqa: BLE001 - told through the pipe
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a handle
        told = pipe.read().decode()
    os.waitpid(pid, 0)
    return told


def test_everything_is_read(sealed: Store) -> None:
    """Runs, series, objects, models, chains and counts are read without a writable byte anywhere."""

    def read() -> None:
        store = Store(
            sealed.root, sealed.store_id, sealed.root.parent / "cache", sealed.objects.cut
        )
        (run,) = store.search()
        assert run.name == "one"
        assert store.find_run("one") == run.run_id
        assert store.read_run(run.run_id).metrics == {"acc": 1.9, "loss": 1.0}
        assert len(store.read_metric_history(run.run_id, "acc")) == 20
        assert len(store.objects.read_bytes(run.artifacts[0].digest)) == 2000
        assert store.models.get("m", 1).aliases == ("champion",)
        assert check_audit(store.audit, store.models).findings == ()
        assert verify_objects(store.objects).damaged == []
        assert read_stats(store)["packs"] == 2

    assert perform(read) == ""


def test_every_change_is_refused(sealed: Store) -> None:
    """Each way to write is an error that names the reason, and leaves the store as it was."""

    def write() -> None:
        store = Store(
            sealed.root, sealed.store_id, sealed.root.parent / "cache", sealed.objects.cut
        )
        run_id = store.list_run_ids()[0]
        calls: list[Callable[[], object]] = [
            lambda: store.start_run({"name": "two", "experiment": "e"}),
            lambda: store.reopen_run(run_id).log_metric("m", 1.0, 0),
            lambda: store.objects.put_bytes(b"new"),
            lambda: add_version(store, b"two"),
            lambda: store.models.set_alias("m", "other", 1),
            lambda: store.models.delete_alias("m", "champion"),
            lambda: delete_run(store.root, store.audit, run_id),
            lambda: store.audit.append("event", {}),
            lambda: collect_store(store, grace_s=0),
        ]
        for call in calls:
            with pytest.raises((OSError, MLOpsError), match=r"ermission denied|ead-only"):
                call()

    def list_all() -> dict[str, bytes]:
        paths = (path for path in sealed.root.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in paths}

    before = list_all()
    assert perform(write) == ""
    assert list_all() == before
