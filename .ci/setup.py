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


def main() -> None:
    """Make the environment named by the first argument; ``--test`` adds what only tests need."""
    if sys.version_info < (3, 11):  # noqa: UP036 - told before pip tells it in its own words
        found = sys.version.split()[0]
        sys.exit(f"Python {found} is too old: mlops_nb needs 3.11. Try: make PYTHON=python3.12 ...")
    venv, is_test = Path(sys.argv[1]), "--test" in sys.argv[2:]
    started = time.perf_counter()
    python = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
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
