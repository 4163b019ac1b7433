"""Creates the virtual environment and installs the project into it; needs only Python itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
# Other versions of torch pull gigabytes of CUDA where the index has no smaller build.
TORCH = "torch==2.13.0"
# Emulates Azure Blob Storage, for the tests of remotes in CI.
AZURITE = "azurite@3.37.0"
# The first of the ranges in pyproject.toml, for a journey with the same bundle.
OLDEST = ("jupyterlab==4.4.0", "notebook==7.4.0")


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def run(*command: str) -> None:
    """Run a command, and show all it said when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        say(done.stdout + done.stderr)
        sys.exit(f"set-up failed: {' '.join(command)}")


def install_azurite(folder: Path) -> None:
    """Install the emulator below a folder."""
    npm = shutil.which("npm")
    if npm is None or (folder / "node_modules" / "azurite").is_dir():
        return
    say("Installing an emulator of Azure ...")
    folder.mkdir(exist_ok=True)
    run(npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", AZURITE)


def find_packages(python: Path) -> Path:
    """Ask an environment where its packages lie."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    command = [str(python), "-c", ask]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def make_oldest(folder: Path, python: Path) -> None:
    """Make an environment whose JupyterLab is the oldest, over one that has everything else.

    Parameters
    ----------
    folder
        Of the new environment.
    python
        Of the one that has everything else, which stays as it is.
    """
    say(f"Creating {folder} with {' and '.join(OLDEST)} ...")
    started = time.perf_counter()
    run(str(python), "-m", "venv", "--without-pip", "--clear", str(folder))
    ours = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = (str(python), "-m", "pip", "--python", str(ours), "install", "-q", "--no-deps")
    try:
        run(*pip, *OLDEST)
    except SystemExit as error:
        if os.environ.get("CI"):
            raise
        # Without a network, say. The next call tries again.
        say(f"{error}. The journey in the oldest JupyterLab will be skipped.")
        return
    # Last, or pip would find the newer ones there: what is named first wins.
    everything_else = f"{find_packages(python)}\n"
    (find_packages(ours) / "everything-else.pth").write_text(everything_else, encoding="utf-8")
    (folder / ".ready").touch()
    say(f"Set up in {time.perf_counter() - started:.0f} s.")


def main() -> None:
    """Make the environment named by the first argument.

    ``--test`` adds what only tests need. ``--oldest`` makes one beside it, named by the argument
    after.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - told before pip tells it in its own words
        found = sys.version.split()[0]
        sys.exit(f"Python {found} is too old: mlops_nb needs 3.11. Try: make PYTHON=python3.12 ...")
    venv, is_test = Path(sys.argv[1]), "--test" in sys.argv[2:]
    started = time.perf_counter()
    python = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if "--oldest" in sys.argv[2:]:
        make_oldest(Path(sys.argv[-1]), python)
        return
    if not python.exists():
        say(f"Creating {venv} with Python {sys.version.split()[0]} ...")
        try:
            run(sys.executable, "-m", "venv", str(venv))
        except SystemExit:
            sys.exit("Python cannot make virtual environments. On Debian: apt install python3-venv")
        run(str(python), "-m", "pip", "install", "-q", "--upgrade", "pip>=25.1")
    pip = (str(python), "-m", "pip", "install", "-q", "-c", str(CONSTRAINTS))
    if is_test:
        say("Installing what the tests need (torch among it) ...")
        run(*pip, "--group", "dev", TORCH)
        run(*pip, "--no-build-isolation", "-e", ".[torch]")
        if os.environ.get("CI"):  # 370 packages: elsewhere its tests are skipped without it
            install_azurite(venv.absolute() / "azurite")
    else:
        say("Installing mlops_nb and what it needs ...")
        run(*pip, "--group", "build")
        run(*pip, "--no-build-isolation", "-e", ".")
    say(f"Set up in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
