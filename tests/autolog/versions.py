"""Runs the tests of auto-logging and of the kernel with other versions of what they hook into.

``make versions`` runs every environment, ``python -m tests.autolog.versions oldest`` the named ones. An
environment is a folder of other versions that comes before what is installed, or another Python with
an environment of its own. Those of torch are run only where they are named, or by ``--all``: each
pulls some 3 GB, most of it CUDA's libraries, without which even a processor's torch is not imported.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = "torch==2.13.0"
FOLDER = Path(tempfile.gettempdir()) / "mlops_nb-versions"
SHOWN = ("scikit-learn", "pandas", "numpy", "ipython", "torch")
_ASK = (
    "import platform\nfrom importlib.metadata import version\n"
    f"print('Python', platform.python_version(), *(f'{{n}} {{version(n)}}' for n in {SHOWN!r}))"
)


@dataclass(frozen=True)
class Environment:
    """Versions to test with.

    Attributes
    ----------
    pins
        What comes before the packages that are installed; with everything it needs, for nothing else
        is fetched.
    python
        Another Python, by its command; then the pins of CI are installed for it.
    is_large
        Whether it is left out unless it is named.
    """

    name: str
    pins: tuple[str, ...] = ()
    python: str = ""
    is_large: bool = False


def _pin_cuda(suffix: str, **versions: str) -> tuple[str, ...]:
    return tuple(f"nvidia-{name.replace('_', '-')}-{suffix}=={versions[name]}" for name in versions)


_CUDA_12_1 = _pin_cuda(
    "cu12", cublas="12.1.3.1", cuda_cupti="12.1.105", cuda_nvrtc="12.1.105",
    cuda_runtime="12.1.105", cudnn="9.1.0.70", cufft="11.0.2.54", curand="10.3.2.106",
    cusolver="11.4.5.107", cusparse="12.1.0.106", nccl="2.20.5", nvtx="12.1.105",
    nvjitlink="12.9.86",
)  # fmt: skip
_CUDA_12_8 = _pin_cuda(
    "cu12", cublas="12.8.4.1", cuda_cupti="12.8.90", cuda_nvrtc="12.8.93",
    cuda_runtime="12.8.90", cudnn="9.10.2.21", cufft="11.3.3.83", cufile="1.13.1.3",
    curand="10.3.9.90", cusolver="11.7.3.90", cusparse="12.5.8.93", cusparselt="0.7.1",
    nccl="2.27.3", nvtx="12.8.90", nvjitlink="12.8.93",
)  # fmt: skip
ENVIRONMENTS = (
    Environment(
        "oldest",
        (
            *("scikit-learn==1.4.2", "numpy==1.26.4", "scipy==1.13.1", "pandas==2.2.3"),
            *("pytz==2025.2", "ipython==8.20.0", "decorator==5.2.1", "pyarrow==21.0.0"),
        ),
    ),
    Environment(
        "older",
        (
            *("scikit-learn==1.5.2", "numpy==2.2.6", "scipy==1.15.3", "pandas==2.3.3"),
            *("pytz==2025.2", "ipython==8.37.0", "decorator==5.2.1"),
        ),
    ),
    Environment(
        "middle", ("scikit-learn==1.6.1", "scipy==1.15.3", "ipython==9.0.2", "decorator==5.2.1")
    ),
    Environment(
        "newer", ("scikit-learn==1.7.2", "pandas==3.0.0", "ipython==9.5.0", "decorator==5.2.1")
    ),
    Environment("last", ("scikit-learn==1.8.0",)),
    Environment("python312", python="python3.12"),
    Environment("python313", python="python3.13"),
    Environment("torch24", ("torch==2.4.1", *_CUDA_12_1), is_large=True),
    Environment("torch28", ("torch==2.8.0", *_CUDA_12_8), is_large=True),
)


def prepare(environment: Environment, folder: Path) -> tuple[str, str]:
    """Install an environment, unless it is there.

    Parameters
    ----------
    environment
        What to install.
    folder
        Where.

    Returns
    -------
    python : str
        The interpreter to run.
    path : str
        What comes first where it looks for packages.
    """
    if environment.python:
        return _make_venv(environment.python, folder), ""
    wanted = "\n".join(environment.pins)
    # A library is told from the user's code by the name of its folder.
    place, note = folder / "site-packages", folder / ".pins"
    if not note.exists() or note.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        options = ["--no-deps", "--only-binary", ":all:", "--target", str(place)]
        if environment.is_large:
            options.append("--no-cache-dir")
        _run([sys.executable, "-m", "pip", "install", "-q", *options, *environment.pins])
        note.write_text(wanted)
    return sys.executable, str(place)


def _make_venv(command: str, folder: Path) -> str:
    """Make an environment of another Python with the pins of CI; the project is not installed."""
    python = folder / "bin" / "python"
    done = folder / ".done"
    if not done.exists():
        found = shutil.which(command)
        if found is None:
            raise FileNotFoundError(command)
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = [*project["dependencies"], *project["optional-dependencies"]["torch"]]
        _run([found, "-m", "venv", str(folder)])
        pip = [str(python), "-m", "pip", "install", "-q"]
        _run([*pip, "--upgrade", "pip>=25.1"])
        pins = ["-c", str(ROOT / ".ci" / "constraints.txt")]
        groups = ["--group", f"{ROOT / 'pyproject.toml'}:dev"]
        _run([*pip, *pins, *groups, *wanted, TORCH])
        done.touch()
    return str(python)


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-500:] + done.stderr[-1500:])


def test(environment: Environment, folder: Path, paths: list[str]) -> bool:
    """Run the tests with an environment and print what came of it.

    Parameters
    ----------
    environment
        From `ENVIRONMENTS`.
    folder
        Holds all environments.
    paths
        What to run.

    Returns
    -------
    bool
        Whether all passed.
    """
    try:
        python, path = prepare(environment, folder / environment.name)
    except (FileNotFoundError, RuntimeError) as error:
        say(f"{environment.name}: not tried: {error}")
        return False
    variables = {key: each for key, each in os.environ.items() if not key.startswith("MLOPS_NB_")}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, (path, str(ROOT))))
    shown = subprocess.run(
        [python, "-c", _ASK], env=variables, capture_output=True, text=True, check=False
    )
    say(f"{environment.name}: {shown.stdout.strip() or shown.stderr[-300:]}")
    log = folder / f"{environment.name}.txt"
    with log.open("w") as stream:
        done = subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
            cwd=ROOT, env=variables, stdout=stream, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    text = log.read_text(errors="replace")
    for line in re.findall(r"^(?:FAILED|ERROR) tests/.*$", text, re.M):
        say(f"  {line}")
    ends = re.findall(r"^=* ?\d+ (?:passed|failed|errors?).*$", text, re.M) or ["no test ran"]
    say(f"  {ends[-1].strip('= ')}\n  all of it: {log}")
    return done.returncode == 0


def main() -> int:
    """Test with the environments that are named, else with all; 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(each.name for each in ENVIRONMENTS))
    parser.add_argument("--all", action="store_true", help="large ones too")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--tests", nargs="+", default=["tests/autolog", "tests/kernel"])
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    chosen = [
        each
        for each in ENVIRONMENTS
        if each.name in asked.names or (not asked.names and (asked.all or not each.is_large))
    ]
    results = [test(each, asked.folder, asked.tests) for each in chosen]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
