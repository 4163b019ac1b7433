"""What speaks against a fork: everything that a kernel started afresh would do otherwise."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import site
import sys
import sysconfig
import threading
from pathlib import Path

_NEED_SHELL = ("matplotlib_inline.backend_inline", "ipywidgets")
_DEVICES = ("/dev/nvidia", "/dev/kfd", "/dev/dri")


class Imported:
    """The modules of this process as they were when it imported them.

    Attributes
    ----------
    files
        Time and size of each module's file.
    threads
        How many threads libraries have started so far.
    """

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, int]] = {}
        self.threads = 0

    def note(self) -> None:
        """Note what was imported since the last time."""
        self.threads = count_threads()
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if path and path not in self.files:
                with contextlib.suppress(OSError):
                    stat = os.stat(path)  # noqa: PTH116 - thousands of them
                    self.files[path] = (stat.st_mtime_ns, stat.st_size)

    def find_change(self) -> str:
        """Tell what is no longer as it was.

        Returns
        -------
        str
            The reason against a fork, or empty.
        """
        if threading.active_count() > 1 or count_threads() > self.threads:
            return "the fork server has more threads than its imports have started"
        return self.find_changed_file()

    def find_changed_file(self) -> str:
        """Tell which module was upgraded or removed.

        Returns
        -------
        str
            The reason against a fork, or empty.
        """
        for path, known in self.files.items():
            try:
                stat = os.stat(path)  # noqa: PTH116
            except OSError:
                return f"{path} is gone since it was imported"
            if (stat.st_mtime_ns, stat.st_size) != known:
                return f"{path} has changed since it was imported"
        return ""


def find_side_effect(name: str, noise: Path) -> str:
    """Tell what an import has done that a cell would have shown or owned.

    Parameters
    ----------
    name
        The module that was imported.
    noise
        File that this process prints into.

    Returns
    -------
    str
        The reason against a fork, or empty.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if noise.stat().st_size:
        return f"importing {name} prints, which belongs under its cell"
    if threading.active_count() > 1:
        return f"importing {name} starts a thread"
    for module in _NEED_SHELL:
        if module in sys.modules:
            return f"importing {name} imports {module}, which must find the notebook"
    with contextlib.suppress(OSError):
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()).startswith(_DEVICES):
                    return f"importing {name} opens a device"
    return ""


def is_installed(name: str) -> bool:
    """Tell whether a module belongs to an installed package; local ones may run anything.

    Parameters
    ----------
    name
        Dotted.

    Returns
    -------
    bool
        False for those of the standard library too: they cost nothing.
    """
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return False
    if spec is None or not spec.origin:
        return False
    places = [*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if site.ENABLE_USER_SITE:
        places.append(site.getusersitepackages())
    return any(Path(spec.origin).is_relative_to(place) for place in places)


def find_shadow(folder: str) -> str:
    """Tell which module of a working folder would be imported in place of one that is loaded.

    Parameters
    ----------
    folder
        Where the notebook lies; it comes first when a kernel looks for modules.

    Returns
    -------
    str
        The reason against a fork, or empty.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        return f"its folder cannot be read: {error}"
    imported = {name.partition(".")[0] for name in list(sys.modules)}
    for entry in entries:
        name = entry.name.partition(".")[0]
        loaded = getattr(sys.modules.get(name), "__file__", None) or ""
        is_module = entry.name.endswith((".py", ".so")) or Path(entry.path, "__init__.py").exists()
        if name in imported and is_module and not loaded.startswith(entry.path):
            return f"{entry.path} would be imported in place of the installed {name}"
        if entry.name == "matplotlibrc" and "matplotlib" in imported:
            return f"{entry.path} is read when matplotlib is imported"
    return ""


def count_threads() -> int:
    """Count the threads of this process, those of libraries included.

    Returns
    -------
    int
        0 where that cannot be read.
    """
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208
    except OSError:
        return 0
