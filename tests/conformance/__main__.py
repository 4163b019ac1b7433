"""Runs every notebook in every mode and writes the page of results.

``python -m tests.conformance`` for all of it; ``-k PART`` and ``-m MODE`` choose, and write no page.
``--sample`` runs each notebook in ``cold``, ``script`` and one mode more; the page says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.conformance.judging import Verdict, choose_modes, judge, make_reference
from tests.conformance.modes import MODES, ROOT
from tests.conformance.page import write_page
from tests.conformance.reading import Case, list_cases

PAGE = ROOT / "docs" / "reference" / "conformance.md"


def run_case(case: Case, modes: list[str], folder: Path) -> dict[str, Verdict]:
    """Run one notebook in some modes."""
    reference = make_reference(case, folder / case.name / "reference")
    return {mode: judge(case, mode, reference, folder / case.name / mode) for mode in modes}


def choose(case: Case) -> list[str]:
    """Choose the modes of a sample."""
    return [mode for mode in MODES if mode in {"cold", "script", *choose_modes(case)}]


def main() -> int:
    """Run the matrix; the exit code is 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description="Run the conformance suite.")
    parser.add_argument("-k", default="", help="only notebooks whose name contains this")
    parser.add_argument("-m", nargs="*", choices=[*MODES], default=[*MODES], help="modes")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--sample", action="store_true", help="three modes for each notebook")
    given = parser.parse_args()
    cases = [case for case in list_cases() if given.k in case.name]
    started = time.perf_counter()
    results: dict[str, dict[str, Verdict]] = {}
    folder = Path(tempfile.mkdtemp(prefix="conformance-"))
    with ProcessPoolExecutor(given.j) as pool:
        waiting = {
            pool.submit(run_case, case, choose(case) if given.sample else given.m, folder): case
            for case in cases
        }
        for done in as_completed(waiting):
            case = waiting[done]
            results[case.name] = done.result()
            for mode, verdict in results[case.name].items():
                if not verdict.is_right:
                    print(f"{case.name} {mode}: {verdict.word}: {verdict.detail}", flush=True)
    wrong = sum(not v.is_right for found in results.values() for v in found.values())
    if not wrong:
        shutil.rmtree(folder, ignore_errors=True)
    took = time.perf_counter() - started
    if len(cases) == len(list_cases()) and given.m == [*MODES]:
        PAGE.write_text(write_page(cases, results, took), encoding="utf-8")
        print(f"written: {PAGE}")
    print(f"{len(results)} notebooks, {len(given.m)} modes, {wrong} wrong, {took:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
