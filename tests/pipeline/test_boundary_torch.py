"""Programs with torch that are cut into steps print what they print whole, or are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pipeline.conftest import Crossing

Cross = Callable[..., Crossing]

TORCH_EQUAL = {
    "net_and_optimizer": (
        """
        import torch
        torch.manual_seed(0)
        net = torch.nn.Linear(3, 1); opt = torch.optim.Adam(net.parameters(), lr=0.1)
        x, y = torch.randn(8, 3), torch.randn(8, 1)
        def step():
            opt.zero_grad(); loss = ((net(x) - y) ** 2).mean(); loss.backward(); opt.step()
            return loss.item()
        first = step()
        """,
        "second = [step() for _ in range(5)][-1]",
        "print(first, second, step(), opt.param_groups[0]['params'][0] is net.weight, torch.randn(1))",
    ),
    "gradient_crosses": (
        "import torch\nw = torch.nn.Parameter(torch.ones(2)); opt = torch.optim.SGD([w], lr=1.0)\n(w * 3).sum().backward()",
        "opt.step()",
        "print(w, w.grad)",
    ),
    "shared_memory": (
        "import torch\na = torch.zeros(4); b = a.view(2, 2); c = a[1:]; net = torch.nn.Linear(2, 2); w = net.weight.data",
        "b[0, 0] = 5; c[0] = 6; w.fill_(3)",
        "print(a, b, c, net.weight, a.data_ptr() == b.data_ptr())",
    ),
    "tied_weights": (
        "import torch\ntorch.manual_seed(1); e = torch.nn.Embedding(3, 2); d = torch.nn.Linear(2, 3); d.weight = e.weight",
        "e.weight.data.zero_()",
        "print(d.weight, d.weight is e.weight)",
    ),
    "options": (
        "import torch\ntorch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); torch.set_printoptions(precision=2)\ntorch.manual_seed(5)",
        "g = torch.Generator().manual_seed(3); a = torch.rand(1, generator=g)",
        "print(torch.zeros(1).dtype, torch.is_grad_enabled(), torch.rand(2), a, torch.rand(1, generator=g))",
    ),
    "scheduler": (
        "import torch, copy\nnet = torch.nn.Linear(1, 1); opt = torch.optim.SGD(net.parameters(), lr=1.0)\nsched = torch.optim.lr_scheduler.StepLR(opt, 1, 0.5); ema = copy.deepcopy(net)",
        "opt.step(); sched.step()",
        "opt.step(); sched.step(); print(opt.param_groups[0]['lr'], sched.optimizer is opt, sched.get_last_lr())",
    ),
    "empty_and_bool": (
        "import torch\na = torch.zeros(0); b = torch.tensor([True, False]); c = torch.tensor(3, dtype=torch.bfloat16)",
        "b[1] = True",
        "print(a, b, c, c.dtype)",
    ),
}

TORCH_REFUSED = {
    "live_graph": (
        "import torch\nw = torch.ones(2, requires_grad=True); loss = (w * 3).sum()",
        "loss.backward()",
        "print(w.grad)",
        "loss",
    ),
    "from_numpy": (
        "import torch, numpy as np\na = np.zeros(3); t = torch.from_numpy(a)",
        "t += 1",
        "print(a)",
        "a",
    ),
}


@pytest.mark.parametrize("name", TORCH_EQUAL)
def test_torch_program_in_steps_prints_the_same(name: str, cross_torch: Cross) -> None:
    """A torch program whose steps run in processes of their own prints what it prints in one."""
    found = cross_torch(*TORCH_EQUAL[name])
    assert found.unpicklable == {}
    assert not found.failure, found.failure
    assert found.stepped == found.whole


@pytest.mark.parametrize("name", TORCH_REFUSED)
def test_what_torch_cannot_carry_is_named(name: str, cross_torch: Cross) -> None:
    """Tensors tied to a computation or to foreign memory are reported, never carried."""
    *steps, culprit = TORCH_REFUSED[name]
    found = cross_torch(*steps)
    assert culprit in found.unpicklable
