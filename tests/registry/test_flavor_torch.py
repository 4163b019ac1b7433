"""Torch modules are saved as weights and plain names, never as code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_nb.errors import UnsafeModelError
from mlops_nb.registry.flavors import load_model, save_model

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


def make_net() -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)),
        nn.Conv2d(1, 3, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Sequential(nn.Linear(12, 8), nn.LeakyReLU(0.3), nn.Dropout(0.4), nn.LayerNorm(8)),
        nn.Linear(8, 2, bias=False),
        nn.Softmax(dim=1),
    )


def test_sequence_of_layers_comes_back() -> None:
    """A Sequential of torch's layers gives the same output after loading, dropout off."""
    net = make_net()
    net(torch.rand(8, 16))  # moves the statistics of the batch norm
    net.eval()
    saved = save_model(net)
    copy = load_model(saved.flavor, saved.data)
    rows = torch.rand(5, 16)
    assert saved.flavor == "torch"
    assert not copy.training
    assert copy[6][2].p == 0.4
    assert torch.equal(copy(rows), net(rows))


def test_class_of_the_notebook_is_refused() -> None:
    """A module class written in a notebook is named with a way to go on."""

    class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
        """A module as one is written in a cell."""

    with pytest.raises(UnsafeModelError, match="Net") as caught:
        save_model(torch.nn.Sequential(Net()))
    assert "Sequential" in caught.value.hint


def test_layer_of_unknown_arguments_is_refused() -> None:
    """A layer that would lose the arguments it was made with is refused when saving."""
    for layer in (torch.nn.Bilinear(2, 2, 2), torch.nn.CosineSimilarity(dim=0)):
        with pytest.raises(UnsafeModelError, match="arguments"):
            save_model(layer)


def rewrite(data: bytes, architecture: Any) -> bytes:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["mlops_nb"] = json.dumps(architecture)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


@pytest.mark.parametrize(
    "architecture",
    [
        {"class": "os:system"},
        {"class": "subprocess:Popen"},
        {"class": "this:zen"},
        {"class": "__main__:Net"},
        {"class": "numpy:array"},
        {"class": "../evil:Net"},
        {"layer": "Module", "arguments": {}},
        {"layer": "Linear", "arguments": {"in_features": "x"}},
        {"sequential": [["0", {"layer": "Linear", "arguments": {"in_features": -1}}]]},
        {"sequential": 3},
        [],
        "os.system",
    ],
)
def test_crafted_architecture_is_refused(architecture: Any) -> None:
    """An architecture that names other things than layers is refused."""
    data = save_model(torch.nn.Sequential(torch.nn.Linear(2, 2))).data
    with pytest.raises(UnsafeModelError):
        load_model("torch", rewrite(data, architecture))


def test_damaged_bytes_are_refused() -> None:
    """Cut off, foreign or lying bytes are refused with our error."""
    data = save_model(torch.nn.Linear(2, 2)).data
    for broken in (b"", b"\x80\x04", data[:-4], data[:20], b"\xff" * 8 + data[8:], b"PK\x03\x04"):
        with pytest.raises(UnsafeModelError):
            load_model("torch", broken)
