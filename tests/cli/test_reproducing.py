"""The command reproduce."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops_nb.notebook.document import new_notebook, write_notebook
from tests.api.kernels import PlayedKernel
from tests.cli.conftest import Answer

Ask = Callable[..., Answer]
LOG = "import mlops_nb, time\nwith mlops_nb.start_run('it') as run:\n    run.log_metric('m', {})"


def test_verdict_is_told_with_an_exit_code(ask: Ask, tmp_path: Path) -> None:
    """4 where it differs, with both values in a table; 1 where nothing ran; 2 for no such run."""
    kernel = PlayedKernel(write_notebook(new_notebook([]), tmp_path / "nb.ipynb"))
    [run_id] = kernel.execute(LOG.format("time.perf_counter()"))
    kernel.session.close()
    answer = ask("reproduce", run_id)
    assert answer.code == 4, answer.err
    assert answer.out.startswith("differs: metric m: ")
    assert "not checked: the environment" in answer.out
    assert "replay ok" in answer.err
    assert ask("show", run_id, "--json").json["tags"]["mlops.reproduction"] in answer.out
    bare = ask("reproduce", "never")
    assert (bare.code, "no run 'never'" in bare.err) == (2, True)
    assert ask("reproduce", run_id, "--tolerance", "0").code == 2


def test_what_cannot_run_is_one_document(ask: Ask, tmp_path: Path) -> None:
    """With --json there is one document, whatever the verdict is."""
    kernel = PlayedKernel()
    kernel.names["unseen"] = 1
    [run_id] = kernel.execute("m = unseen\n" + LOG.format("m"))
    kernel.session.close()
    answer = ask("reproduce", run_id, "--json")
    assert answer.code == 1
    assert answer.json["status"] == "could not run"
    assert answer.json["verdict"].startswith("could not run: cell 0: NameError")
    assert answer.json["run_id"] == run_id
