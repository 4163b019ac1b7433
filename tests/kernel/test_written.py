"""What a cell prints while it trains is kept with its run, through a real IPython shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import IPython
import pytest

from mlops_nb import api

Run = Callable[..., Any]
KEPT = pytest.mark.skipif(
    IPython.version_info[:2] < (9, 1), reason="IPython keeps no output before 9.1"
)


@KEPT
def test_printed_output_is_a_file_of_the_run(loaded: Run) -> None:
    """Both streams and the last frame of a bar are there, and nothing of other cells."""
    loaded("print('before')")
    loaded(
        "import sys\nfrom tqdm import tqdm\nwith mlops.start_run('printing'):\n"
        "    for _ in tqdm(range(3), file=sys.stdout): pass\n"
        "    print('acc 0.9')\n    print('careful', file=sys.stderr)"
    )
    loaded("print('after')")
    run = api.get_run("printing")
    (kept,) = run.artifacts
    text = api.read_artifact(run.run_id, kept.path).decode()
    assert kept.media_type == "text/plain"
    assert "3/3" in text
    assert "0/3" not in text
    assert "acc 0.9\ncareful" in text
    assert "before" not in text
    assert "after" not in text


@KEPT
def test_a_failing_cell_keeps_what_it_printed(loaded: Run) -> None:
    """What led to an error is what one wants to read."""
    loaded("with mlops.start_run('failing'):\n    print('epoch 3: loss nan')\n    1 / 0")
    run = api.get_run("failing")
    assert run.status == "failed"
    assert api.read_artifact(run.run_id, run.artifacts[0].path) == b"epoch 3: loss nan\n"


def test_silent_cells_keep_nothing(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that prints nothing leaves no file."""
    loaded("with mlops.start_run('silent'): pass")
    assert api.get_run("silent").artifacts == ()
