"""The routes of what can be done with a run once more."""

from __future__ import annotations

from pathlib import Path

from tests.api.kernels import PlayedKernel
from tests.server.conftest import Ask

LOGS = "import mlops_nb\nwith mlops_nb.start_run():\n    mlops_nb.log_metric('total', 1.0)"


async def test_script_of_a_run_is_answered(ask: Ask, tmp_path: Path) -> None:
    """With a name for its file; a run without code, or none at all, is told as such."""
    [run_id] = PlayedKernel().execute(LOGS)
    code, body = await ask("runs", run_id, "script")
    assert code == 200
    assert LOGS in body["source"]
    assert body["name"].endswith(f"-{run_id[-8:]}.py")
    assert not list(tmp_path.rglob("*.py"))
    assert (await ask("runs", "never", "script"))[0] == 404
