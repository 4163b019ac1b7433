"""Any program that starts kernels through jupyter_client can have them forked."""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from jupyter_core.utils import run_sync

from mlops_nb.pipeline import forkserver
from mlops_nb.pipeline.kernels import _get_own_spec
from mlops_nb.pipeline.provisioner import make_cold, split_command
from tests.pipeline.conftest import ROOT

_OWN = [sys.executable, "-Xutf8", "-m", "ipykernel_launcher", "-f", "file", "--debug"]


def test_command_of_an_own_kernel_is_taken_apart() -> None:
    """Options of the interpreter and arguments of the kernel are told apart."""
    assert split_command(_OWN) == (["-Xutf8"], ["-f", "file", "--debug"])


@pytest.mark.parametrize(
    "command",
    [
        ["/usr/bin/other-python", "-m", "ipykernel_launcher", "-f", "file"],
        [sys.executable, "-m", "another_kernel", "-f", "file"],
        [sys.executable, "-I", "-m", "ipykernel_launcher", "-f", "file"],
        ["R", "--slave"],
        [],
    ],
)
def test_other_kernels_start_as_they_always_did(command: list[str]) -> None:
    """A kernel of another interpreter or program keeps its command line."""
    assert split_command(command) is None
    assert make_cold(command) == command


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the plain command")
def test_cold_kernels_end_with_their_starter_too() -> None:
    """A kernel of this interpreter that is not forked runs our start, with the same options."""
    command = make_cold(_OWN)
    assert command[:3] == [sys.executable, "-Xutf8", "-c"]
    assert command[-3:] == ["-f", "file", "--debug"]


def test_entry_point_is_declared() -> None:
    """jupyter_client finds the provisioner by its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["entry-points"]["jupyter_client.kernel_provisioners"]
    assert declared == {"mlops-fork": "mlops_nb.pipeline.provisioner:ForkProvisioner"}


@pytest.mark.skipif(not forkserver.is_possible(), reason="needs Linux")
@pytest.mark.parametrize("mode", ["on", "0"])
def test_jupyter_client_uses_it_by_name(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel manager whose kernelspec names the provisioner gets a forked kernel, if not off."""
    name = "mlops-fork"
    value = "mlops_nb.pipeline.provisioner:ForkProvisioner"
    known = KernelProvisionerFactory.instance().provisioners
    monkeypatch.setitem(known, name, EntryPoint(name, value, KernelProvisionerFactory.GROUP_NAME))
    monkeypatch.setenv("MLOPS_NB_FORK", mode)
    spec = _get_own_spec()
    spec.metadata = {"kernel_provisioner": {"provisioner_name": name}}
    manager = AsyncKernelManager(transport="ipc", ip=str(tmp_path / "k"))
    manager._kernel_spec = spec
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    run_sync(manager.start_kernel)(cwd=str(tmp_path), env=environment)
    try:
        client = manager.client()
        client.start_channels()
        run_sync(client.wait_for_ready)(timeout=240)
        assert manager.provisioner.cold_reason == ("" if mode == "on" else "it is switched off")
        client.stop_channels()
    finally:
        run_sync(manager.shutdown_kernel)(now=False)
    assert not run_sync(manager.is_alive)()
