"""A notebook for torch: its first cell imports the library and makes small data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.autolog.conftest import Notebook

FIRST_CELL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(64, 4)
y = (X[:, 0] > 0).long()
def make_model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
"""

LOOP = """
model = make_model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loader = DataLoader(TensorDataset(X, y), batch_size=16)
criterion = nn.CrossEntropyLoss()
seen = []
for epoch in range(3):
    for batch, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(batch), target)
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
"""


def read_points(notebook: Notebook, run_id: str, key: str) -> list[tuple[int, float]]:
    """Read a series of a run as steps and values."""
    points = notebook.store.read_metric_history(run_id, key)
    return [(point.step, point.value) for point in points]


def read_values(notebook: Notebook, run_id: str, key: str) -> list[float]:
    """Read the values of a series of a run."""
    return [value for _, value in read_points(notebook, run_id, key)]
