"""Build the panel when its sources have changed; say so in one line, and do nothing twice."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUNDLE = HERE.parent / "mlops_nb" / "labextension"
STAMP = BUNDLE / "sources.blake2"
INSTALLED = "share/jupyter/labextensions/mlops-nb-labextension"
OLDEST_NODE = 20
# Everything that decides what the bundle is; tests and lint settings do not.
SOURCES = (
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "src/**/*.ts*",
    "schema/*.json",
    "style/*",
)


class NodeMissingError(Exception):
    """Node.js is not there, or too old; everything but the panel works without it."""


def hash_sources() -> str:
    """Give one digest over the names and bytes of all sources, the same on every platform."""
    digest = hashlib.blake2b(digest_size=16)
    for pattern in SOURCES:
        for path in sorted(HERE.glob(pattern)):
            name = path.relative_to(HERE).as_posix()
            if path.is_file() and "__tests__" not in name:
                # Git may have checked the file out with other line ends.
                content = path.read_bytes().replace(b"\r\n", b"\n")
                digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def is_built() -> bool:
    """Tell whether there is a bundle at all."""
    return (BUNDLE / "package.json").is_file() and (BUNDLE / "static" / "style.js").is_file()


def is_fresh() -> bool:
    """Tell whether the bundle was built from the sources as they are."""
    return is_built() and STAMP.is_file() and STAMP.read_text().strip() == hash_sources()


def _find_npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise NodeMissingError("Node.js was not found")
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = asked.stdout.strip().lstrip("v")
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) < OLDEST_NODE:
        raise NodeMissingError(f"Node.js {version or '(broken)'} is too old")
    return npm


def _call(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a command quietly; what it said is shown where it fails."""
    done = subprocess.run(
        command,
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise subprocess.CalledProcessError(done.returncode, command)


def _install(npm: str) -> None:
    """Install the packages of the lock unless they are the ones already there."""
    lock, mark = HERE / "package-lock.json", HERE / "node_modules" / ".mlops-lock.blake2"
    wanted = hashlib.blake2b(lock.read_bytes(), digest_size=16).hexdigest()
    if not mark.is_file() or mark.read_text() != wanted:
        _call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        mark.write_text(wanted)


def install_packages() -> None:
    """Install what the lock names, for the build and the tests of the panel.

    Raises
    ------
    NodeMissingError
        There is no Node.js, or one that is too old.
    subprocess.CalledProcessError
        npm failed; its output says why.
    """
    _install(_find_npm())


def build() -> bool:
    """Build the bundle unless it is fresh.

    Returns
    -------
    bool
        Whether anything was built.

    Raises
    ------
    NodeMissingError
        There is no Node.js, or one that is too old.
    subprocess.CalledProcessError
        npm or the build failed; its output says why.
    """
    if is_fresh():
        return False
    npm = _find_npm()
    _install(npm)
    # jupyter-builder lies beside this Python, whose environment may not be activated.
    scripts = os.pathsep.join([sysconfig.get_path("scripts"), str(Path(sys.executable).parent)])
    environment = {**os.environ, "PATH": scripts + os.pathsep + os.environ.get("PATH", "")}
    _call([npm, "run", "--silent", "build:prod"], environment)
    STAMP.write_text(hash_sources() + "\n")
    return True


def update_installed() -> bool:
    """Bring the copy that this environment installed in editable mode up to date.

    Returns
    -------
    bool
        Whether it was behind.
    """
    target = Path(sys.prefix) / INSTALLED
    if not target.is_dir() or not is_built():
        return False
    theirs = target / STAMP.name
    if theirs.is_file() and STAMP.is_file() and theirs.read_text() == STAMP.read_text():
        return False
    shutil.rmtree(target)
    shutil.copytree(BUNDLE, target)
    shutil.copy(HERE / "install.json", target)
    return True


def main() -> int:
    """Build what must be built, and say it in one line."""
    try:
        built = build()
        if "--packages" in sys.argv:
            install_packages()
    except NodeMissingError as error:
        state = (
            "the panel stays as it was built before"
            if is_built()
            else "everything but the panel works"
        )
        print(f"panel: {error}; {state}. To build it, install Node.js >= {OLDEST_NODE} first.")
        return 0
    except subprocess.CalledProcessError as error:
        print(
            f"panel: {' '.join(map(str, error.cmd))} failed with exit code {error.returncode}",
            file=sys.stderr,
        )
        return 1
    copied = update_installed()
    print("panel: " + ("built" if built else "up to date") + (" and installed" if copied else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
