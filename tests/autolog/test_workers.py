"""What the user's own worker processes fit is theirs: nothing hangs, nothing is left half."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest
from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]

from tests.autolog.conftest import Notebook

FITTING = (
    "from joblib import Parallel, delayed\n"
    "def work(alpha):\n"
    "{first}"
    "    from sklearn.linear_model import Ridge\n"
    "    from sklearn.metrics import r2_score\n"
    "    model = Ridge(alpha=alpha).fit(X, y)\n"
    "    return float(r2_score(y, model.predict(X)))\n"
    "scores = Parallel(n_jobs=2, backend='loky')(delayed(work)(a) for a in (1.0, 2.0, 3.0))\n"
)


def _is_worker(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:  # it has ended, and nobody has asked how
        return False
    return "loky" in command and "resource_tracker" not in command


@pytest.fixture(autouse=True)
def _without_workers() -> Iterator[None]:
    """End the workers, and see that none is left."""
    yield
    get_reusable_executor().shutdown(wait=True, kill_workers=True)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        left = list(filter(_is_worker, psutil.Process().children()))
        if not left:
            return
        time.sleep(0.05)
    pytest.fail(f"left: {left}")


def test_workers_without_us_record_nothing(notebook: Notebook) -> None:
    """Fits in processes of joblib leave no run and no note of one; the next fit here does."""
    notebook.run(FITTING.format(first=""))
    assert len(set(notebook.namespace["scores"])) == 3
    assert notebook.names() == []
    assert not list(notebook.store.root.glob("pending/*"))
    notebook.run("model = Ridge().fit(X, y)")
    assert [(run.name, run.status) for run in notebook.runs()] == [("Ridge", "finished")]


def test_a_run_around_workers_ends_as_it_should(notebook: Notebook) -> None:
    """A run of the user's that spans workers is finished, and so is one whose worker raises."""
    notebook.run(
        "import mlops_nb as mlops\n"
        "with mlops.start_run('outside') as run:\n"
        + "".join(f"    {line}\n" for line in FITTING.format(first="").splitlines())
        + "    run.log_metrics({'best': max(scores)})\n"
    )
    with pytest.raises(ValueError, match="in a worker"):
        notebook.run(
            "def fail(_):\n    raise ValueError('in a worker')\n"
            "with mlops.start_run('raising'):\n"
            "    Parallel(n_jobs=2, backend='loky')(delayed(fail)(n) for n in range(2))\n"
        )
    runs = {run.name: run for run in notebook.runs()}
    assert {name: run.status for name, run in runs.items()} == {
        "outside": "finished",
        "raising": "failed",
    }
    assert runs["outside"].metrics["best"] == max(notebook.namespace["scores"])


def test_workers_that_import_us_record_nothing_either(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import that records scripts does nothing in a worker, which may be killed at any time."""
    monkeypatch.setenv("MLOPS_NB_STORE", str(notebook.store.root))
    get_reusable_executor().shutdown(wait=True, kill_workers=True)  # it has another environment
    notebook.run(FITTING.format(first="    import mlops_nb.autolog.on\n"))
    assert len(set(notebook.namespace["scores"])) == 3
    assert notebook.names() == []
    assert len(list(notebook.store.root.glob("sessions/*"))) == 1
