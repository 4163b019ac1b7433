"""The operations with Aim in a repository of the current folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from operations import NOTHING, PAGE, PIXELS, TEN, Clock, runs, series, serve, tens

FILTER = "run.metrics['m1', {}].last > 0.5 and run.hparams.model == 'rf'"


def import_it(count: int) -> tuple[float, float]:
    clock = Clock()
    if count:
        from aim import Run

        Run.track  # noqa: B018 - as for the others
    return clock.read()


def start(count: int) -> tuple[float, float]:
    from aim import Run

    Run().close()
    clock = Clock()
    for _ in range(count):
        Run().close()
    return clock.read()


def metric(count: int) -> tuple[float, float]:
    from aim import Run

    run = Run()
    run.track(1.0, name="a", step=0)
    clock = Clock()
    for step in range(1, count + 1):
        run.track(0.5, name="a", step=step)
    clock.stop()
    run.close()
    return clock.read()


def ten(count: int) -> tuple[float, float]:
    from aim import Run

    run = Run()
    run.track(TEN, step=0)
    clock = Clock()
    for step in range(1, count + 1):
        run.track(TEN, step=step)
    clock.stop()
    run.close()
    return clock.read()


def points(count: int) -> tuple[float, float]:
    from aim import Run

    run = Run()
    run.track(TEN, step=0)
    for step, values in tens(count):
        run.track(values, step=step)
    run.close()
    return NOTHING


def write_series(_: int) -> tuple[float, float]:
    from aim import Run

    run = Run()
    for step, value in series():
        run.track(value, name="loss", step=step)
    run.close()
    return NOTHING


def index(_: int) -> tuple[float, float]:
    """Make the index of all runs, which a repository without its web server lacks."""
    program = Path(sys.executable).with_name("aim")
    clock = Clock()
    subprocess.run([program, "storage", "reindex"], input=b"y\n", capture_output=True, check=True)
    return clock.read()


def rebuild(count: int) -> tuple[float, float]:
    return index(0) if count else NOTHING


def _open_series():
    from aim import Repo
    from aim.storage.context import Context

    return next(iter(Repo(".").iter_runs())).get_metric("loss", Context({}))


def load(count: int) -> tuple[float, float]:
    found = _open_series()
    clock = Clock()
    for _ in range(count):
        steps, _ = found.values.sparse_numpy()
        assert len(steps) == 100_000
    return clock.read()


def preview(count: int) -> tuple[float, float]:
    """Take a sample of the points, as its web page does."""
    found = _open_series()
    clock = Clock()
    for _ in range(count):
        found.data.view(("val",)).sample(PIXELS).numpy()
    return clock.read()


def write_runs(_: int) -> tuple[float, float]:
    from aim import Run

    for name, metrics, params in runs():
        run = Run(system_tracking_interval=None, log_system_params=False)
        run.name = name
        run["hparams"] = params
        run.track(metrics, step=0)
        run.close()
    return NOTHING


def _tell(run):
    found = run.collect_sequence_info(("metric",), skip_last_value=False)["metric"]
    return run["hparams"], {one["name"]: one["values"]["last"] for one in found}


def newest(count: int) -> tuple[float, float]:
    from aim import Repo

    repo = Repo(".")
    clock = Clock()
    for _ in range(count):
        found = []
        for one in repo.query_runs("", report_mode=0).iter_runs():
            found.append(_tell(one.run))
            if len(found) == PAGE:
                break
        assert len(found) == PAGE
    return clock.read()


def page(count: int) -> tuple[float, float]:
    from aim import Repo

    repo = Repo(".")
    clock = Clock()
    for _ in range(count):
        runs_found = repo.query_runs(FILTER, report_mode=0).iter_runs()
        found = sorted((_tell(one.run) for one in runs_found), key=lambda one: -one[1]["acc"])
        assert len(found[:PAGE]) == PAGE
    return clock.read()


if __name__ == "__main__":
    serve(
        {
            "import": import_it, "start": start, "metric": metric, "ten": ten, "points": points, "index": index,
            "write_series": write_series, "load": load, "preview": preview,
            "write_runs": write_runs, "newest": newest, "page": page, "rebuild": rebuild,
        }
    )  # fmt: skip
