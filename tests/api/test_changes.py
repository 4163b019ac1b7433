"""Every change of a store's state is on record: who, when, from where, and what it was before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

import mlops_nb as mlops
from mlops_nb.errors import ModelNotFoundError
from mlops_nb.store import Store


def register() -> None:
    """Register a version of the model ``m``."""
    mlops.register_model(
        LogisticRegression().fit([[0.0], [1.0]], [0, 1]), name="m", example=[[0.0]]
    )


def name_both() -> None:
    """Register two versions and let an alias name the first."""
    register()
    register()
    mlops.set_alias("m", "champion", 1)


def delete_one() -> None:
    """Record a run and delete it."""
    with mlops.start_run("one"):
        mlops.log_metric("a", 1.0)
    mlops.delete_run("one", "a mistake")


def pull_one(tmp_path: Path) -> None:
    """Pull a store of another origin."""
    register()
    url = (tmp_path / "remote").as_uri()
    mlops.push_store(url)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLOPS_NB_STORE", str(tmp_path / "store2"))
        mlops.pull_store(url)
        (tmp_path / "store2/audit/audit.log").replace(tmp_path / "told")


# What is done before, the change, the event, and a part of what is recorded of it.
CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], Any], str, dict[str, Any]]] = {
    "register": (lambda: None, register, "model.registered", {"name": "m", "version": 1}),
    "alias": (
        register,
        lambda: mlops.set_alias("m", "champion", 1),
        "alias.set",
        {"alias": "champion", "version": 1, "before": None},
    ),
    "promote": (
        name_both,
        lambda: mlops.set_alias("m", "champion", 2, "better recall"),
        "alias.set",
        {"version": 2, "before": 1, "reason": "better recall"},
    ),
    "delete an alias": (
        name_both,
        lambda: mlops.delete_alias("m", "champion", "retired"),
        "alias.deleted",
        {"alias": "champion", "before": 1, "reason": "retired"},
    ),
    "delete a run": (lambda: None, delete_one, "run.deleted", {"name": "one", "reason": "a mistake"}),
    "restore a run": (delete_one, lambda: mlops.restore_run("one"), "run.restored", {}),
    "purge a run": (delete_one, lambda: mlops.collect_garbage(0), "run.purged", {}),
    "collect": (register, lambda: mlops.collect_garbage(60), "store.collected", {"grace_s": 60}),
    "verify": (register, mlops.verify_store, "store.verified", {"damaged_count": 0}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_on_record(store: Store, change: str) -> None:
    """The record tells the event, who, when, from where, and the facts; the chain stays whole."""
    prepare, perform, event, facts = CHANGES[change]
    prepare()
    before = len(mlops.list_audit())
    perform()
    added = mlops.list_audit()[before:]
    record = next(record for record in added if record.event == event)
    assert record.user
    assert record.host
    assert record.at > 1e9
    assert {key: record.document.get(key) for key in facts} == facts
    assert mlops.verify_audit().findings == ()


def test_trusting_what_came_from_elsewhere_is_on_record(store: Store, tmp_path: Path) -> None:
    """A pull names the remote and the chains that came with it."""
    pull_one(tmp_path)
    told = (tmp_path / "told").read_text()
    assert '"event":"store.pulled"' in told
    assert (tmp_path / "remote").as_uri() in told
    assert store.store_id in told


def test_a_deleted_alias_names_nothing(store: Store) -> None:
    """After its deletion an alias is unknown, the versions stay, and it can be set again."""
    name_both()
    assert mlops.delete_alias("m", "champion").version == 1
    with pytest.raises(ModelNotFoundError):
        mlops.get_model("m@champion")
    with pytest.raises(ModelNotFoundError):
        mlops.delete_alias("m", "champion")
    with pytest.raises(ModelNotFoundError):
        mlops.delete_alias("nothing", "champion")
    assert [version.aliases for version in mlops.list_models()] == [(), ()]
    assert mlops.set_alias("m", "champion", 2).aliases == ("champion",)
