"""The kernel provisioner ``mlops-fork``: kernels with their libraries loaded, or cold ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# This module is loaded by jupyter_client, or when a kernel starts.
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from mlops_nb.config import load_settings
from mlops_nb.pipeline.forkserver import fork_kernel, make_bootstrap
from mlops_nb.pipeline.forkserver_wire import ForkedProcess

_LAUNCHER = ("-m", "ipykernel_launcher")
_COLD = "mlops_nb.pipeline.forkserver_child"


class ForkProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Forks kernels of this interpreter, and starts all others as jupyter_client does.

    Attributes
    ----------
    preload
        Modules that the notebook imports.
    wanted
        Those of them that a start waits for.
    mode
        ``on``, ``off``, ``keep``; empty for what the settings say.
    cold_reason
        Why the kernel was not forked; empty where it was.
    """

    preload: Sequence[str] = ()
    wanted: Sequence[str] = ()
    mode: str = ""
    cold_reason: str = ""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a kernel.

        Parameters
        ----------
        cmd
            Its command line.
        **kwargs
            As for `subprocess.Popen`.

        Returns
        -------
        dict
            How to connect to it.
        """
        forked = await self._fork(cmd, kwargs)
        if isinstance(forked, str):
            self.cold_reason = forked
            return await super().launch_kernel(make_cold(cmd), **kwargs)
        self.cold_reason = ""
        self.process = forked
        self.pid = self.pgid = forked.pid
        self.cwd = kwargs.get("cwd")
        return self.connection_info

    async def _fork(self, cmd: list[str], kwargs: Mapping[str, Any]) -> ForkedProcess | str:
        cwd = str(kwargs.get("cwd") or Path.cwd())
        mode = self.mode or load_settings(Path(cwd)).fork
        parts = split_command(cmd)
        if mode == "off":
            return "it is switched off"
        if parts is None:
            return f"{cmd[:1]} is not this interpreter's own kernel"
        if any(kwargs.get(name) is not None for name in ("stdin", "stdout", "stderr")):
            return "its output goes somewhere else"
        return await fork_kernel(
            parts[1],
            flags=parts[0],
            env=kwargs.get("env") or os.environ,
            cwd=cwd,
            preload=self.preload,
            wanted=self.wanted,
            keep=mode == "keep",
        )


def split_command(cmd: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Take a kernel's command line apart.

    Parameters
    ----------
    cmd
        As a kernelspec gives it.

    Returns
    -------
    tuple or None
        The interpreter's options and the kernel's arguments; None where it is not a kernel of this
        interpreter.
    """
    words = list(cmd)
    if words[:1] != [sys.executable]:
        return None
    for number in range(1, len(words) - 1):
        if (words[number], words[number + 1]) == _LAUNCHER:
            return words[1:number], words[number + 2 :]
        if not words[number].startswith(("-X", "-W")):
            return None  # options whose argument stands apart are nobody's here
    return None


def make_cold(cmd: Sequence[str]) -> list[str]:
    """Give the command of a kernel that is started afresh, and ends with its starter.

    Parameters
    ----------
    cmd
        As a kernelspec gives it.

    Returns
    -------
    list of str
        `cmd` itself where it is not a kernel of this interpreter.
    """
    parts = split_command(cmd)
    if parts is None or sys.platform == "win32":
        return list(cmd)
    return [sys.executable, *parts[0], "-c", make_bootstrap(_COLD), *parts[1]]
