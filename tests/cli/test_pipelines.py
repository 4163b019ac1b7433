"""Commands about notebooks, on real kernels where something is run."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_nb.cli.failures import ending_as_by_hand
from mlops_nb.cli.pipelines import ProgressLine, choose_exit_code, read_params
from mlops_nb.errors import InvalidValueError, UsageError
from mlops_nb.records import PipelineResult, StepResult
from mlops_nb.store.writer import read_start_time
from tests.api.kernels import PlayedKernel

Ask = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernels of steps find this package where it is not installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def change_source(notebook: Path, index: int, source: str) -> None:
    """Replace the source of a cell."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    document["cells"][index]["source"] = source
    notebook.write_text(json.dumps(document), encoding="utf-8")


def test_pipeline_is_shown(ask: Ask, notebook: Path) -> None:
    """Steps and what passes between them, as text, Mermaid and JSON."""
    assert "make" in ask("pipeline", notebook).out
    assert ask("pipeline", notebook, "--mermaid").out.startswith("flowchart")
    plan = ask("pipeline", notebook, "--json").json
    assert [step["name"] for step in plan["steps"]] == ["make", "add"]
    assert plan["parameters"][0] == {
        "name": "scale",
        "type": "float",
        "default": 2.0,
        "help": "how much",
    }
    assert {"source": "make", "target": "add", "names": ["numbers"]} in plan["edges"]


def test_parameters_are_listed(ask: Ask, notebook: Path) -> None:
    """--help-notebook lists the parameters and runs nothing."""
    answer = ask("run", notebook, "--help-notebook")
    assert "how much" in answer.out
    names = [entry["name"] for entry in ask("run", notebook, "--help-notebook", "--json").json]
    assert names == ["scale", "times"]
    assert ask("runs", "--json").json == []


@pytest.mark.usefixtures("importable")
def test_notebook_is_run(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A run leaves one notebook a step, one JSON document, and one line a step on stderr."""
    answer = ask("run", notebook, "-p", "scale=0.5", "-o", tmp_path / "out", "--json")
    assert answer.code == 0, answer.err
    result = answer.json
    assert set(result) >= {"run_id", "status", "steps", "metrics"}
    assert result["status"] == "finished"
    assert result["params"] == {"scale": 0.5, "times": 3}
    assert [step["name"] for step in result["steps"]] == ["make", "add"]
    assert result["metrics"]["total"] == 1.5
    assert len(list((tmp_path / "out").glob("*.ipynb"))) == 2
    lines = answer.err.splitlines()
    assert [line.split(" ok ")[0] for line in lines] == ["[1/2] make", "[2/2] add"]
    assert "\r" not in answer.err
    assert ask("show", result["run_id"], "--json").json["status"] == "finished"


@pytest.mark.usefixtures("importable")
def test_failing_step_is_exit_code_1(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A step that raises is told with its reason; later steps are skipped."""
    change_source(notebook, 2, "raise ZeroDivisionError('the kernel died longer than allowed')")
    answer = ask("run", notebook, "-o", tmp_path / "out")
    assert answer.code == 1
    assert "[1/2] make failed" in answer.err
    assert "ZeroDivisionError" in answer.err
    assert "skipped" in answer.out


@pytest.mark.usefixtures("importable")
def test_dead_kernel_is_exit_code_138(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A kernel that dies is told apart from a cell that raises."""
    change_source(notebook, 2, "import os\nos._exit(7)")
    assert ask("run", notebook, "-o", tmp_path / "out").code == 138


@pytest.mark.usefixtures("importable")
def test_timeout_is_exit_code_124(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A step over its time is told apart as well."""
    change_source(notebook, 2, "import time\ntime.sleep(60)")
    assert ask("run", notebook, "-o", tmp_path / "out", "--timeout", "1").code == 124


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["-p", "scale=high"], 3, "'high'"),
        (["-p", "scle=1"], 3, "'scale'"),
        (["-p", "scale"], 2, "'scale'"),
        (["--timeout", "0"], 2, "0"),
        (["--timeout", "soon"], 2, "soon"),
    ],
)
def test_wrong_parameters_run_nothing(
    ask: Ask, notebook: Path, tmp_path: Path, words: list[str], code: int, named: str
) -> None:
    """Parameters are checked before anything is run or written."""
    answer = ask("run", notebook, "-o", tmp_path / "out", *words)
    assert answer.code == code
    assert named in answer.err
    assert not (tmp_path / "out").exists()
    assert ask("runs", "--json").json == []


def test_parameters_come_from_files(tmp_path: Path) -> None:
    """JSON and TOML files give typed values, and -p wins over them."""
    (tmp_path / "p.json").write_text('{"scale": 1.5, "times": 4}', encoding="utf-8")
    (tmp_path / "p.toml").write_text("scale = 1.5", encoding="utf-8")
    assert read_params(("times=5",), tmp_path / "p.json") == {"scale": 1.5, "times": "5"}
    assert read_params((), tmp_path / "p.toml") == {"scale": 1.5}
    assert read_params(("a=b=c",), None) == {"a": "b=c"}


@pytest.mark.parametrize(
    ("name", "text"), [("p.ini", "a: 1"), ("p.json", "{"), ("p.json", "[1]"), ("p.toml", "a = ")]
)
def test_wrong_parameter_files_are_refused(tmp_path: Path, name: str, text: str) -> None:
    """A file of another kind or form is named with what was expected."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidValueError, match=name):
        read_params((), tmp_path / name)


@pytest.mark.parametrize("command", ["run", "pipeline", "export"])
def test_missing_notebook_names_its_siblings(ask: Ask, notebook: Path, command: str) -> None:
    """A slip in the name of a notebook is answered with the right one; nothing is written."""
    before = sorted(notebook.parent.iterdir())
    answer = ask(command, notebook.with_name(notebook.name.replace("b", "v")))
    assert answer.code == 2
    assert f"Did you mean {notebook.name!r}?" in answer.err
    assert ask(command, notebook.parent).code == 2
    assert sorted(notebook.parent.iterdir()) == before


def test_wrong_words_are_refused() -> None:
    """A word that is no key and value is named."""
    with pytest.raises(UsageError, match="'=3'"):
        read_params(("=3",), None)


def test_notebook_is_exported(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A script is written where asked; an unknown form is refused."""
    change_source(notebook, 1, "import math")
    change_source(notebook, 3, "total = math.fsum(numbers)")
    answer = ask("export", notebook, "--to", "script", "-o", tmp_path / "train.py", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["path"] == str(tmp_path / "train.py")
    compile((tmp_path / "train.py").read_text(encoding="utf-8"), "train.py", "exec")
    wrong = ask("export", notebook, "--to", "airship")
    assert wrong.code == 2
    assert "'airship'" in wrong.err


def test_code_of_a_run_is_exported(ask: Ask, notebook: Path, tmp_path: Path) -> None:
    """A run is named in place of a notebook, and only one of the two; no file of others is replaced."""
    [run_id] = PlayedKernel(notebook).execute("import mlops_nb\nmlops_nb.log_metric('m', 1)")
    answer = ask("export", "--run", run_id, "-o", tmp_path / "it.py", "--json")
    assert answer.json["path"] == str(tmp_path / "it.py")
    assert "mlops_nb.log_metric('m', 1)" in (tmp_path / "it.py").read_text(encoding="utf-8")
    (tmp_path / "mine.py").write_text("mine", encoding="utf-8")
    assert ask("export", "--run", run_id, "-o", tmp_path / "mine.py").code == 2
    for words in ((), (notebook, "--run", run_id), ("--run", run_id, "-p", "scale=3")):
        wrong = ask("export", *words)
        assert (wrong.code, "name a notebook, or a run" in wrong.err) == (2, True)
    assert ask("export", "--run", "never").code == 2


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_terminal_shows_the_running_cell() -> None:
    """Only a terminal gets the line that is overwritten, and no letters of it are left behind."""
    events = [
        SimpleNamespace(kind="step_started", number=1, total=1, step="a", cells_total=0),
        SimpleNamespace(
            kind="cell_finished", number=1, total=1, step="a", cells_done=1, cells_total=12
        ),
        SimpleNamespace(
            kind="round_finished", number=1, total=1, step="a", cells_done=3, cells_total=8
        ),
        SimpleNamespace(
            kind="step_finished",
            number=1,
            total=1,
            step="a",
            status="succeeded",
            duration_s=0.2,
            message="",
        ),
        SimpleNamespace(kind="notice", number=0, total=0, step="", message="by the way"),
    ]
    live, plain = Terminal(), io.StringIO()
    for stream in (live, plain):
        line = ProgressLine(stream)
        for event in events:
            line(event)
    assert plain.getvalue() == "[1/1] a ok 200 ms\nby the way\n"
    assert live.getvalue() == (
        "\r[1/1] a ...\r[1/1] a ... cell 1/12\r[1/1] a ... round 3/8"
        "\r[1/1] a ok 200 ms    \n\rby the way\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_end_from_outside_leaves_nothing(notebook: Path, tmp_path: Path, name: str) -> None:
    """A job that is cancelled ends its kernel and what that has started, as with Ctrl-C."""
    source = "import subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
    source += "open('pid', 'w').write(str(child.pid))\ntime.sleep(600)"
    change_source(notebook, 2, source)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", "run", str(notebook), "-o", str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
        # Tests that were started by nohup hand down that a hang-up is to be passed over.
        preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL),
    )
    pid = tmp_path / "pid"
    for _ in range(2400):
        if pid.exists() and pid.read_text():
            break
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    assert "interrupted" in process.communicate(timeout=240)[1]
    assert process.returncode == 128 + getattr(signal, name)
    child = int(pid.read_text())
    for _ in range(1200):
        if read_start_time(child) is None:
            break
        time.sleep(0.05)
    assert read_start_time(child) is None
    assert list((tmp_path / "store" / "boundaries").iterdir()) == []


def test_handlers_are_put_back() -> None:
    """Nothing of it stays after the work, and what is ignored (nohup) stays ignored."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with ending_as_by_hand():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with ending_as_by_hand(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("status", "cause", "code"),
    [
        ("finished", None, 0),
        ("failed", "error", 1),
        ("failed", "timeout", 124),
        ("failed", "died", 138),
        ("failed", "interrupted", 130),
        ("failed", None, 1),
        ("interrupted", None, 130),
    ],
)
def test_exit_code_follows_the_cause(status: Any, cause: Any, code: int) -> None:
    """The shell learns how the run ended by the cause, whatever the message happens to say."""
    error = "ValueError: the kernel died, it took longer than allowed"
    steps = (StepResult("a", "failed", error=error, cause=cause),) if cause else ()
    assert choose_exit_code(PipelineResult("id", status, steps)) == code
