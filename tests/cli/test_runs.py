"""Commands about runs, models and data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.cli.render import format_value, make_plain
from mlops_nb.records.durations import format_duration

Ask = Callable[..., Any]


@pytest.fixture
def two_runs() -> list[str]:
    """Record two runs: first (acc 0.5) and second (acc 0.75, a NaN, an artifact)."""
    with api.start_run("first", tags={"team": "a"}) as first:
        api.log_metric("acc", 0.5)
        api.log_param("rate", 0.1)
    with api.start_run("second") as second:
        api.log_metrics({"acc": 0.75, "odd": float("nan")})
        api.log_param("rate", 0.2)
        second.log_bytes(b"\x00picture", "plots/a.bin")
    return [first.run_id, second.run_id]


def test_runs_are_listed_as_json(ask: Ask, two_runs: list[str]) -> None:
    """The documented keys, newest first, in strict JSON."""
    found = ask("runs", "--json").json
    assert [run["run_id"] for run in found] == two_runs[::-1]
    first = found[1]
    assert first["name"] == "first"
    assert first["status"] == "finished"
    assert first["params"] == {"rate": 0.1}
    assert first["metrics"] == {"acc": 0.5}
    assert first["tags"]["team"] == "a"
    assert first["started_at"].endswith("+00:00")
    assert found[0]["metrics"]["odd"] == "NaN"


def test_runs_are_listed_as_a_table(ask: Ask, two_runs: list[str]) -> None:
    """One line per run with the end of its id, which every command takes."""
    lines = ask("runs").out.splitlines()
    assert lines[0].split()[:3] == ["run", "name", "status"]
    assert [line.split()[1] for line in lines[1:]] == ["second", "first"]
    assert ask("show", lines[1].split()[0], "--json").json["name"] == "second"


def test_pipelines_are_listed_with_their_proof(ask: Ask) -> None:
    """Of a pipeline the status says whether it was verified, in the list and of the one run."""
    with api.start_run("pipe", tags={"mlops.verification": "partly verified"}):
        pass
    assert "finished, partly verified" in ask("runs").out
    assert "finished, partly verified" in ask("show", "pipe").out
    assert ask("runs", "--json").json[0]["status"] == "finished"


def test_runs_are_filtered(ask: Ask, two_runs: list[str]) -> None:
    """Filter, order and limit reach the search."""
    assert len(ask("runs", "--filter", "metrics.acc > 0.6", "--json").json) == 1
    found = ask("runs", "--order-by", "metrics.acc ASC", "--limit", "1", "--json").json
    assert [run["name"] for run in found] == ["first"]


def test_no_runs_are_said(ask: Ask) -> None:
    """Without runs stdout stays empty, or an empty list."""
    answer = ask("runs")
    assert (answer.code, answer.out) == (0, "")
    store = ask("status", "--json").json["store"]
    assert answer.err.startswith(f"No runs in {store}.\n")
    assert "%load_ext mlops_nb" in answer.err
    assert (
        ask("runs", "--filter", "metrics.acc > 2").err
        == "No runs fit the filter 'metrics.acc > 2'.\n"
    )
    assert ask("runs", "--json").json == []


def test_run_is_shown(ask: Ask, two_runs: list[str]) -> None:
    """All groups of a run, by any way of naming it."""
    for name in ("second", "latest", two_runs[1], two_runs[1][-8:]):
        answer = ask("show", name)
        assert "rate     0.2" in answer.out
        assert "plots/a.bin" in answer.out
    document = ask("show", "second", "--json").json
    assert document["run_id"] == two_runs[1]
    assert document["artifacts"][0]["path"] == "plots/a.bin"


def test_runs_are_compared(ask: Ask, two_runs: list[str]) -> None:
    """Differences only, unless all are asked for."""
    rows = ask("compare", "first", "second", "--json").json["rows"]
    assert {"group": "param", "key": "rate", "values": [0.1, 0.2], "differs": True} in rows
    assert all(row["differs"] for row in rows)
    assert "rate" in ask("compare", "first", "second").out
    assert "No difference" in ask("compare", "first", "first").err
    assert "rate" in ask("compare", "first", "first", "--all").out


def test_a_run_is_compared_with_the_best(ask: Ask, two_runs: list[str]) -> None:
    """One run, the newest by default, stands behind the best other of its name."""
    assert ask("compare").code == 2
    with api.start_run("second"):
        api.log_metric("acc", 0.5)
    for names in ((), ("second",)):
        found = ask("compare", *names, "--json").json
        assert [run["metrics"]["acc"] for run in found["runs"]] == [0.75, 0.5]
        assert found["best_by"] == "acc"
        assert "best by acc" in ask("compare", *names).out
    with api.start_run("second"):
        pass
    found = ask("compare", "--previous", "--json").json
    assert [run["metrics"] for run in found["runs"]] == [{"acc": 0.5}, {}]


def test_artifact_is_written(ask: Ask, two_runs: list[str], tmp_path: Path) -> None:
    """The exact bytes, to a file or stdout; an unknown name is told with near misses."""
    answer = ask("artifact", "second", "plots/a.bin", "-o", tmp_path / "out.bin")
    assert answer.code == 0
    assert (tmp_path / "out.bin").read_bytes() == b"\x00picture"
    assert ask("artifact", "second", "plots/a.bin").out == "\x00picture"
    missing = ask("artifact", "second", "plots/b.bin")
    assert missing.code == 2
    assert "'plots/a.bin'" in missing.err


def test_file_that_cannot_be_written_is_work_that_failed(
    ask: Ask, two_runs: list[str], tmp_path: Path
) -> None:
    """An output below a missing folder is told with exit code 1, without a traceback."""
    answer = ask("artifact", "second", "plots/a.bin", "-o", tmp_path / "no" / "out.bin")
    assert answer.code == 1
    assert "No such file" in answer.err
    assert "Traceback" not in answer.err


def test_status_and_environment(ask: Ask, tmp_path: Path) -> None:
    """Status names the store, env the digest of the environment."""
    assert ask("status", "--json").json["store"] == str(tmp_path / "store")
    assert str(tmp_path / "store") in ask("status").out
    found = ask("env", "--json").json
    assert found["digest"]
    assert found["document"]
    assert "digest" in ask("env").out


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "numbers.npy"])
def test_data_files_are_kept(ask: Ask, tmp_path: Path, name: str) -> None:
    """A table or array in a file is kept by content under the file's name."""
    import numpy as np
    import pandas as pd

    path = tmp_path / name
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 0.25]})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        np.save(path, frame.to_numpy())
    record = ask("snapshot", path, "--json").json
    assert record["name"] == name
    assert record["shape"] == [2, 2]
    assert record["digest"]
    assert name in ask("snapshot", path).out


@pytest.mark.parametrize(
    ("name", "content", "code"), [("a.xyz", b"x", 2), ("a.parquet", b"x", 2), ("a.npy", b"x", 2)]
)
def test_wrong_data_files_are_refused(
    ask: Ask, tmp_path: Path, name: str, content: bytes, code: int
) -> None:
    """A file of another kind is refused with its name and what was expected."""
    (tmp_path / name).write_bytes(content)
    answer = ask("snapshot", tmp_path / name)
    assert answer.code == code
    assert name in answer.err
    assert "Traceback" not in answer.err


def test_models_are_listed_shown_and_named(ask: Ask) -> None:
    """A registered model can be listed, shown, and given another alias."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    data = np.arange(6.0).reshape(3, 2)
    model = LinearRegression().fit(data, data[:, 0])
    api.register_model(model, name="line", alias="champion", example=data)
    assert [entry["name"] for entry in ask("models", "--json").json] == ["line"]
    assert "champion" in ask("models", "line").out
    assert ask("alias", "line", "challenger", "1").code == 0
    assert ask("model", "line@challenger", "--json").json["version"] == 1
    assert "LinearRegression" in ask("model", "line").out
    unknown = ask("model", "line@chalenger")
    assert unknown.code == 2
    assert "challenger" in unknown.err
    assert ask("alias", "line", "champion", "7").code == 2
    empty = ask("--store", "elsewhere", "models").err
    assert re.match(r"No models in .*elsewhere\.\n.*%mlops register", empty)


def test_values_for_terminals_and_json() -> None:
    """Control characters never reach a terminal, and JSON gets only JSON types."""
    assert format_value("a\x1b[31mb\nc") == "a [31mb c"
    assert format_value("x" * 100).endswith("...")
    assert format_value(True) == "true"
    assert [format_duration(value) for value in (None, 0.02, 2.5, 125)] == [
        "",
        "20 ms",
        "2.5 s",
        "2 min 05 s",
    ]
    plain = make_plain({1: (float("inf"), {Path("a")}), "b": float("-inf"), "c": None})
    assert (
        json.dumps(plain, allow_nan=False)
        == '{"1": ["Infinity", ["a"]], "b": "-Infinity", "c": null}'
    )
