"""Names under which notebooks keep results, as tutorials and papers write them."""

from __future__ import annotations

import pytest

from mlops_nb.autolog.resultnames import is_held_out, is_result_name
from tests.autolog.conftest import Notebook

HELD_OUT = (
    "val_loss valLoss loss_val best_val_acc test_acc testAcc eval_f1 dev_bleu vloss avg_vloss vacc "
    "running_vloss valacc testerr te_loss_test validation_error holdout_auc valloss2"
)
TRAINED = (
    "loss losses total_loss loss1 lossD errG_fake avg_loss avgloss train_loss trainacc tr_loss trloss "
    "tloss acc acc1 acc5 top1 top5 f1 r2 rmse best_acc bestacc epoch_loss epochloss mean_auc psnr "
    "train_err accuracies1"
)
NONE = (
    "lr epochs loss_fn lossfn loss_weight vdata vlabels voutputs tf1 v value trace total best terms "
    "validate valid test tests vocab vector epoch batch tensor mean average step threshold_acc model1"
)


@pytest.mark.parametrize("name", HELD_OUT.split())
def test_results_on_data_that_is_held_out(name: str) -> None:
    """Results, by which the best epoch is judged."""
    assert is_result_name(name)
    assert is_held_out(name)


@pytest.mark.parametrize("name", TRAINED.split())
def test_results_of_a_training(name: str) -> None:
    """Results, of which nothing says that they are of other data."""
    assert is_result_name(name)
    assert not is_held_out(name)


@pytest.mark.parametrize("name", NONE.split())
def test_what_is_no_result(name: str) -> None:
    """Settings, data, counters, and words that only begin or end like one."""
    assert not is_result_name(name)


def test_the_loop_of_a_tutorial(torchbook: Notebook) -> None:
    """``avg_vloss`` and ``vacc``, as torch's own tutorial writes them, are the results of an epoch."""
    torchbook.run(
        "model = make_model()\nopt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "best_vloss = 1_000_000.\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "loader = DataLoader(TensorDataset(X, y), batch_size=8)\n"
        "def train_one_epoch():\n"
        "    last_loss = 0.\n"
        "    for inputs, labels in loader:\n"
        "        loss = nn.functional.cross_entropy(model(inputs), labels)\n"
        "        opt.zero_grad(); loss.backward(); opt.step()\n"
        "        last_loss = loss.item()\n"
        "    return last_loss\n"
        "for epoch in range(4):\n"
        "    avg_loss = train_one_epoch()\n"
        "    with torch.no_grad():\n"
        "        avg_vloss = nn.functional.cross_entropy(model(X), y)\n"
        "    vacc = (model(X).argmax(1) == y).float().mean().item()\n"
        "    if avg_vloss < best_vloss: best_vloss = avg_vloss"
    )
    (run,) = torchbook.runs()
    assert {"avg_loss", "avg_vloss", "vacc", "best_vloss"} <= set(run.metrics)
    assert "by avg_vloss" in run.tags["best_epoch"]
