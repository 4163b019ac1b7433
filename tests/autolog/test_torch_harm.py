"""Recording torch changes nothing for the user: numbers, objects, errors, warnings, lifetimes."""

from __future__ import annotations

import copy
import gc
import inspect
import io
import os
import pickle
import sys
import traceback
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mlops_nb import autolog
from mlops_nb.autolog import torch as integration
from mlops_nb.autolog import torch_checkpoints, torch_steps
from mlops_nb.autolog.torch_loop import Loop
from mlops_nb.autolog.torch_training import Trainings
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import LOOP, read_values

X = torch.linspace(-1, 1, 64).reshape(16, 4)
Y = (X[:, 0] > 0).long()


def _train(*, workers: int = 0) -> dict[str, Any]:
    """Train for two epochs with everything there is, and give all of it."""
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    plan = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    loader = DataLoader(TensorDataset(X, Y), batch_size=4, shuffle=True, num_workers=workers)
    losses = []
    for _ in range(2):
        for batch, target in loader:
            optimizer.zero_grad()
            loss: Any = nn.functional.cross_entropy(model(batch), target)
            scaled: Any = scaler.scale(loss)
            scaled.backward()
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())
        plan.step()
    return {
        "model": model, "optimizer": optimizer, "plan": plan, "scaler": scaler, "loader": loader,
        "losses": losses, "random": torch.get_rng_state(),
    }  # fmt: skip


def _save(value: Any) -> bytes:
    """Pickle a value; a tensor's own pickle names the place of its memory."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def _places() -> list[Any]:
    """Give every object that arming may replace, and those that it must not."""
    modules = [sys.modules[name] for name in integration.MODULES]
    found: list[Any] = [value for module in modules for value in vars(module).values()]
    found += [*vars(torch.Tensor).values(), *vars(DataLoader).values(), torch.save]
    hooks = vars(sys.modules["torch.optim.optimizer"])
    found += [*hooks["_global_optimizer_post_hooks"].values()]
    found += [*vars(nn.modules.module)["_global_forward_hooks"].values()]
    return [*found, *vars(torch.optim.Optimizer).values()]


def _are_same(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def test_disarming_restores_the_very_objects(unarmed: Notebook) -> None:
    """Four places change while armed, public functions do not, and all are back afterwards."""
    before = _places()
    public = [torch.autograd.backward, torch.Tensor.backward, DataLoader.__iter__]
    points = [
        (torch.autograd, "_engine_run_backward"),
        (torch.serialization, "_open_zipfile_writer"),
        (torch.utils.data.dataloader, "_get_distributed_settings"),
    ]
    for _ in range(2):
        plain = [vars(module)[name] for module, name in points]
        autolog.arm(unarmed.session)
        for (module, name), original in zip(points, plain, strict=True):
            assert vars(module)[name] is not original
        assert len(vars(sys.modules["torch.optim.optimizer"])["_global_optimizer_post_hooks"]) == 1
        now = [torch.autograd.backward, torch.Tensor.backward, DataLoader.__iter__]
        assert _are_same(now, public)
        assert not vars(nn.modules.module)["_global_forward_hooks"]
        autolog.disarm()
        assert _are_same(_places(), before)


def test_functions_are_themselves(torchbook: Notebook) -> None:
    """Functions of torch pickle as themselves and keep signature, doc and source."""
    for function in (torch.autograd.backward, DataLoader.__iter__):
        assert pickle.loads(pickle.dumps(function)) is function
        assert "mlops" not in inspect.getsource(function)
        assert "mlops" not in str(inspect.signature(function))


@pytest.mark.parametrize("workers", [0, 1])
def test_numbers_are_the_same_bit_for_bit(unarmed: Notebook, workers: int) -> None:
    """Losses, weights, optimizer and random state are what they are without us."""
    plain = _train(workers=workers)
    autolog.arm(unarmed.session)
    try:
        ours = _train(workers=workers)
    finally:
        autolog.disarm()
    assert ours["losses"] == plain["losses"]
    assert torch.equal(ours["random"], plain["random"])
    for name in ("model", "optimizer", "plan", "scaler", "loader"):
        assert _save(ours[name]) == _save(plain[name])
        assert vars(ours[name]).keys() == vars(plain[name]).keys()
        assert repr(ours[name]).split(" at 0x")[0] == repr(plain[name]).split(" at 0x")[0]
    (run,) = unarmed.runs()
    assert read_values(unarmed, run.run_id, "loss") == plain["losses"]


def test_copies_carry_nothing_of_ours(torchbook: Notebook) -> None:
    """A deep copy of a recorded model is no recorded model; a saved file is the same."""
    torchbook.run(LOOP)
    model = torchbook.namespace["model"]
    assert autolog.run_of(model) is not None
    assert autolog.run_of(copy.deepcopy(model)) is None
    ours, plain = io.BytesIO(), io.BytesIO()
    torch.save(model.state_dict(), ours)
    autolog.disarm()
    torch.save(model.state_dict(), plain)
    assert ours.getvalue() == plain.getvalue()


def _drop_all() -> list[bool]:
    """Train, save, and drop everything; tell what is gone without a garbage collection."""
    found = _train()
    data = TensorDataset(X.clone(), Y)
    passing = iter(DataLoader(data, batch_size=4))
    batch, target = next(passing)
    loss: Any = nn.functional.cross_entropy(found["model"](batch), target)
    loss.backward()
    found["optimizer"].step()
    torch.save(found["model"].state_dict(), "model.pt")
    names = ("model", "optimizer", "plan", "scaler", "loader")
    gone = [weakref.ref(found[name]) for name in names]
    gone += [weakref.ref(each) for each in (data, passing, batch, loss, data.tensors[0])]
    gone.append(weakref.ref(found["model"][0].weight))
    del found, data, passing, batch, target, loss
    return [reference() is None for reference in gone]


def test_nothing_of_the_user_is_kept_alive(unarmed: Notebook) -> None:
    """What the user drops is gone at the same moment as without us, within the cell."""
    _drop_all()  # the first time torch itself loads what it needs, and that holds on to things
    gc.collect()
    gc.disable()
    try:
        plain = _drop_all()
        autolog.arm(unarmed.session)
        index = unarmed.session.begin_cell("")
        assert _drop_all() == plain
        assert plain[0]
        autolog.finish_cell()
        unarmed.session.end_cell(index)
        assert len(unarmed.runs()) == 1
    finally:
        autolog.disarm()
        gc.enable()


def test_steps_gather_a_bounded_amount(
    torchbook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many steps and stray gradients there are, what waits to be written is bounded."""
    monkeypatch.setattr("mlops_nb.autolog.torch_loop.MOST_GATHERED", 50)
    monkeypatch.setattr(torch_steps, "_MOST_WAITING", 20)
    sizes: list[int] = []
    flush = Loop.flush

    def measure(loop: Loop) -> None:
        sizes.append(len(loop.gathered))
        flush(loop)

    monkeypatch.setattr(Loop, "flush", measure)
    torchbook.run(
        "w = torch.ones(1, requires_grad=True)\n"
        "opt = torch.optim.SGD([w], lr=0.1)\n"
        "for _ in range(50):\n    w.sum().backward()\n"
        "for _ in range(400):\n    loss = w.sum(); loss.backward(); opt.step()"
    )
    (run,) = torchbook.runs()
    assert len(read_values(torchbook, run.run_id, "loss")) == 400
    assert len(sizes) > 4
    assert max(sizes) < 400


def _fail_backward() -> None:
    loss: Any = (torch.ones(2, requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


def _fail_vector() -> None:
    vector: Any = torch.ones(2, requires_grad=True)
    vector.backward()


def _fail_step() -> None:
    weight = torch.ones(2, requires_grad=True)
    optimizer: Any = torch.optim.LBFGS([weight])
    optimizer.step(lambda: 1 / 0)


def _fail_loader() -> None:
    list(DataLoader([1, "a"], batch_size=2))  # type: ignore[arg-type]


def _fail_save() -> None:
    torch.save(X, Path("no") / "such" / "folder" / "x.pt")


def _fail_pickle() -> None:
    torch.save(lambda: None, "x.pt")


FAILURES = [_fail_backward, _fail_vector, _fail_step, _fail_loader, _fail_save, _fail_pickle]


def _describe_failure(call: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - each has its own class
        shown = traceback.format_exception(error)
        return type(error).__name__, [line for line in shown if "call()" not in line]
    raise AssertionError("it was to fail")


@pytest.mark.parametrize("call", FAILURES)
def test_tracebacks_are_identical(unarmed: Notebook, call: Callable[[], None]) -> None:
    """An error of the user's has the same class, message and frames as without us."""
    plain = _describe_failure(call)
    autolog.arm(unarmed.session)
    try:
        ours = _describe_failure(call)
    finally:
        autolog.disarm()
    assert ours == plain


def _warn() -> None:
    weight = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    plan = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    plan.step()
    torch.autograd.backward(weight.sum(), grad_variables=torch.ones(()))
    optimizer.step()
    list(DataLoader(TensorDataset(X), pin_memory=True))


def test_warnings_are_identical(unarmed: Notebook) -> None:
    """A warning has the same class, text, file and line as without us."""

    def collect() -> list[tuple[str, str, str, int]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _warn()
        return [(w.category.__name__, str(w.message), w.filename, w.lineno) for w in caught]

    plain = collect()
    assert len(plain) >= 2  # loaders warn of their pinned memory since torch 2.8 or so
    autolog.arm(unarmed.session)
    try:
        assert collect() == plain
    finally:
        autolog.disarm()


INJECTIONS = [
    (torch_steps, "find_loss_site", "training loops"),
    (Trainings, "begin", "training loops"),
    (Trainings, "look_at_metrics", "training loops"),
    (Loop, "attend", "training loops"),
    (Loop, "flush", "training loops"),
    (integration, "open_pass", "data loaders"),
    (torch_checkpoints.Checkpoints, "note_call", "checkpoints"),
]


@pytest.mark.parametrize(("owner", "name", "recorder"), INJECTIONS)
def test_a_hook_that_raises_is_told_once_and_stopped(
    unarmed: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: Any,
    name: str,
    recorder: str,
) -> None:
    """User code goes on with its result; one line says what is no longer recorded."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("injected\nfault")

    monkeypatch.setattr(owner, name, explode)
    autolog.arm(unarmed.session)
    try:
        unarmed.namespace |= {"train": _train, "torch": torch}
        for _ in range(2):
            unarmed.run("found = train(); torch.save(found['model'].state_dict(), 'model.pt')")
        states = {row[0]: row[1] for row in autolog.status()}
    finally:
        autolog.disarm()
    assert len(unarmed.namespace["found"]["losses"]) == 8
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f"mlops_nb: {recorder} are no longer recorded in this session: RuntimeError: injected fault"
    ]
    assert states[f"torch {recorder}"] == "stopped"
    assert {run.status for run in unarmed.runs()} <= {"finished"}


def test_interrupt_in_our_hook_is_the_users(
    torchbook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt that arrives while we are at work stops the cell; the next one is recorded."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "attend", interrupt)
        with pytest.raises(KeyboardInterrupt):
            torchbook.run(LOOP)
    torchbook.run(LOOP)
    assert [run.status for run in torchbook.runs()] == ["interrupted", "finished"]


def _missing() -> None:
    """Stand in for a public function that works in another way."""


@pytest.mark.parametrize(
    ("module", "name", "row"),
    [
        ("torch.autograd", "backward", "torch training loops"),
        ("torch.serialization", "save", "torch checkpoints"),
        ("torch.utils.data.dataloader", "_BaseDataLoaderIter", "torch data loaders"),
    ],
)
def test_unknown_version_is_told(
    unarmed: Notebook, monkeypatch: pytest.MonkeyPatch, module: str, name: str, row: str
) -> None:
    """Where a point is gone nothing is patched there, and the status says why."""
    monkeypatch.setattr(sys.modules[module], name, _missing)
    autolog.arm(unarmed.session)
    try:
        rows = {each[0]: each[1:] for each in autolog.status() if each[0].startswith("torch")}
    finally:
        autolog.disarm()
    assert rows.pop(row)[0] == "not armed"
    assert {state for state, _ in rows.values()} == {"armed"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_child_records_nothing(torchbook: Notebook) -> None:
    """Steps in a forked child leave the parent's run as it is, and the parent goes on."""
    torchbook.run(
        "import os\n"
        "w = torch.ones(1, requires_grad=True)\n"
        "opt = torch.optim.SGD([w], lr=0.1)\n"
        "def step():\n    loss = w.sum(); loss.backward(); opt.step()\n"
        "step()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n        step(); torch.save(w, 'w.pt')\n"
        "    finally:\n        os._exit(0)\n"
        "status = os.waitpid(child, 0)[1]\n"
        "step()"
    )
    (run,) = torchbook.runs()
    assert torchbook.namespace["status"] == 0
    assert len(read_values(torchbook, run.run_id, "loss")) == 2
