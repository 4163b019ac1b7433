"""Case 51 of the harm suite: what torch calls for every module stays the user's alone."""

from __future__ import annotations

from tests.autolog.conftest import Notebook


def test_no_hook_of_modules_is_global(torchbook: Notebook) -> None:
    """While a training is recorded torch has no global hook, and its modules have none of ours."""
    import torch.nn.modules.module as home

    torchbook.run(
        "net = torch.nn.Linear(3, 1)\n"
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for _ in range(3):\n"
        "    loss = net(torch.ones(2, 3)).sum()\n"
        "    loss.backward(); optimizer.step()\n"
    )
    assert len(torchbook.runs()) == 1
    kinds = [name for name in vars(home) if name.startswith("_global_") and "hooks" in name]
    assert kinds
    found = {name: len(vars(home)[name]) for name in kinds if hasattr(vars(home)[name], "__len__")}
    assert set(found.values()) == {0}
    net = torchbook.namespace["net"]
    assert not net._forward_hooks
    assert not net._forward_pre_hooks
