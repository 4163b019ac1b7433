"""Names in every script, with paths, quotes and code in them: kept as they are, and harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlops_nb as mlops
from mlops_nb.errors import InvalidValueError, MLOpsError
from mlops_nb.store import Store

# One name a line of what people write: scripts, directions, combined signs, and other languages' code.
NAMES = (
    "Größe", "精度", "точность", "دقّة", "דיוק", "सटीकता", "ความแม่นยำ", "정확도", "πρόσβαση", "թեստ", "ტესტი",
    "e\u0301 and é", "می\u200cخواهم", "क्\u200dष", "👩‍🔬🏳️‍🌈", "İstanbul", "ﬁle", "a b", "'; DROP TABLE run; --", '"x" "y"', "`x`",  # noqa: RUF001 - scripts, not spoofs
    "100% _like_", "{0} %s $(x) <b>&amp;</b>", "../up", "a/../b", "con", "-x --help", "NULL", "1e5", "x" * 200,
)  # fmt: skip


def list_named(store: Store) -> list[Path]:
    """List what has been named in a store; a snapshot of the environment may arrive at any time."""
    folders = ("runs", "models", "audit", "deleted")
    return sorted(path for folder in folders for path in (store.root / folder).rglob("*"))


@pytest.mark.parametrize("name", NAMES)
def test_names_are_kept_as_they_are(store: Store, name: str) -> None:
    """A run, experiment, param, tag and metric of any name is found by it and read back equal."""
    with mlops.start_run(name, experiment=name, tags={name: name}) as run:
        mlops.log_param(name, name)
        mlops.log_metric(name, 0.5)
    with mlops.start_run("another"):
        mlops.log_metric("m", 1.0)
    found = mlops.get_run(run.run_id)
    assert (found.name, found.experiment) == (name, name)
    assert found.params == {name: name}
    assert found.tags[name] == name
    assert found.metrics == {name: 0.5}
    quoted = name.replace("\\", "\\\\").replace("'", "''")
    (listed,) = mlops.list_runs(f"attributes.name = '{quoted}' and experiment = '{quoted}'")
    assert (listed.run_id, listed.params, listed.metrics) == (
        run.run_id,
        found.params,
        found.metrics,
    )
    assert [point.value for point in mlops.get_metric_history(run.run_id, name)] == [0.5]
    if not {"`", '"'} & {*name}:
        assert len(mlops.list_runs(f"params.`{name}` = '{quoted}' and metrics.`{name}` < 1")) == 1
    assert {path.name for path in store.root.parent.iterdir()} <= {"store", "cache"}


@pytest.mark.parametrize("name", [name for name in NAMES if ".." not in name and "/" not in name])
def test_artifacts_have_any_name(store: Store, tmp_path: Path, name: str) -> None:
    """An artifact of any name is kept under it; no file of the store is named by it."""
    file = tmp_path / "data.txt"
    file.write_text("data")
    with mlops.start_run("r") as run:
        mlops.log_artifact(file, name)
        mlops.log_artifact(file, f"folder/{name}.txt")
    assert mlops.read_artifact(run.run_id, name) == b"data"
    assert mlops.read_artifact(run.run_id, f"folder/{name}.txt") == b"data"
    assert all(path.name.isascii() for path in store.root.rglob("*"))


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "/etc/passwd",
        "a/../../b",
        "C:\\x",
        "a\0b",
        "a\nb",
        "",
        "\u202eabc",
        "\ud800",
    ],
)
def test_names_that_lead_elsewhere_are_refused(store: Store, tmp_path: Path, name: str) -> None:
    """No artifact, model or alias leaves its place, and nothing is written by the attempt."""
    file = tmp_path / "data.txt"
    file.write_text("data")
    with mlops.start_run("r") as run, pytest.raises(InvalidValueError):
        mlops.log_artifact(file, name)
    before = list_named(store)
    for call in (
        lambda: mlops.set_alias("m", name, 1),
        lambda: mlops.set_alias(name, "champion", 1),
        lambda: mlops.delete_alias(name, "champion"),
        lambda: mlops.get_model(name),
        lambda: mlops.delete_run(name),
        lambda: mlops.restore_run(name),
        lambda: mlops.read_artifact(run.run_id, name),
    ):
        with pytest.raises(MLOpsError):
            call()
    assert list_named(store) == before


def test_links_are_followed_for_what_was_named_only(store: Store, tmp_path: Path) -> None:
    """A link is kept as what it leads to; links to folders and loops inside a folder are passed over."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").symlink_to("a.txt")
    (folder / "out").symlink_to(outside)
    (folder / "loop").symlink_to("loop")
    (tmp_path / "link.txt").symlink_to(folder / "a.txt")
    with mlops.start_run("r") as run:
        mlops.log_artifact(tmp_path / "link.txt")
        mlops.log_artifact(folder)
    kept = {entry.path for entry in mlops.get_run(run.run_id).artifacts}
    assert kept == {"link.txt", "folder/a.txt", "folder/b.txt"}
    assert mlops.read_artifact(run.run_id, "folder/b.txt") == b"a"


def test_a_linked_run_is_deleted_and_its_target_stays(store: Store, tmp_path: Path) -> None:
    """Where a run's folder is a link, deleting and collecting take the link, not what it leads to."""
    with mlops.start_run("r") as run:
        mlops.log_metric("m", 1.0)
    folder = store.root / "runs" / run.run_id
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    mlops.delete_run(run.run_id)
    assert mlops.list_runs() == []
    mlops.collect_garbage(0)
    assert (tmp_path / "elsewhere" / "run.json").is_file()
    assert not folder.exists()


def test_large_params_in_the_log_are_read(store: Store) -> None:
    """A log that holds a value of 10 MB, as an earlier version could write it, is read and listed."""
    log = store.start_run({"name": "r", "experiment": "e"})
    log.append({"type": "params", "params": {"p": "y" * 10_000_000, "q": 10**400}})
    log.end("finished")
    (found,) = store.search()
    assert len(found.params["p"]) == 10_000_000
    assert store.read_run(log.run_id).params["q"] == 10**400
