"""The extension in a real kernel, run as papermill runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.kernel.cards import MEDIA_TYPE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start a kernel behind nbclient, which goes on after errors."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delenv("MLOPS_NB_NOTEBOOK", raising=False)
    made = NotebookClient(
        nbformat.v4.new_notebook(), timeout=240, startup_timeout=240, allow_errors=True
    )
    made.resources["metadata"] = {"path": str(tmp_path)}
    with made.setup_kernel():
        yield made


def run_cell(client: Any, source: str, tags: tuple[str, ...] = ()) -> list[Any]:
    """Run one more cell; gives its outputs."""
    import nbformat

    cell = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})
    client.nb.cells.append(cell)
    # What JupyterLab sends with each request, and our papermill engine too.
    client.kc.session.metadata = {"cellId": cell.id, **cell.metadata}
    client.execute_cell(cell, len(client.nb.cells) - 1)
    return list(cell.outputs)


def find_cards(outputs: list[Any]) -> list[Any]:
    """Pick the cards out of a cell's outputs."""
    return [each for each in outputs if MEDIA_TYPE in each.get("data", {})]


def test_notebook_in_a_kernel(client: Any) -> None:
    """Cells, tags, figures and cards arrive; late metrics complete the card that is shown."""
    assert run_cell(client, "%load_ext mlops_nb\n%matplotlib inline") == []
    run_cell(client, "import mlops_nb as mlops\nimport matplotlib.pyplot as plt", ("imports",))
    outputs = run_cell(
        client,
        "run = mlops.start_run('fit')\nmlops.log_metric('loss', 1.5)\n"
        "plt.plot([1, 2]); plt.show()\nplt.plot([2, 1])",
        ("step:train",),
    )
    [card] = find_cards(outputs)
    assert "loss  1.5" in card["data"]["text/plain"]
    assert find_cards(run_cell(client, "mlops.log_metric('acc', 0.875)")) == []
    run_cell(client, "mlops.end_run()")
    stored = find_cards(client.nb.cells[2].outputs)[0]["data"]
    assert "acc   0.875" in stored["text/plain"]
    assert stored[MEDIA_TYPE]["runs"][0]["status"] == "finished"

    record = api.get_run("fit")
    assert record.metrics == {"loss": 1.5, "acc": 0.875}
    assert [cell.tags for cell in record.cells][:3] == [(), ("imports",), ("step:train",)]
    assert [cell.cell_id for cell in record.cells] == [cell.id for cell in client.nb.cells]
    assert [item.media_type for item in record.artifacts] == ["image/png", "image/png"]
    for item in record.artifacts:
        assert api.read_artifact("fit", item.path).startswith(b"\x89PNG")


def test_long_cell_is_told_while_it_runs(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card with the progress of a bar and a curve appears under the cell before it ends."""
    run_cell(client, "import os; os.environ['MLOPS_NB_RESOURCES'] = '0.1'\n%load_ext mlops_nb")
    run_cell(
        client,
        "import time, mlops_nb as mlops, mlops_nb.kernel.livecards as live\n"
        "from tqdm.auto import tqdm\nlive.FIRST_S = 0.2\n"
        "from mlops_nb.kernel.extension import find_extension\n"
        "def is_told():\n"
        "    card = find_extension(get_ipython()).hooks._cards.live._card\n"
        "    return card is not None and card.runs[0].progress is not None",
    )
    seen: list[Any] = []
    process = client.process_message

    def note(message: Any, *rest: Any) -> Any:
        seen.append(message)
        return process(message, *rest)

    monkeypatch.setattr(client, "process_message", note)
    outputs = run_cell(
        client,
        "print('begin')\nwith mlops.start_run('epochs'):\n"
        "    for i in tqdm(range(15), desc='epoch'):\n"
        "        mlops.log_metric('loss', 1 / (i + 1))\n"
        "        while i == 5 and not is_told(): time.sleep(0.05)\nprint('end')",
    )
    told = [
        each["content"]["data"] for each in seen if MEDIA_TYPE in each["content"].get("data", {})
    ]
    kinds = [each["msg_type"] for each in seen if MEDIA_TYPE in each["content"].get("data", {})]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}
    assert told[0][MEDIA_TYPE]["runs"][0]["status"] == "running"
    progress = [each[MEDIA_TYPE]["runs"][0]["progress"] for each in told[:-1]]
    assert any(each is not None and each["total"] == 15 for each in progress)
    [card] = find_cards(outputs)
    assert card["data"][MEDIA_TYPE]["runs"][0]["status"] == "finished"
    assert card["data"][MEDIA_TYPE]["curve"]["count"] == 15
    assert "loss  █" in card["data"]["text/plain"]


def test_error_of_a_magic_fails_its_cell_in_two_lines(client: Any) -> None:
    """The stored error has the class, the message and the hint, and no traceback."""
    run_cell(client, "%load_ext mlops_nb")
    [error] = run_cell(client, "%mlops show nope")
    assert error["output_type"] == "error"
    assert error["ename"] == "RunNotFoundError"
    assert len(error["traceback"]) == 2


def test_figure_as_a_value_is_kept_once(client: Any) -> None:
    """A figure that is the value of a cell is kept as the bytes that were shown."""
    run_cell(client, "%load_ext mlops_nb\nimport mlops_nb as mlops")
    run_cell(client, "from matplotlib.figure import Figure\n%matplotlib inline")
    outputs = run_cell(
        client,
        "with mlops.start_run('value'): pass\n"
        "figure = Figure(figsize=(1, 1)); figure.add_subplot()\nfigure",
    )
    assert any("image/png" in each.get("data", {}) for each in outputs)
    assert len(api.get_run("value").artifacts) == 1


def test_unload_in_a_kernel_removes_the_hooks(client: Any) -> None:
    """After unloading, neither of the kernel's publishers calls us."""
    run_cell(client, "%load_ext mlops_nb")
    run_cell(client, "%unload_ext mlops_nb")
    outputs = run_cell(
        client,
        "ip = get_ipython()\n"
        "[len(ip.display_pub._hooks), len(getattr(ip.displayhook, '_hooks', []))]",
    )
    assert outputs[0]["data"]["text/plain"] == "[0, 0]"


@pytest.mark.parametrize(
    "source",
    ["while True: pass", "import asyncio\nwhile True: await asyncio.sleep(0.01)"],
    ids=["loop", "await"],
)
def test_interrupted_cell_is_recorded_as_such(client: Any, source: str, tmp_path: Path) -> None:
    """Interrupting a loop, or an await, ends the cell as interrupted; the kernel goes on."""
    run_cell(client, "%load_ext mlops_nb\nimport mlops_nb as mlops")
    source = f"open({str(tmp_path / 'begun')!r}, 'w').close()\n{source}"

    async def run_and_interrupt() -> None:
        import nbformat

        cell = nbformat.v4.new_code_cell(source)
        client.nb.cells.append(cell)
        task = asyncio.ensure_future(client.async_execute_cell(cell, len(client.nb.cells) - 1))
        while not (tmp_path / "begun").exists():
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        await client.km.interrupt_kernel()
        await task

    from nbclient.util import run_sync

    run_sync(run_and_interrupt)()
    run_cell(client, "mlops.start_run('after').end()")
    found = {cell.source: cell.status for cell in api.get_run("after").cells}
    assert found[source] == "interrupted"
