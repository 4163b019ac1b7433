"""Kernels for steps: started in the notebook's folder with this interpreter, and surely ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import StepFailedError
from mlops_nb.pipeline.remains import KERNEL_PREFIX

_START_TIMEOUT_S = 120.0

_BEGIN = """
import importlib, importlib.util, sys
if importlib.util.find_spec("mlops_nb") is None:
    sys.path.append({parent!r})
importlib.import_module("mlops_nb.pipeline.step").begin({specification!r})
"""

_FINISH = """
import sys
step = sys.modules.get("mlops_nb.pipeline.step")
if step is not None:
    step.finish()
"""
_FINISH_TIMEOUT_S = 30.0
_ALIVE_POLL_S = 0.5
_LEAVE_POLLS, _LEAVE_POLL_S = 60, 0.05


class StepKernel:
    """A kernel that runs one step, or several that cannot be parted.

    Parameters
    ----------
    folder
        Its working folder.
    environment
        Variables on top of this process's own.
    kernel_name
        A kernelspec, or None for the interpreter that runs this.

    Attributes
    ----------
    km, kc
        Manager and client, as nbclient takes them.
    private
        Folder of its sockets while it runs, else empty.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], kernel_name: str | None = None
    ) -> None:
        self.folder, self.environment, self.kernel_name = folder, environment, kernel_name
        self.km: Any = None
        self.kc: Any = None
        self.private = ""

    def start(self) -> None:
        """Start the kernel and wait until it answers.

        Raises
        ------
        StepFailedError
            It ends or does not answer.
        """
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        # A short private folder: a unix socket's path may have 100 characters only.
        self.private = tempfile.mkdtemp(prefix=KERNEL_PREFIX)
        connection = str(Path(self.private, "kernel.json"))
        options: dict[str, Any] = {"connection_file": connection}
        if sys.platform != "win32":
            options["transport"] = "ipc"  # two kernels can never race for a port
            options["ip"] = str(Path(self.private, "k"))
        if self.kernel_name is not None:
            options["kernel_name"] = self.kernel_name
        self.km = AsyncKernelManager(**options)
        if self.kernel_name is None:
            self.km._kernel_spec = _get_own_spec()  # noqa: SLF001 - else a python3 of another place
        env = os.environ | self.environment
        try:
            run_sync(self.km.start_kernel)(cwd=str(self.folder), env=env)
            self.kc = self.km.client()
            self.kc.start_channels()
            run_sync(self.kc.wait_for_ready)(timeout=_START_TIMEOUT_S)
        except (RuntimeError, OSError, KeyError) as error:  # KeyError: no such kernelspec
            self.stop()
            raise StepFailedError("kernel", f"it did not start: {error}") from error
        self.kc.allow_stdin = False

    def begin(self, specification: Path) -> None:
        """Tell the kernel which step comes; nothing of it shows in the notebook.

        Parameters
        ----------
        specification
            As `mlops_nb.pipeline.step.begin` reads it.

        Raises
        ------
        StepFailedError
            The kernel cannot import this package, or has died.
        """
        parent = str(Path(__file__).resolve().parents[2])
        source = _BEGIN.format(parent=parent, specification=str(specification))
        reply = self._execute(f"exec({source!r}, {{}})")
        if reply["content"]["status"] != "ok":
            reason = reply["content"].get("evalue", "") or reply["content"].get("ename", "")
            raise StepFailedError("kernel", f"it cannot use mlops_nb: {reason}")

    def finish(self) -> None:
        """Let an idle kernel write what it still records, before it is stopped."""
        with contextlib.suppress(TimeoutError, RuntimeError):
            self._execute(f"exec({_FINISH!r}, {{}})", timeout=_FINISH_TIMEOUT_S)

    def _execute(self, source: str, timeout: float | None = None) -> Any:
        from jupyter_core.utils import run_sync

        async def ask() -> Any:
            options = {"silent": True, "store_history": False, "reply": True, "timeout": timeout}
            reply = asyncio.ensure_future(self.kc.execute(source, **options))
            while not reply.done():
                await asyncio.wait([reply], timeout=_ALIVE_POLL_S)
                if not reply.done() and not await self.km.is_alive():
                    reply.cancel()  # nobody answers any more, and no time-out would tell
                    raise StepFailedError("kernel", "the kernel died")
            return reply.result()

        return run_sync(ask)()

    def is_alive(self) -> bool:
        """Tell whether the kernel's process lives.

        Returns
        -------
        bool
            False before the start and after the end.
        """
        from jupyter_core.utils import run_sync

        return self.km is not None and bool(run_sync(self.km.is_alive)())

    def leave(self) -> None:
        """End an idle kernel as the end of a notebook does: what it registered for exit runs."""
        from jupyter_core.utils import run_sync

        with contextlib.suppress(TimeoutError, RuntimeError):
            # Not through shutdown_kernel, whose interrupt makes one kernel in three stall.
            run_sync(self.km.request_shutdown)()
            for _ in range(_LEAVE_POLLS):
                if not self.is_alive():
                    break
                time.sleep(_LEAVE_POLL_S)
        self.stop()

    def stop(self) -> None:
        """End the kernel at once, with what it has started, and remove its sockets."""
        from jupyter_core.utils import run_sync

        with contextlib.suppress(Exception):
            if self.km is not None and self.km.has_kernel:
                run_sync(self.km.shutdown_kernel)(now=True)
        with contextlib.suppress(Exception):
            if self.kc is not None:
                self.kc.stop_channels()
        if self.private:
            shutil.rmtree(self.private, ignore_errors=True)
        self.km = self.kc = None
        self.private = ""


def _get_own_spec() -> Any:
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec

    return KernelSpec(**get_kernel_dict(), resource_dir="")
