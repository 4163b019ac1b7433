"""Kernels for steps: started in the notebook's folder with this interpreter, and surely ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
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
_REPORT = "import sys; sys.modules['mlops_nb.pipeline.step'].report()"
_FINISH_TIMEOUT_S = 30.0
_ALIVE_POLL_S = 0.5
_LEAVE_S, _STOP_S, _END_POLL_S = 3.0, 5.0, 0.002
_MEANWHILE_POLL_S = 0.01


class StepKernel:
    """A kernel that runs one step, or several that cannot be parted.

    One thread uses it from start to stop; `interrupt` and `kill` may come from any other.

    Parameters
    ----------
    folder
        Its working folder.
    environment
        Variables on top of this process's own.
    kernel_name
        A kernelspec, or None for the interpreter that runs this.
    preload
        Modules that the notebook imports, as `find_preload` gives them.
    wanted
        Those of them that this step imports itself.
    fork
        ``on``, ``off`` or ``keep``; None for what the settings say.

    Attributes
    ----------
    km, kc
        Manager and client, as nbclient takes them.
    private
        Folder of its sockets while it runs, else empty.
    start_timeout_s
        How long a start may take.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        kernel_name: str | None = None,
        *,
        preload: Sequence[str] = (),
        wanted: Sequence[str] = (),
        fork: str | None = None,
    ) -> None:
        self.folder, self.environment, self.kernel_name = folder, environment, kernel_name
        self.preload, self.wanted, self.fork = preload, wanted, fork
        self.km: Any = None
        self.kc: Any = None
        self.private = ""
        self.start_timeout_s = _START_TIMEOUT_S

    @property
    def cold_reason(self) -> str:
        """Why it was not forked; empty where it was."""
        provisioner = getattr(self.km, "provisioner", None)
        return str(getattr(provisioner, "cold_reason", "it has a kernelspec of its own"))

    def start(self, meanwhile: Callable[[], object] | None = None) -> None:
        """Start the kernel and wait until it answers.

        Parameters
        ----------
        meanwhile
            What to do while another process prepares the kernel; it raises nothing.

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
            self._choose_provisioner()
        env = os.environ | self.environment
        try:
            run_sync(self._launch)(env, meanwhile)
            self.kc = self.km.client()
            self.kc.start_channels()
            run_sync(self._wait_until_ready)()
        except (RuntimeError, OSError, KeyError) as error:  # KeyError: no such kernelspec
            self.stop()
            raise StepFailedError("kernel", f"it did not start: {error}") from error
        self.kc.allow_stdin = False

    async def _launch(self, env: Mapping[str, str], meanwhile: Callable[[], object] | None) -> None:
        import asyncio

        starting = asyncio.ensure_future(self.km.start_kernel(cwd=str(self.folder), env=env))
        if meanwhile is not None:
            await asyncio.sleep(0)  # it goes as far as it can before it waits
            worker = threading.Thread(target=meanwhile, daemon=True)
            worker.start()
            # Until both have ended: two threads that import can meet halfway.
            while worker.is_alive():
                await asyncio.sleep(_MEANWHILE_POLL_S)
        await starting

    def _choose_provisioner(self) -> None:
        from mlops_nb.pipeline.provisioner import ForkProvisioner

        self.km.kernel_id = str(uuid.uuid4())
        made = ForkProvisioner(
            kernel_id=self.km.kernel_id, kernel_spec=self.km.kernel_spec, parent=self.km
        )
        made.preload, made.wanted, made.mode = self.preload, self.wanted, self.fork or ""
        self.km.provisioner = made

    async def _wait_until_ready(self) -> None:
        """Wait until the kernel answers and its output is heard.

        Not by ``wait_for_ready``, which always waits a fifth of a second more for output that
        nobody asked for; nbclient takes only what belongs to its own cells.
        """
        from queue import Empty

        deadline = time.monotonic() + self.start_timeout_s
        while time.monotonic() < deadline:
            self.kc.kernel_info()
            try:
                reply = await self.kc.get_shell_msg(timeout=1)
                if reply["msg_type"] != "kernel_info_reply":
                    continue
                await self.kc.get_iopub_msg(timeout=0.2)  # else what cells print would be lost
            except Empty:
                if not await self.km.is_alive():
                    raise RuntimeError("it died before it answered") from None
            else:
                self.kc._handle_kernel_info_reply(reply)  # noqa: SLF001 - as wait_for_ready does
                return
        raise RuntimeError(f"it did not answer within {self.start_timeout_s:.0f} s")

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

    def report(self) -> None:
        """Let an idle kernel write what its step has done.

        Raises
        ------
        StepFailedError
            It cannot, or has died.
        """
        reply = self._execute(f"exec({_REPORT!r}, {{}})")
        if reply["content"]["status"] != "ok":
            reason = reply["content"].get("evalue", "") or reply["content"].get("ename", "")
            raise StepFailedError("kernel", f"it cannot tell what the step did: {reason}")

    def call(self, source: str) -> None:
        """Let an idle kernel run code of ours that nothing of the notebook sees.

        Parameters
        ----------
        source
            Statements, with a namespace of their own.

        Raises
        ------
        StepFailedError
            They fail, or the kernel has died.
        """
        reply = self._execute(f"exec({source!r}, {{}})")
        if reply["content"]["status"] != "ok":
            reason = reply["content"].get("evalue", "") or reply["content"].get("ename", "")
            raise StepFailedError("kernel", reason)

    def finish(self) -> None:
        """Let an idle kernel write what it still records, before it is stopped."""
        with contextlib.suppress(TimeoutError, RuntimeError):
            self._execute(f"exec({_FINISH!r}, {{}})", timeout=_FINISH_TIMEOUT_S)

    def _execute(self, source: str, timeout: float | None = None) -> Any:
        import asyncio

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

    def interrupt(self) -> None:
        """Interrupt the cell that runs, from any thread."""
        self._signal_group(signal.SIGINT)

    def kill(self) -> None:
        """Kill the kernel with what its cells have started, from any thread.

        Whoever waits for a cell finds it dead and calls `stop`.
        """
        self._signal_group(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    def _signal_group(self, number: int) -> None:
        provisioner = getattr(self.km, "provisioner", None)
        process = getattr(provisioner, "process", None)
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)

    def leave(self) -> None:
        """End an idle kernel as the end of a notebook does: what it registered for exit runs."""
        from jupyter_core.utils import run_sync

        with contextlib.suppress(TimeoutError, RuntimeError):
            # Not through shutdown_kernel, whose interrupt makes one kernel in three stall.
            run_sync(self.km.request_shutdown)()
            self._wait_for_end(_LEAVE_S)
        self.stop()

    def _wait_for_end(self, longest_s: float) -> None:
        process = self.km.provisioner.process
        deadline = time.monotonic() + longest_s
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            time.sleep(_END_POLL_S)

    def stop(self) -> None:
        """End the kernel at once, with what it has started, and remove its sockets."""
        from jupyter_core.utils import run_sync

        with contextlib.suppress(Exception):
            if self.kc is not None:
                self.kc.stop_channels()
        with contextlib.suppress(Exception):
            if self.km is not None and self.km.has_kernel:
                self._end_process()
        with contextlib.suppress(Exception):
            if self.km is not None:
                run_sync(self.km.cleanup_resources)()
        if self.private:
            shutil.rmtree(self.private, ignore_errors=True)
        self.km = self.kc = None
        self.private = ""
        _close_loop()

    def _end_process(self) -> None:
        """Kill process and group, without the pauses of ``shutdown_kernel``."""
        from jupyter_core.utils import run_sync

        self.km.shutting_down = True
        process = self.km.provisioner.process
        if sys.platform == "win32" or not hasattr(process, "pid"):
            run_sync(self.km.shutdown_kernel)(now=True)
            return
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        self._wait_for_end(_STOP_S)
        run_sync(self.km.provisioner.wait)()


def _close_loop() -> None:
    """Close the event loop of a worker thread, which ends without a word to it."""
    if threading.current_thread() is threading.main_thread():
        return
    import asyncio

    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_event_loop_policy().get_event_loop()
        if not loop.is_running():
            loop.close()


def _get_own_spec() -> Any:
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec

    return KernelSpec(**get_kernel_dict(), resource_dir="")
