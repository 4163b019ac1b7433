"""A live run takes what users log, refuses what it cannot keep, and ends as it should."""

from __future__ import annotations

import asyncio
import enum
import math
import os
import shutil
import subprocess
import sys
import threading
from contextlib import nullcontext
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

import mlops_nb as mlops
from mlops_nb.errors import InvalidValueError
from mlops_nb.store import Store
from mlops_nb.tracking import Run, active_run

PROJECT = Path(__file__).resolve().parents[2]


class Color(enum.IntEnum):
    """A colour that is also a number."""

    RED = 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0), (True, 1.0), (np.float32(0.5), 0.5), (np.int64(3), 3.0), (np.array([2.0]), 2.0), (np.array(4), 4.0),
        (Decimal("0.25"), 0.25), (Fraction(1, 2), 0.5), (math.inf, math.inf), (10**400, math.inf), (-(10**400), -math.inf),
    ],
)  # fmt: skip
def test_metric_values(store: Store, value: Any, expected: float) -> None:
    """Any real scalar is taken, whoever made it."""
    with mlops.start_run() as run:
        mlops.log_metric("m", value)
    assert store.read_run(run.run_id).metrics == {"m": expected}


def test_torch_scalars_are_taken(store: Store) -> None:
    """A loss tensor of one element is a number, with or without its graph."""
    torch = pytest.importorskip("torch")
    with mlops.start_run() as run:
        mlops.log_metric("loss", torch.tensor(0.5, requires_grad=True) * 1)
        mlops.log_param("lr", torch.tensor(0.1, dtype=torch.float64))
    assert store.read_run(run.run_id).metrics == {"loss": 0.5}
    assert store.read_run(run.run_id).params == {"lr": 0.1}


@pytest.mark.parametrize("value", ["0.5", None, [1, 2], {}, np.array([1.0, 2.0]), 1j, object()])
def test_what_is_no_number_is_refused(store: Store, value: Any) -> None:
    """A value that is no number is named, with what was expected; nothing is written."""
    with mlops.start_run() as run:
        with pytest.raises(InvalidValueError, match=r"metric 'm' is .*; expected a number"):
            mlops.log_metric("m", value)
        with pytest.raises(InvalidValueError):
            mlops.log_metrics({"good": 1.0, "bad": value})
    assert store.read_run(run.run_id).metrics == {}


@pytest.mark.parametrize("key", ["", " ", "a\nb", "x" * 251, None, 3])
def test_bad_keys_are_refused(key: Any) -> None:
    """A metric, parameter or tag needs a printable name."""
    with mlops.start_run():
        for log in (mlops.log_metric, mlops.log_param, mlops.set_tag):
            with pytest.raises(InvalidValueError, match="printable text"):
                log(key, 1)


@pytest.mark.parametrize("step", [0.5, "x", 2**63, math.nan, [1]])
def test_bad_steps_are_refused(step: Any) -> None:
    """A step is a whole number of 64 bits."""
    with mlops.start_run(), pytest.raises(InvalidValueError, match="step is"):
        mlops.log_metric("m", 1.0, step=step)


def test_steps_count_on_from_the_last(store: Store) -> None:
    """Without a step a value follows the metric's last one."""
    with mlops.start_run() as run:
        mlops.log_metric("m", 1.0)
        mlops.log_metric("m", 2.0)
        mlops.log_metric("m", 3.0, step=np.int64(10))  # type: ignore[arg-type]
        mlops.log_metric("m", 4.0)
        mlops.log_metrics({"m": 5.0, "n": 6.0}, step=20.0)  # type: ignore[arg-type]
    points = mlops.get_metric_history(run.run_id, "m")
    assert [(point.step, point.value) for point in points] == [
        (0, 1),
        (1, 2),
        (10, 3),
        (11, 4),
        (20, 5),
    ]
    assert [point.step for point in mlops.get_metric_history(run.run_id, "n")] == [20]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"), (1, 1), (2**70, 2**70), (0.1, 0.1), (True, True), (None, None), (np.float64(0.5), 0.5), (np.bool_(True), True),
        (np.int8(3), 3), ((1, 2), [1, 2]), ({"a": {1: 2}}, {"a": {"1": 2}}), (PurePosixPath("/a/b"), "/a/b"), (Color.RED, "1"),
        (len, "<built-in function len>"), (np.array([1, 2]), "array([1, 2])"),
    ],
)  # fmt: skip
def test_param_values(store: Store, value: Any, expected: Any) -> None:
    """Parameters of JSON types keep their type, others are kept as they show themselves."""
    with mlops.start_run() as run:
        mlops.log_param("p", value)
    kept = store.read_run(run.run_id).params["p"]
    assert kept == expected
    assert type(kept) is type(expected)


def test_a_param_whose_repr_fails_is_kept_as_such(store: Store) -> None:
    """An object that cannot show itself does not stop the run."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    with mlops.start_run() as run:
        mlops.log_param("p", Broken())
        mlops.log_param("long", "y" * 10_000_000)
    params = store.read_run(run.run_id).params
    assert params["p"] == "<Broken: repr raised RuntimeError>"
    assert params["long"].endswith("(10000000 characters in all)")


# ------------------------------------------------------------------ life
def test_status_follows_what_happened(store: Store) -> None:
    """An exception fails the run, the person's interrupt interrupts it, both go on to the caller."""
    runs = []
    for error in (None, ValueError("x"), KeyboardInterrupt(), SystemExit(0), SystemExit(2)):
        expected = nullcontext() if error is None else pytest.raises(type(error))
        with expected as caught, mlops.start_run() as run:
            runs.append(run.run_id)
            if error is not None:
                raise error
        assert caught is None or caught.value is error
    words = [store.read_run(run_id).status for run_id in runs]
    assert words == ["finished", "failed", "interrupted", "finished", "failed"]
    assert store.read_run(runs[1]).tags["mlops.error"] == "ValueError: x"


def test_nested_runs_know_their_parent(store: Store) -> None:
    """A run started inside a with block belongs to it."""
    with mlops.start_run("outer") as outer:
        with mlops.start_run("inner") as inner:
            mlops.log_metric("m", 1.0)
        mlops.log_metric("m", 2.0)
    assert store.read_run(inner.run_id).parent_run_id == outer.run_id
    assert store.read_run(inner.run_id).metrics == {"m": 1.0}
    assert store.read_run(outer.run_id).metrics == {"m": 2.0}
    assert store.read_run(outer.run_id).parent_run_id is None
    assert active_run() is None


def test_a_cell_run_again_leaves_no_zombie(store: Store) -> None:
    """A run that was started but never ended is ended by the next start."""
    first = mlops.start_run("attempt")
    second = mlops.start_run("attempt")
    assert store.read_run(first.run_id).status == "finished"
    assert store.read_run(second.run_id).parent_run_id is None
    mlops.end_run("FAILED")
    assert store.read_run(second.run_id).status == "failed"
    mlops.end_run()
    with pytest.raises(InvalidValueError, match="expected finished, failed or interrupted"):
        mlops.start_run().end("done")  # type: ignore[arg-type]


def test_logging_without_a_run_starts_one(store: Store) -> None:
    """The first log makes a run, and all that follow go to it."""
    mlops.log_metric("a", 1)
    mlops.log_param("b", 2)
    mlops.set_tags({"c": 3})
    (run,) = store.search()
    assert (run.metrics, run.params, run.tags) == ({"a": 1.0}, {"b": 2}, {"c": "3"})


def test_threads_log_to_the_run_of_the_process(store: Store) -> None:
    """Workers of a run log to it; every value of every thread is kept."""
    with mlops.start_run() as run:

        def work(number: int) -> None:
            for step in range(200):
                mlops.log_metric(f"m{number}", step, step)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(4):
        assert len(mlops.get_metric_history(run.run_id, f"m{number}")) == 200


def test_tasks_have_runs_of_their_own(store: Store) -> None:
    """Two tasks that each open a run do not log into each other's."""

    async def work(name: str) -> str:
        with mlops.start_run(name, nested=False) as run:
            for step in range(3):
                await asyncio.sleep(0)
                mlops.log_metric(name, step)
        return run.run_id

    async def both() -> tuple[str, str]:
        return await asyncio.gather(work("a"), work("b"))

    first, second = asyncio.run(both())
    assert list(store.read_run(first).metrics) == ["a"]
    assert list(store.read_run(second).metrics) == ["b"]


def test_values_may_follow_the_end(store: Store) -> None:
    """A metric computed in a later cell still reaches the run it belongs to."""
    with mlops.start_run() as run:
        pass
    run.log_metric("late", 1.0)
    record = store.read_run(run.run_id)
    assert (record.status, record.metrics) == ("finished", {"late": 1.0})


def test_the_parent_run_of_the_environment_is_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step's kernel links its runs to the pipeline's run."""
    monkeypatch.setenv("MLOPS_NB_PARENT_RUN", "01a20026-ffa5-7010-8578-df0dc9df386d")
    with mlops.start_run() as run:
        pass
    assert store.read_run(run.run_id).parent_run_id == "01a20026-ffa5-7010-8578-df0dc9df386d"


def test_an_open_run_ends_with_its_script(store: Store) -> None:
    """A script that only logs leaves a finished run behind."""
    code = "import mlops_nb as mlops; mlops.log_metric('m', 1.0)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT, env={**os.environ})
    (run,) = store.search()
    assert (run.status, run.metrics) == ("finished", {"m": 1.0})


# ------------------------------------------------------------------ do no harm
def test_nothing_is_recorded_when_disabled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """MLOPS_NB_DISABLED leaves the user's code working and the disk untouched."""
    monkeypatch.setenv("MLOPS_NB_DISABLED", "1")
    with mlops.start_run() as run:
        mlops.log_metric("m", 1.0)
        mlops.log_param("p", 1)
        run.log_bytes(b"x", "a.bin")
    assert run.run_id == ""
    assert not (tmp_path / "store").exists()


def test_an_unusable_store_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that cannot be used is told in one line; logging goes on without effect."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "other.txt").touch()
    with mlops.start_run():
        for step in range(3):
            mlops.log_metric("m", 1.0, step)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("mlops_nb: nothing is recorded: cannot use the store")


def test_a_failing_disk_is_told_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A run whose files can no longer be written says so once and lets the user's code go on."""
    with mlops.start_run("fragile") as run:
        mlops.log_metric("m", 1.0)
        # The descriptor is exchanged for one that cannot be written, as when a disk is unmounted.
        assert run._log is not None
        os.close(run._log._metrics)
        run._log._metrics = os.open(os.devnull, os.O_RDONLY)
        for _ in range(3):
            mlops.log_metric("m", 2.0)
        mlops.log_param("p", 1)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "run 'fragile' is no longer recorded" in lines[0]


def test_a_place_that_cannot_be_written_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no folder can be made, one line says so and nothing breaks."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "file" / "store"))
    mlops.log_metric("m", 1.0)
    mlops.log_metric("m", 2.0)
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_runs_side_by_side_are_no_family(store: Store) -> None:
    """Runs of tasks and of worker threads beside one another do not nest, nor take each other's."""

    async def train(number: int) -> str:
        with mlops.start_run(f"task {number}") as run:
            await asyncio.sleep(0.01)
            mlops.log_metric("number", number)
        return run.run_id

    async def train_all() -> list[str]:
        return await asyncio.gather(*(train(number) for number in range(3)))

    both, found = threading.Barrier(2), []

    def work(number: int) -> None:
        both.wait(120)
        with mlops.start_run(f"thread {number}") as run:
            both.wait(120)
        found.append(run.run_id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = [store.read_run(run_id) for run_id in [*asyncio.run(train_all()), *found]]
    assert [record.parent_run_id for record in records] == [None] * 5
    assert [record.metrics for record in records[:3]] == [{"number": n} for n in (0.0, 1.0, 2.0)]


def test_a_worker_thread_belongs_to_the_run_around_it(store: Store) -> None:
    """What threads log or start inside a run of the main thread is that run's."""
    children: list[Run] = []

    def work() -> None:
        mlops.log_metric("seen", 1)
        with mlops.start_run("inner") as inner:
            children.append(inner)

    with mlops.start_run("outer") as outer:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert store.read_run(outer.run_id).metrics == {"seen": 1.0}
    assert children[0].parent_run_id == outer.run_id


def test_a_store_deleted_under_a_process_is_made_again(store: Store) -> None:
    """Runs started after the folder was deleted are in a store that can be opened."""
    with mlops.start_run("before"):
        mlops.log_metric("m", 1.0)
    while store.root.exists():  # what the environment is may still be written
        shutil.rmtree(store.root, ignore_errors=True)
    with mlops.start_run("after") as run:
        mlops.log_metric("m", 2.0)
        run.log_bytes(b"x", "a.bin")
    code = "import mlops_nb as m; print([run.name for run in m.list_runs()], m.read_artifact('after', 'a.bin'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert done.stdout.strip() == "['after'] b'x'", done.stderr


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="the system does not list open files"
)
def test_ended_runs_hold_no_files(store: Store) -> None:
    """A process may record thousands of runs, and add to them later."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    kept = []
    for number in range(50):
        with mlops.start_run() as run:
            mlops.log_metric("m", number)
        kept.append(run)
    for run in kept:
        run.log_metric("m", 2.0)
        run.log_metric("late", 1.0)
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 20
    assert store.read_run(kept[0].run_id).metrics == {"m": 2.0, "late": 1.0}
    assert len(list((store.root / "runs" / kept[0].run_id).glob("metrics*"))) == 1


def test_gathered_points_are_written_at_once(store: Store) -> None:
    """Values that were gathered keep their steps, values and times, and later ones go on."""
    run = mlops.start_run()
    run.log_points("loss", [(3, 0.5, 1_000_000_000), (4, math.nan, 2_000_000_000)])
    run.log_points("loss", [])
    run.log_metric("loss", 0.25)
    run.end()
    points = store.read_metric_history(run.run_id, "loss")
    assert [point.step for point in points] == [3, 4, 5]
    assert (points[0].value, points[2].value) == (0.5, 0.25)
    assert math.isnan(points[1].value)
    with pytest.raises(InvalidValueError):
        run.log_points("", [(0, 0.0, 0)])
