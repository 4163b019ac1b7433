"""A run made again: the verdict names the first difference, and nothing of the user's is changed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_nb import api
from mlops_nb.config import load_settings
from mlops_nb.errors import RunNotFoundError
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import verify_folder
from mlops_nb.records import DatasetRecord, Reproduction
from mlops_nb.store import Store
from mlops_nb.store import store as opening
from mlops_nb.tracking import start_run
from tests.api.kernels import PlayedKernel

LOG = "import mlops_nb\nwith mlops_nb.start_run('it') as run:\n    "


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a notebook in a project, with a file beside it; cells run in its folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    (folder / "data.txt").write_text("1 2 3", encoding="utf-8")
    monkeypatch.chdir(folder)
    return write_notebook(new_notebook([]), folder / "nb.ipynb")


def add_input(run_id: str, store: Store, path: Path) -> None:
    """Record a file as read by a run, as auto-logging does in a kernel."""
    from mlops_nb.data.files import FileIdentities
    from mlops_nb.tracking.start import reopen_run

    found = FileIdentities().find(str(path))
    run = reopen_run(store, run_id)
    assert found is not None
    assert run is not None
    run.log_dataset(
        DatasetRecord(found[0], "file", path.name, "read", size_bytes=found[1], call="open", cell=0)
    )


def test_same_code_gives_the_same_and_leaves_everything_as_it_was(
    notebook: Path, store: Store
) -> None:
    """The second run of a cell is found again as such; models and files of the user stay."""
    kernel = PlayedKernel(notebook)
    kernel.execute("total = 1\nfrom pathlib import Path")
    kernel.execute("Path('out.txt').write_text('mine')")
    kernel.execute("total += 1\nPath('out.txt').write_text(str(total))")
    kernel.execute("undefined")
    source = LOG + "[run.log_metric('loss', total / (n + 1)) for n in range(3)]"
    for _ in range(2):
        kernel.execute(source)
        [run_id] = kernel.execute("total += 1\n" + source)
    kernel.execute("total = 0")
    api.close_session()
    Path("out.txt").write_text("the user's", encoding="utf-8")
    notebook.unlink()
    before = store.list_run_ids()
    found = api.reproduce_run(run_id)
    assert (found.status, found.differences) == ("same", ())
    assert any("'nb.ipynb' is not there any more" in line for line in found.remarks)
    assert Path("out.txt").read_text(encoding="utf-8") == "the user's"
    assert [new for new in store.list_run_ids() if new not in before] == [found.new_run_id]
    new, old = api.get_run(found.new_run_id or ""), api.get_run(run_id)
    assert new.metrics == old.metrics == {"loss": 4 / 3}
    assert new.tags["mlops.reproduces"] == run_id
    assert old.tags["mlops.reproduction"] == new.tags["mlops.reproduction"] == str(found)
    assert old.tags["mlops.reproduction_run"] == found.new_run_id
    report = json.loads(api.read_artifact(new.run_id, "reproduction/report.json"))
    assert report["status"] == "same"
    assert json.loads(api.read_artifact(new.run_id, "reproduction/executed.ipynb"))["cells"]
    assert new.cells[-1].source == old.cells[-1].source
    assert [key[0] for key in opening._opened if "reproduce" in str(key[0])] == []


def test_first_value_that_differs_is_named(notebook: Path) -> None:
    """What is another each time is told with its step and both values."""
    kernel = PlayedKernel(notebook)
    noise = "import time\nnoise = time.perf_counter() * 1e-9"
    kernel.execute(noise)
    [run_id] = kernel.execute(
        LOG + "run.log_params({'a': 1})\n"
        "    [run.log_metric('m', 1 + noise * (n == 2), n) for n in range(4)]"
    )
    api.close_session()
    found = api.reproduce_run(run_id)
    assert found.status == "differs"
    assert [each.key for each in found.differences] == ["m (step 2)"]
    assert str(found).startswith("differs: metric m (step 2): 1.0")


def test_other_input_is_named_before_anything_runs(notebook: Path, store: Store) -> None:
    """One byte of a file: told at once, run only where asked, and restored where the store can."""
    kernel, data = PlayedKernel(notebook), notebook.with_name("data.txt")
    kernel.execute("from pathlib import Path")
    read = "total = sum(map(int, Path('data.txt').read_text().split()))"
    [run_id] = kernel.execute(f"{read}\n{LOG}run.log_metric('total', total)")
    api.close_session()
    add_input(run_id, store, data)
    data.write_text("1 2 4", encoding="utf-8")
    found = api.reproduce_run(run_id)
    assert (found.status, found.new_run_id) == ("differs", None)
    assert str(found).startswith("differs: input data.txt: ")
    assert any("was not run" in line for line in found.unchecked)
    found = api.reproduce_run(run_id, anyway=True)
    assert [each.group for each in found.differences] == ["input", "metric"]
    assert (found.differences[1].before, found.differences[1].after) == (6, 7)
    store.objects.put_bytes(b"1 2 3")
    found = api.reproduce_run(run_id)
    assert found.differences == ()
    assert "the store had its bytes" in found.remarks[0]
    assert data.read_text(encoding="utf-8") == "1 2 4"


def test_a_large_file_that_a_program_changes_is_told(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is linked, not copied, and written by nobody that is seen, does not change unsaid."""
    monkeypatch.setattr(verify_folder, "_LARGEST_FILE_BYTES", 4)
    kernel = PlayedKernel(notebook)
    program = "open('data.txt', 'a').write('4')"
    kernel.execute(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {program!r}])")
    [run_id] = kernel.execute(LOG + "run.log_metric('m', 1)")
    api.close_session()
    found = api.reproduce_run(run_id)
    assert found.status == "same"
    assert [line for line in found.remarks if "the file itself changed" in line] == [
        f"{str(notebook.parent / 'data.txt')!r} is too large to be copied: the file itself changed"
    ]


def test_failed_run_fails_again(notebook: Path) -> None:
    """The same end is the same verdict; an end that it had not is none."""
    kernel = PlayedKernel(notebook)
    kernel.execute(LOG + "run.log_metric('m', 1)\n    raise ValueError('no')")
    [run_id] = [run.run_id for run in api.list_runs()]
    assert api.get_run(run_id).status == "failed"
    api.close_session()
    found = api.reproduce_run(run_id)
    assert (found.status, found.unchecked[0][:15]) == ("same", "the environment")
    assert api.get_run(found.new_run_id or "").status == "failed"


def test_what_cannot_run_says_why(notebook: Path, store: Store, tmp_path: Path) -> None:
    """Code that needs what was not recorded, writes elsewhere, is at work, or was never kept."""
    kernel = PlayedKernel(notebook)
    kernel.names["unseen"] = 3
    [lost] = kernel.execute(LOG + "run.log_metric('m', unseen)")
    found = api.reproduce_run(lost)
    assert str(found) == "differs: status of the run: finished -> failed"
    assert "the code stopped: cell 0: NameError" in found.remarks[-1]
    [gone] = kernel.execute("x = unseen\n" + LOG + "run.log_metric('m', x)")
    found = api.reproduce_run(gone)
    assert str(found).startswith("could not run: cell 0: NameError")
    assert api.get_run(gone).tags["mlops.reproduction"] == str(found)
    [outside] = kernel.execute(LOG + "run.log_metric('m', 1)")
    record = DatasetRecord("", "file", str(tmp_path / "x.csv"), "written", call="open", cell=2)
    kernel.session.log_cell_data(2, [record])
    assert "outside of its folder" in str(api.reproduce_run(outside))
    run = start_run(store, load_settings(), "bare", is_active=False)
    assert str(api.reproduce_run(run.run_id)) == "could not run: it is still running"
    run.end()
    assert str(api.reproduce_run(run.run_id)).startswith("could not run: no recorded code of run")
    with pytest.raises(RunNotFoundError):
        api.reproduce_run("never")


def test_script_is_made_again(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is not there any more; the words of its command line are not known."""
    script = notebook.with_name("train.py")
    source = f"import mlops_nb.autolog.on\nimport beside\n{LOG}run.log_metric('m', beside.TWO)\n"
    script.write_text(source, encoding="utf-8")
    script.with_name("beside.py").write_text("TWO = 2", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    subprocess.run([sys.executable, str(script)], check=True)
    script.unlink()
    found = api.reproduce_run("it")
    assert found.status == "same"
    assert [line.partition(":")[0] for line in found.unchecked] == [
        "the words of its command line",
        "the modules beside",
    ]
    again = api.reproduce_run(found.new_run_id or "")  # it ran in a copy, which is gone
    assert (again.status, api.get_run(again.new_run_id or "").metrics) == ("same", {"m": 2})


def test_pipeline_and_its_steps_are_made_again(notebook: Path) -> None:
    """The pipeline with all of its runs, or one of them; with the parameters of the run."""
    cells = [
        new_code_cell("rate = 1", ["parameters"]),
        new_code_cell("first = rate * 2", ["step:one"]),
        new_code_cell("import mlops_nb\nmlops_nb.log_metric('m', first)", ["step:two"]),
    ]
    write_notebook(new_notebook(cells), notebook)
    result = api.run_pipeline(notebook, {"rate": 5})
    [child] = api.list_runs(f"parent_run_id = '{result.run_id}'")
    whole = api.reproduce_run(result.run_id)
    assert (whole.status, api.get_run(whole.new_run_id or "").params) == ("same", {"rate": 5})
    step = api.reproduce_run(child.run_id)
    assert step.status == "same"
    assert api.get_run(step.new_run_id or "").metrics["m"] == 10
    assert "not checked: files that steps" in str(step)


def test_verdict_is_one_line() -> None:
    """What was not checked is said behind a same; the rest is counted."""
    same = Reproduction("id", "name", "same", 0.0, unchecked=("a", "b"))
    assert str(same) == "same, but not checked: a (and 1 more)"
    assert str(replace(same, unchecked=())) == "same"
