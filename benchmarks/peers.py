"""Installs the peers, each in a virtual environment of its own, and tells which are there.

Run: python benchmarks/peers.py [FOLDER]. The folder is the one that BENCH_PEERS names, else
``mlops-nb-peers`` in the user's cache folder. What is there already is left alone. A peer that does
not install leaves its reason, which the tables name.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# The newest release of each on 22 November 2026.
PINS = {
    "MLflow": "mlflow==3.17.2",
    "W&B": "wandb==0.31.0",
    "DVCLive": "dvclive==3.49.1",
    "Aim": "aim==3.29.1",
    "DVC": "dvc==3.67.1",
    "Snakemake": "snakemake==9.27.1",
    "Kale": "kubeflow-kale==2.3.0",
}
# What the conformance notebooks import, for the peers that run them; versions are those of ours.
CONSTRAINTS = Path(__file__).resolve().parent.parent / ".ci" / "constraints.txt"
LIBRARIES = {
    "Kale": (
        "numpy", "scipy", "pandas", "polars", "pyarrow", "scikit-learn", "torch==2.13.0",
        "matplotlib", "pillow", "sympy", "networkx", "dask", "joblib", "sqlalchemy", "pydantic",
        "attrs", "tqdm", "ipywidgets",
    )
}  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """A peer: its interpreter, or why there is none."""

    name: str
    version: str
    python: Path | None
    reason: str = ""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


def find_folder(words: list[str]) -> Path:
    """Tell where the peers are: named by the person, or in the cache folder."""
    if words:
        return Path(words[0]).absolute()
    named = os.environ.get("BENCH_PEERS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named).absolute() if named else cache / "mlops-nb-peers"


def find_peers(folder: Path) -> dict[str, Peer]:
    """Give every peer by name."""
    found = {}
    for name, pin in PINS.items():
        version = pin.partition("==")[2]
        place = folder / pin
        python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        if (place / "installed").is_file():
            found[name] = Peer(name, version, python)
        else:
            note = place.with_name(f"{pin}.failed")
            reason = note.read_text(encoding="utf-8") if note.is_file() else "make bench-peers"
            found[name] = Peer(name, version, None, f"not installed: {reason}")
    return found


def install(folder: Path, pin: str) -> str:
    """Install one peer and give why it could not be, or nothing."""
    place = folder / pin
    if (place / "installed").is_file():
        return ""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", pin]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    note = place.with_name(f"{pin}.failed")
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (lines or ["pip failed"])[-1].removeprefix("ERROR:").strip()[:200]
        note.write_text(reason, encoding="utf-8")
        return reason
    note.unlink(missing_ok=True)
    (place / "installed").touch()
    return ""


def install_libraries(folder: Path, pin: str, names: tuple[str, ...]) -> str:
    """Install beside a peer what its notebooks import; gives why it could not be, or nothing."""
    place = folder / pin
    note, wanted = place / "libraries", "\n".join(names)
    if note.is_file() and note.read_text(encoding="utf-8") == wanted:
        return ""
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    command = [*pip, "-c", str(CONSTRAINTS), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"its notebooks' libraries: {done.stderr.strip().splitlines()[-1][:200]}"
    note.write_text(wanted, encoding="utf-8")
    return ""


def main() -> None:
    """Install every peer and say what came of it."""
    folder = find_folder(sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Peers in {folder}", flush=True)
    for name, pin in PINS.items():
        reason = install(folder, pin)
        if not reason and name in LIBRARIES:
            reason = install_libraries(folder, pin, LIBRARIES[name])
        print(f"  {pin}: {reason or 'installed'}", flush=True)


if __name__ == "__main__":
    main()
