"""Tensors, modules and optimizers are compared as one training."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from mlops_nb.pipeline.comparing import compare_names, find_difference

torch = pytest.importorskip("torch")


def train(seed: int = 0, steps: int = 2) -> dict[str, Any]:
    """Train a small network and give all that belongs to it."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    for _ in range(steps):
        optimizer.zero_grad()
        net(torch.ones(5, 3)).sum().backward()
        optimizer.step()
        schedule.step()
    return {"net": net, "optimizer": optimizer, "schedule": schedule}


def copy_through_pickle(values: dict[str, Any]) -> dict[str, Any]:
    """Copy as one graph, with what is shared; pickle leaves gradients behind."""
    for parameter in values["net"].parameters():
        parameter.grad = None
    copied: dict[str, Any] = pickle.loads(pickle.dumps(values))
    return copied


def test_equal_trainings_are_equal() -> None:
    """Two trainings from one seed, or one and its copy, are the same."""
    assert compare_names(train(), train()).difference is None
    values = train()
    assert compare_names(values, copy_through_pickle(values)).difference is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda v: v["net"][0].weight.data[1, 2].add_(1e-7), "net.0.weight[1, 2]"),
        (lambda v: v["net"][1].running_mean.mul_(2), "net.1.running_mean[0]"),
        (lambda v: v["net"].eval(), "net.0.training"),
        (lambda v: v["net"][0].weight.requires_grad_(False), "net.0.weight.requires_grad"),
        (
            lambda v: v["optimizer"].state[v["net"][2].bias]["exp_avg"].add_(1),
            "optimizer.state[5]['exp_avg'][0]",
        ),
        (
            lambda v: v["optimizer"].param_groups[0].update(lr=0.5),
            "optimizer.param_groups[0]['lr']",
        ),
        (lambda v: setattr(v["schedule"], "last_epoch", 7), "schedule.last_epoch"),
    ],
)
def test_changes_are_located(change: Any, path: str) -> None:
    """Weights, buffers, modes and what the optimizer remembers are named by their place."""
    values = train()
    other = copy_through_pickle(values)
    change(other)
    found = compare_names(values, other).difference
    assert found is not None
    assert found.path == path


def test_gradients_count() -> None:
    """A gradient that did not come along is a difference."""
    values, other = train(), train()
    other["net"][0].bias.grad = None
    found = compare_names(values, other).difference
    assert found is not None
    assert found.path == "net.0.bias.grad"


def test_optimizers_keep_their_parameters() -> None:
    """An optimizer that trains copies of the parameters is the classic silent error."""
    values = train()
    whole = copy_through_pickle(values)
    apart = whole | {"optimizer": pickle.loads(pickle.dumps(values["optimizer"]))}
    found = compare_names(values, apart).difference
    assert found is not None
    assert found.kind == "sharing"


def test_tied_weights_and_shared_storage_stay() -> None:
    """A parameter used twice, and a view of a tensor, share memory on both sides or differ."""
    tied = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    loose = copy.deepcopy(tied)
    loose[1].weight = torch.nn.Parameter(tied[0].weight.detach().clone())
    assert find_difference(tied, copy.deepcopy(tied)) is None
    assert find_difference(tied, loose) is not None
    tensor = torch.arange(4.0)
    pair = {"t": tensor, "v": tensor[1:]}
    other = tensor.clone()
    assert compare_names(pair, {"t": other, "v": other[1:]}).difference is None
    found = compare_names(pair, {"t": other, "v": other[1:].clone()}).difference
    assert found is not None
    assert found.kind == "sharing"


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")]), None),
        (torch.tensor([0.0]), torch.tensor([-0.0]), "value"),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), "dtype"),
        (torch.ones(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.bfloat16), "value"),
        (torch.zeros(2, 3), torch.zeros(3, 2), "shape"),
        (torch.eye(2).to_sparse(), torch.eye(2).to_sparse(), None),
        (torch.eye(2).to_sparse(), torch.zeros(2, 2).to_sparse(), "shape"),
        (torch.ones(2), torch.nn.Parameter(torch.ones(2)), "type"),
        (torch.float32, torch.float64, None),
        (torch.Size([1, 2]), torch.Size([1, 3]), "value"),
    ],
)
def test_tensors_differ_by_kind(first: Any, second: Any, kind: str | None) -> None:
    """Type, shape, layout and bits of tensors count."""
    found = find_difference(first, second)
    if first is torch.float32:
        assert found is not None
    else:
        assert (None if found is None else found.kind) == kind


def test_generators_and_loaders_are_compared_by_state() -> None:
    """How far a generator has come counts, inside a data loader too; comparing draws nothing."""

    def load(seed: int) -> Any:
        generator = torch.Generator().manual_seed(seed)
        data = torch.utils.data.TensorDataset(torch.arange(4))
        return torch.utils.data.DataLoader(data, batch_size=2, shuffle=True, generator=generator)

    first, second = load(0), load(0)
    assert find_difference(first, second) is None
    list(second)
    found = find_difference(first, second, name="loader")
    assert found is not None
    assert found.path.startswith("loader.sampler.generator.get_state()")
    assert find_difference(load(0), load(1)) is not None


def test_computations_are_not_comparable() -> None:
    """A tensor that still knows how it was computed is equal by value, and open beyond."""
    weight = torch.ones(2, requires_grad=True)
    found = find_difference(weight * 2, weight * 2)
    assert found is not None
    assert found.kind == "not comparable"
    assert find_difference(weight * 2, weight * 3) is not None
    found = find_difference(weight * 2, weight + 1)
    assert found is not None
    assert found.path == "value.grad_fn"


def test_hooks_count_but_not_their_numbers() -> None:
    """Torch numbers hooks through a process, which says nothing of the model."""

    def hook(module: Any, inputs: Any, output: Any) -> None:
        del module, inputs, output

    first, second = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    second.load_state_dict(first.state_dict())
    first.register_forward_hook(hook)
    assert find_difference(first, second) is not None
    second.register_forward_hook(hook)
    assert find_difference(first, second) is None
