"""What only a kernel of ours does: it ends with its starter, and shares no random state."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_POLL_S = 0.5
# They ask at import whether they are in a notebook: whoever imports them first decides for all.
_ASK_FOR_SHELL = ("tqdm.auto", "tqdm.autonotebook")


def run_kernel(arguments: Sequence[str]) -> None:
    """Be a kernel until the client says it is over.

    Parameters
    ----------
    arguments
        As for ``python -m ipykernel_launcher``.
    """
    launcher = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [str(launcher.origin) if launcher else "ipykernel_launcher", *arguments]
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.parent_handle = os.getppid()
    app.initialize(list(arguments))
    # ipykernel's own would end this process only, and leave what cells have started.
    app.poller = threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True)
    app.start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    kill_session(os.getpid())
    os._exit(1)


def kill_session(leader: int) -> None:
    """Kill every process of a session, the leader last.

    Parameters
    ----------
    leader
        Its process, which must not have been waited for: else its number may be another's.
    """
    members = []
    with contextlib.suppress(OSError):  # no /proc: the group has to do
        for name in os.listdir("/proc"):  # noqa: PTH208 - hundreds of names, and only names
            if name.isdigit() and int(name) not in (leader, os.getpid()):
                with contextlib.suppress(OSError, ValueError, IndexError):
                    stat = Path("/proc", name, "stat").read_text(encoding="utf-8", errors="replace")
                    if int(stat.rpartition(")")[2].split()[3]) == leader:
                        members.append(int(name))
    for member in members:
        with contextlib.suppress(OSError):
            os.kill(member, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)


def forget_shell_askers() -> None:
    """Unload modules that must find the notebook when a cell imports them."""
    for name in _ASK_FOR_SHELL:
        if sys.modules.pop(name, None) is not None:
            parent, _, child = name.rpartition(".")
            with contextlib.suppress(AttributeError):
                delattr(sys.modules[parent], child)


def reseed() -> None:
    """Give this process the random state that a fresh one has: none that another one shares."""
    # random has reseeded itself: it does so after every fork.
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.seed()  # not torch.seed(), which would seed CUDA too
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.current_process().authkey = os.urandom(32)


def main() -> None:
    """Be a kernel, as the command line says."""
    run_kernel(sys.argv[1:])
