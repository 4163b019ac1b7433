"""Stores to push and pull, and servers to push to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mlops_nb.records import TransferReport
from mlops_nb.store import Store, open_store
from mlops_nb.store.pull import pull_store
from mlops_nb.store.push import push_store

VERSION: dict[str, Any] = {
    "name": "m", "flavor": "skops", "digest": "0" * 64, "size_bytes": 1, "registered_at": 1.0,
}  # fmt: skip


def make_store(folder: Path) -> Store:
    """Open a store with its cache beside it."""
    return open_store(folder, cache=folder.with_name(f"{folder.name}-cache"))


def add_run(store: Store, name: str, size_bytes: int = 2000, points: int = 20) -> str:
    """Record a run with metrics, params and an artifact, and give its id."""
    digest = store.objects.put_bytes(os.urandom(size_bytes))
    log = store.start_run({"name": name, "experiment": "e"})
    for step in range(points):
        log.log_metrics({"acc": step / 10, "loss": 1.0}, step)
    log.append({"type": "params", "params": {"size": size_bytes}})
    artifact = {"path": "a.bin", "digest": digest, "size": size_bytes, "size_bytes": size_bytes}
    log.append({"type": "artifact", "media_type": "application/octet-stream", **artifact})
    log.end("finished")
    log.close()
    return log.run_id


def add_version(store: Store, data: bytes = b"model") -> int:
    """Register a version of the model ``m`` and give its number."""
    digest = store.objects.put_bytes(data)
    return store.models.create_version({**VERSION, "digest": digest}).version


def fill(store: Store) -> None:
    """Record three runs, two versions and an alias."""
    for number in range(3):
        add_run(store, f"run-{number}")
    add_version(store, b"first")
    add_version(store, b"second")
    store.models.set_alias("m", "champion", 2)


def push(store: Store, url: str) -> TransferReport:
    """Push a store."""
    return push_store(store.root, store.store_id, url)


def pull(store: Store, url: str) -> TransferReport:
    """Pull into a store."""
    return pull_store(store.root, store.store_id, url)


def tell(store: Store) -> Any:
    """Give all that can be asked of a store, with the bytes of every artifact."""
    runs = [store.read_run(run_id) for run_id in store.list_run_ids()]
    return {
        "runs": runs,
        "found": store.search("metrics.acc > 0.5", ["metrics.acc DESC"]),
        "bytes": [store.objects.read_bytes(one.digest) for run in runs for one in run.artifacts],
        "models": [store.models.get("m", number) for number in store.models.versions("m")],
        "aliases": store.models.aliases("m"),
    }


def files_of(folder: Path) -> dict[str, bytes]:
    """Give every file below a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
