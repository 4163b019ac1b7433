"""Runs every check in order and stops at the first that fails; the tests come last."""

from __future__ import annotations

import json
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
PYTEST = [sys.executable, "-m", "pytest", "-q"]
# A few of 6,000 tests that race are looked into afterwards; more of them are a fault of the code.
MOST_UNSTEADY = 3


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


def list_failed() -> list[str]:
    """List the tests that failed when they were last run."""
    found = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
    return list(json.loads(found.read_text("utf-8"))) if found.is_file() else []


def test(title: str, options: list[str]) -> None:
    """Run tests; a few that fail get one more run by themselves, and are named for a person."""
    print(f"--- {title}", flush=True)
    started = time.perf_counter()
    command = [*PYTEST, "-n", "2", "--dist", "loadfile", *options]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"--- {title}: {time.perf_counter() - started:.1f} s", flush=True)
    failed = list_failed() if code == 1 else []
    if code and not 0 < len(failed) <= MOST_UNSTEADY:
        sys.exit(f"{title} failed with exit code {code}: {' '.join(command)}")
    if code:
        files = sorted({name.partition("::")[0] for name in failed})
        run("failed tests, by themselves", [*PYTEST, "--last-failed", *files])
        print(f"--- UNSTEADY, failed beside others and passed alone: {failed}", flush=True)


def run_tests() -> None:
    """Run the tests, first the browser's; ``--coverage`` measures branches, and is slow."""
    shutil.rmtree(ROOT / ".pytest_cache", ignore_errors=True)
    # A browser driver and the server tests cannot share one event loop, so they get processes each.
    test("browser tests", ["tests/browser", "-p", "no:randomly"])
    cover = ["--cov", "--cov-report=term:skip-covered"] if "--coverage" in sys.argv else []
    test("tests", [*cover, "--ignore=tests/browser"])


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
