"""Loops of torch without a loader name the data that they read."""

from __future__ import annotations

import gc
import weakref

import pytest

from tests.autolog.conftest import Notebook

FIRST = (
    "XT, yt = torch.randn(20, 4), torch.randn(20, 1)\n"
    "XV, yv = torch.randn(6, 4), torch.randn(6, 1)\n"
    "net = torch.nn.Linear(4, 1); step = torch.optim.SGD(net.parameters(), lr=0.01)\n"
    "rest = torch.ones(3); weights = torch.ones(4, 1, requires_grad=True)\n"
)
UPDATE = "step.zero_grad(); loss.backward(); step.step()\n"

LOOPS = {
    "whole": "for _ in range(3):\n    loss = ((net(XT) - yt) ** 2).mean()\n    " + UPDATE,
    "parts": (
        "for epoch in range(2):\n"
        "    order = torch.randperm(20)\n"
        "    for first in range(0, 20, 10):\n"
        "        part = order[first:first + 10]\n"
        "        xb, yb = XT[part], yt[part]\n"
        "        loss = ((net(xb) @ weights[:1] - yb) ** 2).mean()\n        " + UPDATE
    ),
    "a function": (
        "def update(x, y):\n    loss = ((net(x) - y) ** 2).mean()\n    "
        + UPDATE
        + "for _ in range(2):\n    update(XT, yt)\n"
    ),
    "a class": (
        "class Trainer:\n"
        "    def __init__(self): self.x, self.y, self.net, self.optimizer = XT, yt, net, step\n"
        "    def train(self):\n"
        "        for _ in range(2):\n"
        "            loss = ((self.net(self.x) - self.y) ** 2).mean()\n"
        "            self.optimizer.zero_grad(); loss.backward(); self.optimizer.step()\n"
        "Trainer().train()\n"
    ),
}


@pytest.mark.parametrize(("name", "source"), LOOPS.items(), ids=LOOPS)
def test_data_of_a_loop(torchbook: Notebook, name: str, source: str) -> None:
    """What the loop reads and does not make, by its name there; nothing else of the notebook."""
    torchbook.run(FIRST + source)
    (run,) = torchbook.runs()
    found = {(data.role, data.name, data.shape) for data in run.datasets}
    names = ("self.x", "self.y") if name == "a class" else ("XT", "yt")
    assert found == {("train", names[0], (20, 4)), ("train", names[1], (20, 1))}


def test_validation_is_told_apart(torchbook: Notebook) -> None:
    """What is read without gradients is validation; no tensor outlives the notebook's own."""
    torchbook.run(
        FIRST + "for _ in range(2):\n"
        "    loss = ((net(XT) - yt) ** 2).mean()\n    " + UPDATE + "    with torch.no_grad():\n"
        "        val_loss = ((net(XV) - yv) ** 2).mean().item()\n"
    )
    (run,) = torchbook.runs()
    assert {(data.role, data.name) for data in run.datasets} == {
        ("train", "XT"), ("train", "yt"), ("validation", "XV"), ("validation", "yv"),
    }  # fmt: skip
    reference = weakref.ref(torchbook.namespace.pop("XT"))
    gc.collect()
    assert reference() is None


def test_a_loader_names_them_itself(torchbook: Notebook) -> None:
    """Where a loader gives the batches, its data set is recorded, also if nobody holds the loader."""
    torchbook.run(
        FIRST + "data = torch.utils.data.TensorDataset(XT, yt)\n"
        "for xb, yb in torch.utils.data.DataLoader(data, 10):\n"
        "    loss = ((net(xb) - yb) ** 2).mean() + 0 * XV.sum()\n    " + UPDATE
    )
    (run,) = torchbook.runs()
    assert {data.name for data in run.datasets} == {"tensors[0]", "tensors[1]"}
    assert (run.params["dataset.samples"], run.params["batch_size"]) == (20, 10)
    assert run.metrics["samples_per_s"] > 0


def test_objects_that_refuse_questions(
    torchbook: Notebook, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a loop reads and is no data is asked nothing, whatever it would answer."""
    torchbook.run(
        FIRST + "class Closed:\n    def __getattr__(self, name): raise RuntimeError(name)\n"
        "closed = Closed()\n"
        "for _ in range(3):\n    closed; loss = ((net(XT) - yt) ** 2).mean()\n    " + UPDATE
    )
    assert "no longer recorded" not in capfd.readouterr().err
    assert {each.name for each in torchbook.runs()[0].datasets} == {"XT", "yt"}
