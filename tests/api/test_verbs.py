"""The verbs do what they say, and refuse what they cannot do, before anything is written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import mlops_nb as mlops
from mlops_nb import api
from mlops_nb.errors import (
    InvalidValueError,
    MLOpsError,
    ModelNotFoundError,
    NotebookError,
    NotFoundError,
    RunNotFoundError,
    StoreError,
)
from mlops_nb.store import Store
from mlops_nb.tracking import current_session

PROJECT = Path(__file__).resolve().parents[2]


def wait_for_environment() -> None:
    """Wait until the background thread has kept the environment."""
    session = current_session()
    assert session is not None
    assert session.background is not None
    session.background.join()


def test_search_gives_mlflow_columns(store: Store) -> None:
    """The table has MLflow's columns and kinds: texts for params, numbers for metrics, UTC times."""
    with mlops.start_run("a", tags={"team": "red"}):
        mlops.log_params({"C": 0.5, "solver": "lbfgs"})
        mlops.log_metric("acc", 0.9)
    with mlops.start_run("b"):
        mlops.log_metric("loss", 1.0)
    table = mlops.search_runs(order_by=["start_time ASC"])
    assert list(table.columns) == [
        "run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time", "params.C", "params.solver",
        "metrics.acc", "metrics.loss", "tags.mlflow.runName", "tags.team",
    ]  # fmt: skip
    assert list(table["params.C"]) == ["0.5", None]
    assert list(table["status"]) == ["FINISHED", "FINISHED"]
    assert table["metrics.acc"].iloc[0] == 0.9
    assert np.isnan(table["metrics.acc"].iloc[1])
    assert str(table["start_time"].dt.tz) == "UTC"
    assert (table["end_time"] >= table["start_time"]).all()
    assert list(mlops.search_runs("metrics.acc > 0.5")["run_id"]) == [table["run_id"].iloc[0]]
    assert len(mlops.search_runs(limit=1)) == 1


def test_search_of_nothing_is_an_empty_table() -> None:
    """A store without runs gives a table with the fixed columns."""
    table = mlops.search_runs()
    assert len(table) == 0
    assert {"run_id", "status", "start_time"} <= set(table.columns)


def test_an_open_run_has_no_end() -> None:
    """A run that is still recorded is RUNNING and its end is missing."""
    mlops.start_run("open")
    table = mlops.search_runs()
    assert table["status"].iloc[0] == "RUNNING"
    assert pd.isna(table["end_time"].iloc[0])


def test_compare_shows_differences_first() -> None:
    """What differs comes before what is the same, group by group."""
    for name, rate in (("a", 0.1), ("b", 0.2)):
        with mlops.start_run(name):
            mlops.log_params({"same": 1, "rate": rate, "missing": float("nan")})
            mlops.log_metric("acc", rate)
    rows = mlops.compare_runs("a", "b").rows
    assert rows[:2] == (("metric", "acc", (0.1, 0.2), True), ("param", "rate", (0.1, 0.2), True))
    assert ("param", "same", (1, 1), False) in rows
    assert [row[3] for row in rows if row[1] == "missing"] == [False]
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)


def test_compare_tells_what_changed_in_the_environment(store: Store) -> None:
    """Runs of two environments show the packages that differ, and only those."""
    for version in ("1.0", "2.0"):
        with mlops.start_run(version) as run:
            wait_for_environment()
            run.log_environment(store.objects.put_json({"packages": {"numpy": version, "x": "1"}}))
    rows = [row for row in mlops.compare_runs("1.0", "2.0").rows if row[0] == "environment"]
    assert rows == [("environment", "packages.numpy", ("1.0", "2.0"), True)]


def test_compare_needs_two() -> None:
    """One run cannot be compared."""
    mlops.start_run("only")
    with pytest.raises(InvalidValueError, match="two or more runs"):
        mlops.compare_runs("only")


def test_compare_with_the_one_before() -> None:
    """One run is put beside the best of its name, or beside the last that began before it."""
    ids = []
    for rate, score in ((1, 0.9), (2, 0.5), (3, 0.7)):
        with mlops.start_run("it's \\ it") as run:
            mlops.log_param("rate", rate)
            mlops.log_metric("acc", score)
        ids.append(run.run_id)
    best = mlops.compare_runs(ids[2])
    previous = mlops.compare_runs(ids[2], beside="previous")
    for comparison, found, metric in ((best, 0, "acc"), (previous, 1, None)):
        assert [run.run_id for run in comparison.runs] == [ids[found], ids[2]]
        assert comparison.metric == metric
        assert ("param", "rate", (found + 1, 3), True) in comparison.rows
    with pytest.raises(InvalidValueError, match="another before it"):
        mlops.compare_runs(ids[0], beside="previous")
    with pytest.raises(InvalidValueError, match="best or previous"):
        mlops.compare_runs(ids[0], beside="worst")  # type: ignore[arg-type]


def test_runs_of_a_notebook(tmp_path: Path) -> None:
    """The panel asks for the runs of one notebook, whatever its path holds."""
    notebook = tmp_path / "it's \\ a.ipynb"
    api.open_session(str(notebook))
    index = api.begin_cell("x = 1")
    assert index is not None
    with mlops.start_run("mine"):
        assert len(api.touched_runs()) == 1
        api.attach_output(b"png", "image/png", "figure.png")
    (ended,) = api.end_cell(index)
    assert [artifact.path for artifact in ended.artifacts] == ["figure.png"]
    api.open_session(str(tmp_path / "other.ipynb"))
    with mlops.start_run("other"):
        pass
    assert [run.name for run in mlops.list_runs(notebook=str(notebook))] == ["mine"]
    assert [run.name for run in mlops.list_runs("name = 'other'", notebook=str(notebook))] == []
    assert [run.name for run in mlops.list_runs(limit=1, offset=1)] == ["mine"]


def test_another_projects_store_is_read_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at a folder where nothing was recorded shows nothing and makes nothing."""
    monkeypatch.delenv("MLOPS_NB_STORE")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    assert mlops.list_runs(start=tmp_path / "project") == []
    assert not (tmp_path / "project" / ".mlops").exists()
    monkeypatch.chdir(tmp_path / "project")
    mlops.start_run("there")
    monkeypatch.chdir(tmp_path)
    assert [run.name for run in mlops.list_runs(start=tmp_path / "project")] == ["there"]
    assert mlops.get_run("there", start=tmp_path / "project").name == "there"


def test_unknown_names_are_refused_with_near_misses(store: Store) -> None:
    """Unknown runs, metrics and models are named; nothing is written."""
    with mlops.start_run("baseline"):
        mlops.log_metric("accuracy", 1.0)
    wait_for_environment()
    before = sorted(path for path in store.root.rglob("*") if path.is_file())
    with pytest.raises(RunNotFoundError, match="Did you mean 'baseline'"):
        mlops.get_run("basline")
    with pytest.raises(NotFoundError, match="Did you mean 'accuracy'"):
        mlops.get_metric_history("baseline", "acuracy")
    with pytest.raises(ModelNotFoundError, match="There is no model yet"):
        mlops.load_model("m@champion")
    with pytest.raises(NotebookError, match=r"nb\.ipynb"):
        mlops.plan_pipeline("nb.ipynb")
    with pytest.raises(InvalidValueError, match="export format is 'java'"):
        mlops.export_notebook("nb.ipynb", to="java")
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == before


def test_a_model_is_registered_named_and_loaded(store: Store) -> None:
    """Registering by verb keeps the model with its lineage; aliases move; loading gives it back."""
    rows, labels = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    model = LogisticRegression().fit(rows, labels)
    with mlops.start_run("training") as run:
        mlops.log_metric("acc", 0.5)
    version = mlops.register_model(
        model, name="m", alias="champion", run_id=run.run_id, example=rows
    )
    assert (version.version, version.run_id, version.metrics) == (1, run.run_id, {"acc": 0.5})
    assert (mlops.load_model("m@champion").predict(rows) == model.predict(rows)).all()
    assert mlops.set_alias("m", "candidate", 1).aliases == ("candidate", "champion")
    assert [entry.version for entry in mlops.list_models()] == [1]
    assert mlops.get_model("m").version == 1
    assert [record.event for record in store.audit.records()] == [
        "model.registered",
        "alias.set",
        "alias.set",
    ]


def test_data_is_kept_by_content_and_named_in_the_run(store: Store) -> None:
    """A snapshot has the data's fingerprint and bytes, and the active run names it."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    with mlops.start_run() as run:
        record = mlops.snapshot_data(frame, "table")
    assert record.digest is not None
    assert store.objects.has(record.digest)
    assert store.read_run(run.run_id).datasets[0].fingerprint == record.fingerprint
    assert mlops.snapshot_data(frame.copy(), "again").fingerprint == record.fingerprint
    with pytest.raises(InvalidValueError, match="data is"):
        mlops.snapshot_data(object(), "thing")


def test_environment_is_a_document(store: Store) -> None:
    """The environment names Python and every package, and the same one is kept once."""
    first, again = mlops.snapshot_environment(), mlops.snapshot_environment()
    assert first["digest"] == again["digest"]
    text = str(first["document"])
    assert "numpy" in text
    assert sys.version.split()[0] in text


def test_runs_name_environment_and_code(store: Store) -> None:
    """A script's run names the environment it ran in, though it is read in the background."""
    code = "import mlops_nb as mlops; mlops.log_metric('m', 1.0)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
    (run,) = store.search()
    assert run.environment is not None
    assert store.objects.read_json(run.environment)


def test_status_tells_where_and_what(tmp_path: Path) -> None:
    """The status names the store, and what is recorded now."""
    assert mlops.get_status()["recording"] is False
    api.open_session("nb.ipynb")
    run = mlops.start_run("now")
    status = mlops.get_status()
    assert status["recording"] is True
    assert status["store"] == str(tmp_path / "store")
    assert status["active_run"] == {"run_id": run.run_id, "name": "now"}
    assert status["notebook"] == "nb.ipynb"
    api.close_session()
    assert api.begin_cell("x") is None
    assert api.end_cell(0) == []


def test_readers_are_told_of_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    """Asking, unlike recording, says why it cannot."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "other").touch()
    with pytest.raises(StoreError, match="other"):
        mlops.search_runs()


def test_every_verb_is_listed_and_unknown_ones_are_not() -> None:
    """The package names its verbs for completion and refuses others as Python does."""
    assert set(mlops.__all__) <= set(dir(mlops))
    assert isinstance(mlops.__version__, str)
    with pytest.raises(AttributeError, match="log_metrc"):
        mlops.log_metrc  # noqa: B018 - the access is the test


def test_asking_makes_no_store(tmp_path: Path) -> None:
    """Where nothing was recorded, every question is answered and no folder appears."""
    assert mlops.list_runs() == []
    assert mlops.list_models() == []
    assert len(mlops.search_runs()) == 0
    with pytest.raises(RunNotFoundError, match="There is no run yet"):
        mlops.get_run("nope")
    with pytest.raises(RunNotFoundError):
        mlops.get_metric_history("nope", "acc")
    with pytest.raises(ModelNotFoundError):
        mlops.get_model("nope@champion")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    "write",
    [
        lambda: mlops.log_metric("bad\nkey", 1),
        lambda: mlops.log_metrics({"loss": "high"}),
        lambda: mlops.log_param("", 1),
        lambda: mlops.set_tag("", 1),
        lambda: mlops.log_artifact("missing.txt"),
    ],
)
def test_what_is_refused_starts_no_run(store: Store, write: Callable[[], object]) -> None:
    """A wrong name, value or file leaves no empty run behind where none was active."""
    with pytest.raises(MLOpsError):
        write()
    assert store.list_run_ids() == []
    assert mlops.active_run() is None
