"""Runs every check in order and stops at the first that fails; the tests come last."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PANEL = ROOT / "labextension"


def run(title: str, command: list[str], cwd: Path = ROOT) -> None:
    """Run one check and print how long it took."""
    print(f"--- {title}", flush=True)
    started = time.perf_counter()
    code = subprocess.run(command, cwd=cwd, check=False).returncode
    print(f"--- {title}: {time.perf_counter() - started:.1f} s", flush=True)
    if code:
        sys.exit(f"{title} failed with exit code {code}: {' '.join(command)}")


def check_code() -> None:
    """Check style and floors of the Python code."""
    run("style", [str(BIN / "ruff"), "check", "."])
    run("format", [str(BIN / "ruff"), "format", "--check", "."])
    run("floors", [str(BIN / "lint-imports")])


def check_types() -> None:
    """Check the types of the Python code."""
    run("types", [str(BIN / "mypy")])


def check_panel() -> None:
    """Check style and behaviour of the panel; without Node this is skipped, never in CI."""
    npx = shutil.which("npx")
    if npx is None or not (PANEL / "node_modules").is_dir():
        if os.environ.get("CI"):
            sys.exit("Node >= 20 is needed in CI: the panel would go untested.")
        print("--- panel: skipped, Node >= 20 is not installed", flush=True)
        return
    run("panel style", [npx, "eslint", "."], PANEL)
    run("panel format", [npx, "prettier", "--check", "."], PANEL)
    run("panel tests", [npx, "vitest", "run"], PANEL)


def run_tests() -> None:
    """Run the tests, first the browser's; ``--coverage`` measures branches, and is slow."""
    pytest = [sys.executable, "-m", "pytest", "-q"]
    spread = ["-n", "2", "--dist", "loadfile"]
    # A browser driver and the server tests cannot share one event loop, so they get processes each.
    run("browser tests", [*pytest, *spread, "tests/browser", "-p", "no:randomly"])
    cover = ["--cov", "--cov-report=term:skip-covered"] if "--coverage" in sys.argv else []
    run("tests", [*pytest, *spread, *cover, "--ignore=tests/browser"])


def main() -> None:
    """Run all checks, or with ``--lint`` those that run no tests."""
    check_code()
    if "--lint" in sys.argv[1:]:
        check_types()
        return
    # Each uses one core for the better part of a minute.
    with ThreadPoolExecutor() as pool:
        for check in [pool.submit(check_types), pool.submit(check_panel)]:
            check.result()
    run_tests()


if __name__ == "__main__":
    main()
