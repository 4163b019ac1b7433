"""Steps run on a Dask cluster as they do here, and end when nobody wants them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlops_nb.api import run_pipeline
from mlops_nb.cli.pipelines import choose_exit_code
from mlops_nb.errors import InvalidValueError, RemoteError
from mlops_nb.notebook.options import StepOptions
from mlops_nb.pipeline.executing import ThreadExecutor, open_executor
from mlops_nb.pipeline.executor_dask import choose_resources, connect, list_workers
from tests.pipeline.cells import is_running, wait_until
from tests.pipeline.clusters import Cluster, running_cluster
from tests.pipeline.conftest import ROOT
from tests.pipeline.places import Place
from tests.pipeline.test_runner import STORY

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Give a scheduler without workers."""
    with running_cluster(tmp_path / "cluster") as made:
        yield made


def run_on(cluster: Cluster, place: Place, path: Path, **options: Any) -> Any:
    """Run a notebook on a cluster."""
    with connect(cluster.address) as executor:
        return place.run(path, executor=executor, **options)


def test_workers_are_listed_at_any_moment(cluster: Cluster) -> None:
    """A worker is there also while the client renews what it knows."""
    cluster.add_worker("a")
    with connect(cluster.address) as executor:
        client = executor.client
        client.wait_for_workers(1, timeout=60)
        is_over = threading.Event()

        def renew() -> None:  # as a timer of the client does, more often
            while not is_over.wait(0.0005):
                client.loop.add_callback(client._update_scheduler_info)

        thread = threading.Thread(target=renew)
        thread.start()
        try:
            assert {len(list_workers(client)) for _ in range(300)} == {1}
        finally:
            is_over.set()
            thread.join()


def test_story_on_real_workers_equals_the_notebook(place: Place, cluster: Cluster) -> None:
    """Two workers give what restart-and-run-all prints; what is cached is not submitted again."""
    import nbclient
    import nbformat

    cluster.add_worker("a")
    cluster.add_worker("b")
    path = place.write(*STORY)
    result = run_on(cluster, place, path)
    assert result.status == "finished", [step.error for step in result.steps]
    assert [step.fused_with for step in result.steps] == [None, None, "fit", None]
    document = nbformat.read(path, 4)
    folder = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(document, resources=folder, timeout=120).execute()
    whole = [o.get("text", "") for c in document.cells for o in c.get("outputs", [])]
    assert "".join(place.read_printed()) == "".join(whole)
    assert any(event.kind == "cell_finished" for event in place.told)
    cluster.close()

    class Nobody:
        """Is asked for nothing."""

        def run_chain(self, *_arguments: Any) -> Any:
            """Fail."""
            raise AssertionError("a cached step was submitted")

    again = place.run(path, executor=Nobody())
    assert [step.cached for step in again.steps] == [True] * 4


SLOW = (
    ("import os, time\nfrom pathlib import Path", "imports"),
    ("x = 1", "step:first"),
    (
        "Path(f'try-{os.getpid()}').touch()\n"
        "while not Path('go').exists(): time.sleep(0.05)\ny = x + 1",
        "step:slow",
    ),
    ("print(y)", "step:last"),
)


def is_ended(pid: int) -> bool:
    """Tell whether a process is gone."""
    return not is_running(pid)


def list_tries(path: Path) -> list[int]:
    """Give the kernels that have begun the slow step."""
    return [int(file.name.removeprefix("try-")) for file in path.parent.glob("try-*")]


def test_step_of_a_worker_that_is_killed_fails(place: Place, cluster: Cluster) -> None:
    """It is not begun again without ``retries:``, whether another worker is there or none."""
    path = place.write(*SLOW)
    workers = [cluster.add_worker("a"), cluster.add_worker("b")]
    for number in (1, 2):
        known = set(list_tries(path))
        found: list[Any] = []

        def work(found: list[Any] = found) -> None:
            found.append(run_on(cluster, place, path))

        def is_begun(number: int = number) -> bool:
            return len(list_tries(path)) == number

        runner = threading.Thread(target=work)
        runner.start()
        assert wait_until(is_begun, 100)
        (kernel,) = set(list_tries(path)) - known
        above = {process.pid for process in psutil.Process(kernel).parents()}
        (worker,) = [each for each in workers if each.pid in above]
        os.kill(worker.pid, signal.SIGKILL)
        runner.join(120)
        assert wait_until(partial(is_ended, kernel))
        (failed,) = [step for step in found[0].steps if step.status == "failed"]
        assert (failed.name, failed.cause) == ("slow", "died")
        assert "retries:1" in (failed.error or "")
        assert choose_exit_code(found[0]) == 138
        assert len(list_tries(path)) == number


def test_step_of_a_worker_that_is_killed_runs_elsewhere(place: Place, cluster: Cluster) -> None:
    """With ``retries:``; the kernel of the dead worker is gone too, and the step is in the store once."""
    slow = (SLOW[2][0], "step:slow", "retries:1")
    path = place.write(*SLOW[:2], slow, SLOW[3])
    first = cluster.add_worker("a")
    found: list[Any] = []
    runner = threading.Thread(target=lambda: found.append(run_on(cluster, place, path)))
    runner.start()
    assert wait_until(lambda: bool(list_tries(path)), 100)
    (kernel,) = list_tries(path)
    second = cluster.add_worker("b")
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(kernel))
    (path.parent / "go").touch()
    runner.join(120)
    assert [step.status for step in found[0].steps] == ["succeeded"] * 3
    assert place.read_printed()[-1] == "2\n"
    assert len(list_tries(path)) == 2
    assert second.poll() is None
    assert any("runs again on" in event.message for event in place.told)
    notices = [event.message for event in place.told if event.kind == "notice"]
    assert not [text for text in notices if "cached" in text], notices
    records = list((place.store.root / "steps" / "records").rglob("*.json"))
    assert len(records) == 3
    assert not list((place.store.root / "boundaries").iterdir())


def test_a_run_that_is_stopped_frees_its_worker(place: Place, cluster: Cluster) -> None:
    """Ctrl-C ends the process on the worker, and the worker takes the next step."""
    cluster.add_worker("a")
    path = place.write(*SLOW)

    def stop() -> None:
        wait_until(lambda: bool(list_tries(path)), 100)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    with pytest.raises(KeyboardInterrupt):
        run_on(cluster, place, path)
    assert wait_until(lambda: not is_running(list_tries(path)[0]), 5)
    (path.parent / "go").touch()
    assert run_on(cluster, place, path).status == "finished"


def test_worker_that_lacks_the_store_says_so(tmp_path: Path) -> None:
    """A worker needs the folders at the same paths, and the same Python."""
    from mlops_nb.pipeline.dask_worker import describe_interpreter, find_problem

    versions = describe_interpreter()
    assert "same paths" in find_problem(tmp_path / "nowhere" / "SPEC.json", versions)
    assert "'2.7'" in find_problem(tmp_path / "SPEC.json", versions | {"Python": "2.7"})
    order = tmp_path / "SPEC.json"
    names = ("out_dir", "store", "components")
    folders = ", ".join(f'"{name}": "{tmp_path}/gone"' for name in names)
    order.write_text(f'{{"notebook": "{tmp_path}/nb.ipynb", {folders}}}')
    assert "/gone" in find_problem(order, versions)


def test_resources_are_asked_for_where_workers_declare_them() -> None:
    """What nobody declares is left out and told; what nobody can give is refused."""
    options = StepOptions(cpu=2, gpu=1)
    plain: dict[str, Any] = {"a": {"resources": {}}}
    wanted, notices, problem = choose_resources(options, plain)
    assert (wanted, len(notices), problem) == ({}, 2, "")
    declared: dict[str, Any] = {"a": {"resources": {"GPU": 1.0}}, "b": {}}
    assert choose_resources(options, declared)[0] == {"GPU": 1}
    small: dict[str, Any] = {"a": {"resources": {"GPU": 1.0}}, "b": {"resources": {"CPU": 8.0}}}
    assert "GPU=1" in choose_resources(options, small)[2]


def test_no_scheduler_is_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing address and one where nobody answers are two errors."""
    from mlops_nb.pipeline import executor_dask

    with pytest.raises(InvalidValueError, match="tcp://host:8786"), connect(None):
        pass
    monkeypatch.setattr(executor_dask, "_CONNECT_S", 0.5)
    with pytest.raises(RemoteError, match="no Dask scheduler"), connect("tcp://127.0.0.1:9"):
        pass


def test_executors_have_names(tmp_path: Path) -> None:
    """An unknown one is refused, and an address that nobody would use."""
    with open_executor() as executor:
        assert isinstance(executor, ThreadExecutor)
    with pytest.raises(InvalidValueError, match="threads or dask"), open_executor("dusk"):
        pass
    with pytest.raises(InvalidValueError, match="dask"), open_executor("threads", "tcp://a:1"):
        pass
    with pytest.raises(InvalidValueError, match="scheduler"):
        run_pipeline(tmp_path / "nb.ipynb", executor="dask")


def test_a_run_that_was_killed_leaves_nothing_on_its_worker(place: Place, cluster: Cluster) -> None:
    """The scheduler misses whoever asked, and the worker ends what nobody wants any more."""
    cluster.add_worker("a")
    path = place.write(*SLOW)
    code = (
        "import sys; from mlops_nb.api import run_pipeline; "
        "run_pipeline(sys.argv[1], executor='dask', scheduler=sys.argv[2], verify=False)"
    )
    runner = subprocess.Popen([sys.executable, "-c", code, str(path), cluster.address], cwd=ROOT)
    try:
        assert wait_until(lambda: bool(list_tries(path)), 100)
    finally:
        runner.kill()
        runner.wait()
    assert wait_until(lambda: not is_running(list_tries(path)[0]))
