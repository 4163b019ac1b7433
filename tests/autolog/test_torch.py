"""A plain torch loop is one run: what was trained, how, on which data, and every loss."""

from __future__ import annotations

import math
import weakref

import pytest

from mlops_nb import autolog
from mlops_nb.data import load_frame
from mlops_nb.records import RunRecord
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import LOOP, read_points, read_values


def only_run(notebook: Notebook) -> RunRecord:
    """Give the one run there is."""
    (run,) = notebook.runs()
    return run


def test_plain_loop_is_a_run(torchbook: Notebook) -> None:
    """Every loss as ``item`` gave it, rate, epochs, speed, settings, model, data, seeds and cell."""
    torchbook.run(LOOP)
    run = only_run(torchbook)
    assert (run.name, run.status) == ("Sequential", "finished")
    assert read_values(torchbook, run.run_id, "loss") == torchbook.namespace["seen"]
    assert read_points(torchbook, run.run_id, "lr") == [(1, 0.1)]
    assert read_points(torchbook, run.run_id, "epoch") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    means = [sum(torchbook.namespace["seen"][n : n + 4]) / 4 for n in (0, 4, 8)]
    assert read_values(torchbook, run.run_id, "loss/epoch") == pytest.approx(means)
    assert run.metrics["best_epoch"] == float(means.index(min(means)))
    assert len(read_values(torchbook, run.run_id, "samples_per_s")) == 3
    assert run.metrics["steps_per_s"] > 0
    assert run.metrics["grad_norm"] > 0
    shown = {key: run.params[key] for key in ("model", "optimizer", "optimizer.lr", "device")}
    assert shown == {
        "model": "Sequential", "optimizer": "SGD", "optimizer.lr": 0.1, "device": "cpu",
    }  # fmt: skip
    counts = ("model.parameters", "dataset.samples", "batch_size", "steps", "epochs")
    assert [run.params[key] for key in counts] == [58, 64, 16, 12, 3]
    assert "optimizer.momentum" in run.tags["params.changed"]
    assert "optimizer.nesterov" not in run.tags["params.changed"]
    assert run.tags["library"].startswith("torch ")
    assert run.tags["seed.torch"]
    assert run.cells[-1].source == LOOP
    assert autolog.run_of(torchbook.namespace["model"]) == run.run_id


def test_data_and_layers_are_kept(torchbook: Notebook) -> None:
    """The data behind the loader read back, and the layers stand in a text."""
    torchbook.run(LOOP)
    autolog.disarm()
    run = only_run(torchbook)
    assert [(data.role, data.shape) for data in run.datasets] == [
        ("train", (64, 4)),
        ("train", (64,)),
    ]
    again = load_frame(torchbook.store, run.datasets[0])
    assert (again == torchbook.namespace["X"].numpy()).all()
    (text,) = [each for each in run.artifacts if each.path == "model.txt"]
    summary = torchbook.store.objects.read_bytes(text.digest).decode()
    assert "0        Linear(in_features=4, out_features=8, bias=True)  40" in summary
    assert "58 parameters, 58 of them trained" in summary


def test_same_cell_again_makes_a_sibling(torchbook: Notebook) -> None:
    """Each time the cell runs is a finished run of its own."""
    for _ in range(3):
        torchbook.run(LOOP)
    runs = torchbook.runs()
    assert [(run.name, run.status) for run in runs] == [("Sequential", "finished")] * 3
    assert len({run.metrics["loss"] for run in runs}) == 1


def test_loop_logs_into_the_run_of_the_user(torchbook: Notebook) -> None:
    """Inside a ``with`` block the loop is recorded in the block's run; a second one is a child."""
    torchbook.namespace["session"] = torchbook.session
    inner = "".join(f"    {line}\n" for line in LOOP.strip().splitlines())
    torchbook.run(
        f"with session.start_run('mine') as run:\n{inner}    run.log_param('own', 1)\n{inner}"
    )
    outer, child = torchbook.runs()
    assert (outer.name, outer.params["own"], outer.params["optimizer"]) == ("mine", 1, "SGD")
    assert len(read_values(torchbook, outer.run_id, "loss")) == 12
    assert (child.name, child.parent_run_id) == ("Sequential", outer.run_id)
    assert {run.status for run in (outer, child)} == {"finished"}


def test_loop_in_a_function(torchbook: Notebook) -> None:
    """A loop in nested functions with other names is recorded under those names."""
    torchbook.run(
        "def one_step(net, opt, batch, target):\n"
        "    opt.zero_grad()\n"
        "    train_loss = nn.functional.cross_entropy(net(batch), target)\n"
        "    train_loss.backward()\n"
        "    opt.step()\n"
        "    return train_loss.item()\n"
        "def fit(net):\n"
        "    opt = torch.optim.Adam(net.parameters(), lr=0.01)\n"
        "    loader = DataLoader(TensorDataset(X, y), batch_size=32)\n"
        "    return [one_step(net, opt, *pair) for _ in range(2) for pair in loader]\n"
        "model = make_model()\n"
        "seen = fit(model)"
    )
    run = only_run(torchbook)
    assert read_values(torchbook, run.run_id, "train_loss") == torchbook.namespace["seen"]
    assert (run.params["optimizer"], run.params["epochs"]) == ("Adam", 2)
    assert autolog.run_of(torchbook.namespace["model"]) == run.run_id


def test_loop_in_a_class(torchbook: Notebook) -> None:
    """Model and optimizer that are attributes of a trainer are found."""
    torchbook.run(
        "class Trainer:\n"
        "    def __init__(self):\n"
        "        self.net = make_model()\n"
        "        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.5)\n"
        "    def fit(self):\n"
        "        for _ in range(4):\n"
        "            self.loss = nn.functional.cross_entropy(self.net(X), y)\n"
        "            self.loss.backward()\n"
        "            self.opt.step()\n"
        "trainer = Trainer(); trainer.fit()"
    )
    run = only_run(torchbook)
    assert (run.name, run.params["optimizer.lr"]) == ("Sequential", 0.5)
    assert len(read_values(torchbook, run.run_id, "loss")) == 4
    assert autolog.run_of(torchbook.namespace["trainer"].net) == run.run_id


def test_results_that_a_trainer_keeps(torchbook: Notebook) -> None:
    """What an object that trains says of validation data is a series; what it still sums is not."""
    torchbook.run(
        "class Trainer:\n"
        "    valid_acc = 0.0\n"
        "    def __init__(self): self.history = {'val_error': []}; self.best_val_loss = 9.0\n"
        "    def step(self, batch, target):\n"
        "        loss = nn.functional.cross_entropy(self.net(batch), target)\n"
        "        loss.backward(); self.opt.step(); self.opt.zero_grad()\n"
        "        self.running_loss += loss.item()\n"
        "    def epoch(self):\n"
        "        self.running_loss = 0.0\n"
        "        for batch, target in loader: self.step(batch, target)\n"
        "        self.valid_acc = (self.net(X).argmax(1) == y).float().mean().item()\n"
        "        self.history['val_error'].append(1 - self.valid_acc)\n"
        "        seen.append(self.valid_acc)\n"
        "    def fit(self, epochs):\n"
        "        self.net = make_model()\n"
        "        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.5)\n"
        "        for self.number in range(epochs): self.epoch()\n"
        "seen = []\n"
        "loader = DataLoader(TensorDataset(X, y), batch_size=16)\n"
        "trainer = Trainer(); trainer.fit(3)"
    )
    run = only_run(torchbook)
    seen = torchbook.namespace["seen"]
    assert read_values(torchbook, run.run_id, "valid_acc") == seen
    assert read_values(torchbook, run.run_id, "val_error") == [1 - value for value in seen]
    assert {"running_loss", "best_val_loss"}.isdisjoint(run.metrics)
    assert weakref.getweakrefcount(torchbook.namespace["trainer"]) == 0


def test_trainings_one_after_another_are_each_a_run(torchbook: Notebook) -> None:
    """A cell that trains three models, in one function or in two loops, has a run of each."""
    torchbook.run(
        "def fit(rate):\n"
        "    net = make_model()\n"
        "    opt = torch.optim.SGD(net.parameters(), lr=rate)\n"
        "    for _ in range(3):\n"
        "        loss = nn.functional.cross_entropy(net(X), y)\n"
        "        loss.backward(); opt.step()\n"
        "    return net, opt\n"
        "kept = [fit(rate) for rate in (0.1, 0.2, 0.3)]"
    )
    runs = torchbook.runs()
    assert [run.params["optimizer.lr"] for run in runs] == [0.1, 0.2, 0.3]
    assert [run.params["steps"] for run in runs] == [3, 3, 3]
    assert {run.status for run in runs} == {"finished"}


def test_validation_is_read_from_variables(torchbook: Notebook) -> None:
    """Results the loop computes are series over epochs, those of later cells are the run's too."""
    torchbook.run(
        LOOP + "    val_acc = (model(X).argmax(1) == y).float().mean().item()\n"
        "    accs = [*accs, val_acc] if epoch else [val_acc]\n"
        "    print_every = 0.5; test_size = 0.25\n"
    )
    torchbook.run(
        "def evaluate(net):\n    return (net(X[:32]).argmax(1) == y[:32]).float().mean().item()\n"
        "test_acc = evaluate(model)\nother_error = 0.25"
    )
    run = only_run(torchbook)
    accs = torchbook.namespace["accs"]
    assert read_points(torchbook, run.run_id, "val_acc") == list(enumerate(accs))
    assert run.metrics["test_acc"] == torchbook.namespace["test_acc"]
    assert run.metrics["best_epoch"] == float(accs.index(max(accs)))
    assert not {"print_every", "test_size", "other_error"} & set(run.metrics)


def test_validation_in_functions_is_read(torchbook: Notebook) -> None:
    """What a training function computes after each epoch, and the history it gives back, count."""
    torchbook.run(
        "def train_epoch(net, opt, loader):\n"
        "    for batch, target in loader:\n"
        "        opt.zero_grad()\n"
        "        loss = nn.functional.cross_entropy(net(batch), target)\n"
        "        loss.backward(); opt.step()\n"
        "    return loss.item()\n"
        "def fit(net):\n"
        "    opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "    loader = DataLoader(TensorDataset(X, y), batch_size=16)\n"
        "    history = {'val_loss': []}\n"
        "    for number in range(3):\n"
        "        last_loss = train_epoch(net, opt, loader)\n"
        "        val_loss = nn.functional.cross_entropy(net(X), y).item()\n"
        "        history['val_loss'].append(val_loss)\n"
        "    return history\n"
        "model = make_model()\n"
        "history = fit(model)"
    )
    run = only_run(torchbook)
    points = read_points(torchbook, run.run_id, "val_loss")
    expected = torchbook.namespace["history"]["val_loss"]
    assert sorted(points) == list(enumerate(expected))
    assert len(read_values(torchbook, run.run_id, "last_loss")) == 2


@pytest.mark.parametrize(
    ("returned", "target"),
    [
        ("val_loss, accs", "told"),
        ("val_loss, accs", "(told, shown)"),
        ("accs", "told"),
        ("{'val_loss': val_loss, 'accs': accs}", "told"),
    ],
)
def test_lists_that_a_function_gives_back(torchbook: Notebook, returned: str, target: str) -> None:
    """Lists of results that a training function returns are series, whatever the cell calls them."""
    torchbook.run(
        "def fit(net, epochs):\n"
        "    opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "    loader = DataLoader(TensorDataset(X, y), batch_size=16)\n"
        "    val_loss, accs = [0] * epochs, [0] * epochs\n"
        "    for number in range(epochs):\n"
        "        for batch, target in loader:\n"
        "            nn.functional.cross_entropy(net(batch), target).backward()\n"
        "            opt.step(); opt.zero_grad()\n"
        "        with torch.no_grad():\n"
        "            val_loss[number] += nn.functional.cross_entropy(net(X), y).item()\n"
        "            accs[number] += (net(X).argmax(1) == y).float().mean()\n"
        "    seen.append((val_loss, accs))\n"
        f"    return {returned}\n"
        "seen = []"
    )
    torchbook.run(f"{target} = fit(make_model(), 3)")
    run = only_run(torchbook)
    losses, accuracies = torchbook.namespace["seen"][0]
    assert read_values(torchbook, run.run_id, "accs") == [each.item() for each in accuracies]
    if "val_loss" in returned:
        assert read_values(torchbook, run.run_id, "val_loss") == losses


@pytest.mark.parametrize("each", ["batch", "second epoch", "epoch"])
def test_lists_count_as_epochs_where_they_are(torchbook: Notebook, each: str) -> None:
    """A list with one result an epoch has their numbers, and only such a one tells the best."""
    append = "losses.append(9.0 - len(losses))\n"
    torchbook.run(
        LOOP.replace("range(3)", "range(1, 5)")
        .replace("seen = []", "losses = []")[:-1]
        .replace("seen.append(loss.item())", append if each == "batch" else "pass")
        + (f"\n    {append}" if each == "epoch" else "")
        + (f"\n    if epoch % 2 == 0: {append}" if each == "second epoch" else "")
    )
    run = only_run(torchbook)
    steps = {"batch": range(16), "second epoch": range(2), "epoch": range(1, 5)}[each]
    expected = list(zip(steps, torchbook.namespace["losses"], strict=True))
    assert read_points(torchbook, run.run_id, "losses") == expected
    judge = "losses = 6" if each == "epoch" else "loss/epoch"
    assert run.tags["best_epoch"].startswith("4, by " + judge)


def test_validation_tells_the_best_epoch(torchbook: Notebook) -> None:
    """Of several results one on held-out data judges, the first by its name, in every kernel."""
    values = "    acc = acc2 = a_acc = train_acc = score = error = 0.5 + epoch / 9\n"
    torchbook.run(LOOP + values + "    testLoss = valid_loss = abs(epoch - 1.25)\n")
    assert only_run(torchbook).tags["best_epoch"] == "1, by testLoss = 0.25"


@pytest.mark.parametrize("make", ["__import__('numpy').zeros", "torch.zeros"])
def test_arrays_of_results(torchbook: Notebook, make: str) -> None:
    """An array with one result an epoch is a series; an array of the data's length is none."""
    torchbook.run(
        LOOP.replace("seen = []", f"val_acc = {make}(3); errors = {make}(64)").replace(
            "seen.append(loss.item())", "errors += 1.0"
        )
        + "    val_acc[epoch] = 0.25 * epoch\n"
        "    error = torch.ones(3).to_sparse()\n"
    )
    run = only_run(torchbook)
    assert read_points(torchbook, run.run_id, "val_acc") == [(0, 0.0), (1, 0.25), (2, 0.5)]
    assert run.metrics["best_epoch"] == 2
    assert "errors" not in run.metrics


def test_metric_functions_find_the_model(torchbook: Notebook) -> None:
    """A metric of scikit-learn on the model's predictions is logged once, with the training's run."""
    torchbook.run(LOOP)
    torchbook.run(
        "from sklearn.metrics import accuracy_score\n"
        "with torch.no_grad():\n    p = model(X).argmax(1).numpy()\n"
        "acc = accuracy_score(y.numpy(), p)"
    )
    run = only_run(torchbook)
    assert read_values(torchbook, run.run_id, "acc") == [torchbook.namespace["acc"]]


@pytest.mark.parametrize(
    ("error", "status"), [("KeyboardInterrupt", "interrupted"), ("ValueError", "failed")]
)
def test_loop_that_stops_early(torchbook: Notebook, error: str, status: str) -> None:
    """What an interrupted or failing loop did so far is kept, and the next cell works as ever."""
    source = LOOP + f"        if len(seen) == 5:\n            raise {error}\n"
    with pytest.raises((KeyboardInterrupt, ValueError)):
        torchbook.run(source)
    torchbook.run(LOOP)
    broken, whole = torchbook.runs()
    assert (broken.status, whole.status) == (status, "finished")
    assert len(read_values(torchbook, broken.run_id, "loss")) == 5
    assert len(read_values(torchbook, whole.run_id, "loss")) == 12


def test_losses_that_are_no_numbers(torchbook: Notebook) -> None:
    """NaN and infinite losses are kept as such, and the run goes on."""
    torchbook.run(
        "w = torch.ones(1, requires_grad=True)\n"
        "opt = torch.optim.SGD([w], lr=0.0)\n"
        "for factor in (1.0, float('nan'), float('inf'), 2.0):\n"
        "    loss = (w * 0.0).sum() + factor\n"
        "    loss.backward(); opt.step()"
    )
    values = read_values(torchbook, only_run(torchbook).run_id, "loss")
    assert [values[0], math.isnan(values[1]), values[2], values[3]] == [1.0, True, math.inf, 2.0]


def test_checkpoints_are_linked(torchbook: Notebook) -> None:
    """Files saved in the loop and after it are the run's, with where the training stood."""
    torchbook.run(
        LOOP + "    torch.save({'model': model.state_dict(), 'epoch': epoch}, 'last.pt')\n"
    )
    torchbook.run("torch.save(model.state_dict(), 'final.pt'); torch.save(X, 'data.pt')")
    autolog.disarm()
    run = only_run(torchbook)
    kept = {each.path for each in run.artifacts}
    assert kept == {"model.txt", "checkpoints/last.pt", "checkpoints/final.pt"}
    assert run.tags["checkpoint.last.pt"].endswith("epoch 2, step 12")
    assert run.tags["checkpoint.final.pt"].endswith("after the training")
    assert run.cells[-1].source.startswith("torch.save(model.state_dict()")


def test_example_of_a_trained_model_is_not_needed(torchbook: Notebook) -> None:
    """Asking for the example of a torch model gives none, and no error."""
    torchbook.run(LOOP)
    assert autolog.example_of(torchbook.namespace["model"]) is None
