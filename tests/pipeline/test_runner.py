"""Pipelines run in real kernels give what the notebook gives."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.config import load_settings
from mlops_nb.errors import (
    InvalidValueError,
    ParameterError,
    ParameterNotFoundError,
    StepFailedError,
)
from mlops_nb.notebook.document import new_notebook, write_notebook
from mlops_nb.pipeline import Progress, run
from mlops_nb.pipeline.kernels import StepKernel
from tests.pipeline.places import Place, read_output

Cells = tuple[tuple[str, ...], ...]


def read_statuses(path: Path) -> list[str]:
    """Give papermill's status of each of the notebook's own cells."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [
        cell["metadata"]["papermill"]["status"]
        for cell in document["cells"]
        if cell["metadata"].get("mlops", {}).get("kind") == "cell"
    ]


STORY: Cells = (
    ("%matplotlib inline\nimport random, os\nimport numpy as np\nnp.random.seed(9)", "imports"),
    ("size: int = 3  # how many\nname = 'a'", "parameters"),
    (
        "draws = np.random.rand(size); log = []; state = {'log': log}\nopen('made.txt', 'w').write(name)",
        "step:Make-Data",
    ),
    ("size = size + 1\nos.environ['MODE'] = 'x'\n21 * 2",),
    (
        "class Model:\n    def fit(self, d): self.total = d.sum(); return self\nlog.append(1)",
        "step:fit",
    ),
    (
        "model = Model().fit(draws); first = np.random.rand()\nlines = (i for i in range(3)); next(lines)",
    ),
    ("print(next(lines), list(lines))", "step:use"),
    (
        "print(model.total, isinstance(model, Model), first, np.random.rand(), size, name, state, state['log'] is log)\n"
        "print(open('made.txt').read(), os.environ['MODE'], Out[4], __name__, get_ipython().execution_count)",
        "step:report",
    ),
)


def test_story_equals_the_notebook(place: Place) -> None:
    """A pipeline prints what restart-and-run-all prints, digit by digit, with one kernel shared."""
    import nbclient
    import nbformat

    path = place.write(*STORY)
    result = place.run(path)
    assert result.status == "finished", [step.error for step in result.steps]
    assert [step.name for step in result.steps] == ["Make-Data", "fit", "use", "report"]
    assert [step.fused_with for step in result.steps] == [None, None, "fit", None]
    assert "lines" in str(result.steps[2].reason)
    assert sorted(p.name for p in place.out.iterdir()) == [
        "01-Make-Data.ipynb",
        "02-fit.ipynb",
        "03-use.ipynb",
        "04-report.ipynb",
    ]
    whole = nbformat.read(path, 4)
    nbclient.NotebookClient(whole, resources={"metadata": {"path": str(path.parent)}}).execute()
    reference = "".join(o.get("text", "") for c in whole.cells for o in c.outputs)
    assert "".join(place.read_printed()) == reference
    assert result.params == {"size": 3, "name": "a"}
    record = place.store.read_run(result.run_id)
    assert record.status == "finished"
    assert record.name == "nb"
    assert record.params == {"size": 3, "name": "a"}
    assert {artifact.path for artifact in record.artifacts} >= {"steps/01-Make-Data.ipynb"}
    assert record.tags["step.use"] == "succeeded"
    assert not list((place.store.root / "boundaries").iterdir())
    kinds = [event.kind for event in place.told if event.kind != "cell_finished"]
    assert kinds == ["step_started", "step_finished"] * 4


def test_parameters_reach_every_step(place: Place) -> None:
    """Given values replace the defaults exactly, and a value that a step changes stays changed."""
    path = place.write(
        ("n = 1\ntext = ''\nrate = 0.5", "parameters"),
        ("n += 1", "step:a"),
        ("print(n, repr(text), rate)", "step:b"),
    )
    text = "quote ' \" {} \\ \n \N{SNOWMAN}"
    result = place.run(path, params={"n": "41", "text": text, "rate": 0.1 + 0.2})
    assert result.status == "finished"
    assert place.read_printed() == ["", f"42 {text!r} {0.1 + 0.2!r}\n"]
    assert result.params == {"n": 41, "text": text, "rate": 0.1 + 0.2}


def test_parameters_cell_that_computes(place: Place) -> None:
    """Without steps it runs as it stands, and what is given comes after it, as with papermill."""
    path = place.write(
        ("%matplotlib inline\nimport datetime as dt",),
        ("n, day = 1, dt.date(2024, 1, 2)\nk = 2\nlater = day + dt.timedelta(1)", "parameters"),
        ("print(n, day, k, later)",),
    )
    assert place.run(path).status == "finished"
    assert place.read_printed() == ["1 2024-01-02 2 2024-01-03\n"]
    assert place.run(path, params={"k": "5"}).status == "finished"
    assert place.read_printed() == ["1 2024-01-02 5 2024-01-03\n"]


def test_head_that_uses_a_parameter_serves_every_step(place: Place) -> None:
    """A later step does not stumble over a setting whose value comes from before."""
    path = place.write(
        ("seed = 3", "parameters"),
        ("import random\nrandom.seed(seed)", "imports"),
        ("a = random.random()", "step:a"),
        ("print(a, random.random())", "step:b"),
    )
    assert place.run(path, params={"seed": 7}).status == "finished"
    drawn = random.Random(7)
    assert place.read_printed() == ["", f"{drawn.random()} {drawn.random()}\n"]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"m": 1}, ParameterNotFoundError),
        ({"n": "many"}, ParameterError),
        ({"n = 1; import os": 1}, ParameterError),
    ],
)
def test_wrong_parameters_execute_nothing(
    params: dict[str, Any], error: type[Exception], place: Place
) -> None:
    """A parameter of a wrong name or type is refused before anything is started or written."""
    path = place.write(("n = 1", "parameters"), ("open('ran', 'w')", "step:a"))
    with pytest.raises(error):
        place.run(path, params=params)
    assert not place.out.exists()
    assert place.store.list_run_ids() == []
    assert not (path.parent / "ran").exists()


def test_failing_cell_ends_the_run(place: Place) -> None:
    """An error stops the pipeline; the notebook so far is kept and later steps are skipped."""
    path = place.write(
        ("print('in')\nopen('stale', 'w').close()", "step:a"),
        ("print('before')",),
        ("1 / 0",),
        ("print('never')",),
        ("print('nor this')", "step:b"),
    )
    result = place.run(path)
    assert result.status == "failed"
    assert [step.status for step in result.steps] == ["failed", "skipped"]
    assert result.steps[0].error == "ZeroDivisionError: division by zero"
    assert read_statuses(place.out / "01-a.ipynb") == [
        "completed",
        "completed",
        "failed",
        "pending",
    ]
    assert read_output(place.out / "01-a.ipynb")[:2] == ["in\n", "before\n"]
    assert place.store.read_run(result.run_id).status == "failed"
    assert [p.name for p in place.out.iterdir()] == ["01-a.ipynb"]


def test_expected_error_and_early_end(place: Place) -> None:
    """A cell tagged raises-exception may fail; sys.exit(0) ends the pipeline well."""
    path = place.write(
        ("x = 1\n1 / 0", "step:a", "raises-exception"),
        ("print(x)\nimport sys",),
        ("sys.exit(0)", "step:b"),
        ("print('never')", "step:c"),
    )
    result = place.run(path)
    assert result.status == "finished"
    assert [step.status for step in result.steps] == ["succeeded", "succeeded", "skipped"]
    assert [step.cause for step in result.steps] == [None, None, None]
    assert read_output(place.out / "01-a.ipynb")[-1] == "1\n"


def test_dead_kernel_is_told(place: Place) -> None:
    """A kernel that dies leaves its cell failed, the next pending, and says so."""
    path = place.write(
        ("print('a', flush=True)", "step:a"), ("import os; os._exit(3)",), ("print('b')",)
    )
    result = place.run(path)
    assert result.status == "failed"
    assert result.steps[0].error == "the kernel died: its process ended with code 3"
    assert result.steps[0].cause == "died"
    assert read_statuses(place.out / "01-a.ipynb") == ["completed", "failed", "pending"]


def test_step_that_takes_too_long(place: Place) -> None:
    """A step over its time is ended, and its kernel with it."""
    path = place.write(
        ("import os; open('pid', 'w').write(str(os.getpid()))", "step:a"),
        ("import time; time.sleep(600)",),
    )
    result = place.run(path, timeout=2)
    assert result.steps[0].error == "it took longer than allowed"
    assert result.steps[0].cause == "timeout"
    if (path.parent / "pid").exists():  # else the machine was too busy for the cell before
        assert_ended(int((path.parent / "pid").read_text()))


def assert_ended(pid: int) -> None:
    """Check that a process goes."""
    for _ in range(1200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_interrupt_ends_kernel_and_run(place: Place) -> None:
    """Ctrl-C ends the kernel, marks the run interrupted and comes through to the caller."""
    path = place.write(
        ("import os; open('pid', 'w').write(str(os.getpid()))", "step:a"),
        ("import time; time.sleep(60)",),
    )

    def interrupt() -> None:
        while not (path.parent / "pid").exists():
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        place.run(path)
    thread.join()
    assert_ended(int((path.parent / "pid").read_text()))
    assert place.store.read_run(place.store.list_run_ids()[0]).status == "interrupted"


def test_other_kernel_name_is_noticed(place: Place) -> None:
    """A notebook made for a kernel that is not here runs on this interpreter, and says so."""
    metadata = {"kernelspec": {"name": "conda-env-x-py", "display_name": "x", "language": "python"}}
    path = place.write(("import sys; print(sys.executable)", "step:a"), metadata=metadata)
    result = place.run(path)
    assert result.status == "finished"
    assert "conda-env-x-py" in str(place.told[0])
    assert place.read_printed() == [f"{sys.executable}\n"]


def test_unknown_kernel_name_is_a_failed_step(place: Place) -> None:
    """A kernelspec asked for by name must exist."""
    path = place.write(("1", "step:a"))
    result = place.run(path, kernel_name="no-such-kernel")
    assert result.status == "failed"
    assert "no-such-kernel" in str(result.steps[0].error)


def test_timeout_must_be_positive(place: Place) -> None:
    """A time limit of nothing is refused."""
    with pytest.raises(InvalidValueError, match="timeout"):
        place.run(place.write(("1", "step:a")), timeout=0)


def test_old_steps_are_removed(place: Place) -> None:
    """Executed steps of an earlier plan do not stay among those of this one; other files do."""
    place.out.mkdir()
    write_notebook(new_notebook([], {"mlops": {"step": "old"}}), place.out / "07-old.ipynb")
    write_notebook(new_notebook([], {}), place.out / "08-mine.ipynb")
    place.run(place.write(("print(1)", "step:a")))
    assert sorted(p.name for p in place.out.iterdir()) == ["01-a.ipynb", "08-mine.ipynb"]


def test_runs_inside_steps_are_children(place: Place) -> None:
    """Runs that steps start belong to the pipeline's run, which shows their metrics."""
    path = place.write(
        ("import mlops_nb as mlops", "imports"),
        ("with mlops.start_run(name='one') as run:\n    mlops.log_metric('acc', 0.25)", "step:a"),
        ("with mlops.start_run(name='two') as run:\n    mlops.log_metric('acc', 0.75)", "step:b"),
    )
    result = place.run(path)
    assert result.status == "finished", [step.error for step in result.steps]
    assert result.metrics == {"acc": 0.75, "one.acc": 0.25, "two.acc": 0.75}


def test_kernel_without_folder_fails_cleanly(tmp_path: Path) -> None:
    """A kernel that cannot be started leaves no file behind and says why."""
    kernel = StepKernel(tmp_path / "gone", {})
    with pytest.raises(StepFailedError, match="did not start"):
        kernel.start()
    assert not kernel.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_kernel_that_dies_between_steps_is_told(place: Place) -> None:
    """A kernel that goes on with the next step and dies just before it is no endless wait."""
    path = place.write(
        ("import os; open('pid', 'w').write(str(os.getpid()))\nlines = (i for i in '')", "step:a"),
        ("print(list(lines))", "step:b"),
    )

    def kill(event: Progress) -> None:
        if event.kind == "step_finished" and event.number == 1:
            os.kill(int((path.parent / "pid").read_text()), signal.SIGKILL)

    result = run(
        path,
        out_dir=place.out,
        store=place.store,
        settings=load_settings(place.folder),
        on_progress=kill,
    )
    assert [step.status for step in result.steps] == ["succeeded", "failed"]
    assert str(result.steps[1].error).startswith("the kernel died")
    assert result.steps[1].cause == "died"


def test_store_without_room_for_boundaries(place: Place) -> None:
    """Where the store cannot take what crosses, a temporary folder does, and is removed."""
    path = place.write(("x = 1", "step:a"), ("print(x)", "step:b"))
    (place.store.root / "boundaries").write_text("in the way")
    result = place.run(path)
    assert result.status == "finished"
    assert place.read_printed() == ["", "1\n"]


def test_steps_close_their_sessions(place: Place) -> None:
    """What a step's kernel still records when its cells are done is written before it ends."""
    path = place.write(
        ("import mlops_nb as mlops", "imports"),
        (
            "run = mlops.start_run(name='open')\nname = run.name\nmlops.log_metric('a', 1.0)\ndel run",
            "step:a",
        ),
        ("print(name)", "step:b"),
    )
    result = place.run(path)
    assert result.metrics == {"a": 1.0, "open.a": 1.0}
    child = place.store.read_run(place.store.find_run("open"))
    assert child.status == "finished"
    assert child.parent_run_id == result.run_id


def test_end_of_the_notebook_comes_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is registered for the end of the process does not run between steps."""
    monkeypatch.setattr("mlops_nb.pipeline.kernels._LEAVE_S", 120.0)  # a busy machine takes long
    path = place.write(
        ("import atexit, tempfile\nt = tempfile.TemporaryDirectory(); folder = t.name", "step:a"),
        (
            "import os; print(os.path.isdir(folder))\natexit.register(lambda: open('end.txt', 'a').write('x'))",
            "step:b",
        ),
    )
    assert place.run(path).status == "finished"
    assert place.read_printed() == ["", "True\n"]
    assert (path.parent / "end.txt").read_text() == "x"
