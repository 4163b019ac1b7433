"""Runs every notebook in every mode and writes the page of results.

``python -m tests.conformance`` for all of it; ``-k PART`` and ``-m MODE`` choose, and write no page.
``--sample`` runs each notebook in ``cold``, ``script`` and one mode more; the page says so.
With ``--ledger FILE`` verdicts are kept as they are made: the same command goes on where it was
stopped, and writes the page once all are there. What is wrong is run again alone before it counts.
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

from tests.conformance import ledger
from tests.conformance.judging import Verdict, choose_modes, judge, make_reference
from tests.conformance.modes import MODES, ROOT
from tests.conformance.page import write_page
from tests.conformance.reading import Case, list_cases

PAGE = ROOT / "docs" / "reference" / "conformance.md"


def run_case(case: Case, modes: list[str], folder: Path, kept: Path) -> None:
    """Run one notebook in some modes; each verdict is kept as soon as it is there."""
    place = folder / case.name
    reference = make_reference(case, place / "reference")
    for mode in modes:
        shutil.rmtree(place / mode, ignore_errors=True)
        commit, source = ledger.read_commit(), ledger.digest_source(case.name)
        started = time.perf_counter()
        found = judge(case, mode, reference, place / mode)
        took = round(time.perf_counter() - started, 2)
        line = ledger.Line(case.name, mode, found.word, found.detail, took, source, commit)
        ledger.write_line(kept, line)
    shutil.rmtree(place / "reference", ignore_errors=True)


def choose(case: Case) -> list[str]:
    """Choose the modes of a sample."""
    return [mode for mode in MODES if mode in {"cold", "script", *choose_modes(case)}]


def run_missing(wanted: dict[str, list[str]], given: argparse.Namespace, folder: Path) -> None:
    """Run what the ledger does not have."""
    known = ledger.read_lines(given.ledger)
    cases = {case.name: case for case in list_cases()}
    missing = {n: [m for m in modes if (n, m) not in known] for n, modes in wanted.items()}
    with ProcessPoolExecutor(given.j) as pool:
        waiting = {
            pool.submit(run_case, cases[name], modes, folder, given.ledger): name
            for name, modes in missing.items()
            if modes
        }
        for done in as_completed(waiting):
            done.result()
            lines = ledger.read_lines(given.ledger)
            for mode in missing[waiting[done]]:
                line = lines[waiting[done], mode]
                if not line.verdict.is_right:
                    print(f"{line.name} {mode}: {line.word}: {line.detail}", flush=True)


def run_wrong_again(wanted: dict[str, list[str]], given: argparse.Namespace, folder: Path) -> None:
    """Run what is wrong once more and alone: a busy machine may have made it late."""
    cases = {case.name: case for case in list_cases()}
    for line in ledger.read_lines(given.ledger).values():
        if line.mode in wanted.get(line.name, ()) and not line.verdict.is_right:
            run_case(cases[line.name], [line.mode], folder, given.ledger)


def main() -> int:
    """Run the matrix; the exit code is 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description="Run the conformance suite.")
    parser.add_argument("-k", default="", help="only notebooks whose name contains this")
    parser.add_argument("-m", nargs="*", choices=[*MODES], default=[*MODES], help="modes")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--sample", action="store_true", help="three modes for each notebook")
    parser.add_argument("--ledger", type=Path, help="keep verdicts here, and go on from them")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="conformance-"))
    is_kept = given.ledger is not None
    given.ledger = given.ledger or folder / "ledger.jsonl"
    cases = [case for case in list_cases() if given.k in case.name]
    wanted = {case.name: choose(case) if given.sample else given.m for case in cases}
    is_whole = len(cases) == len(list_cases()) and given.m == [*MODES]
    run_missing(wanted, given, folder)
    if is_kept or is_whole:
        run_wrong_again(wanted, given, folder)
    found = ledger.read_lines(given.ledger)
    lines = [found[name, mode] for name, modes in wanted.items() for mode in modes]
    wrong = sum(not line.verdict.is_right for line in lines)
    if is_whole:
        results: dict[str, dict[str, Verdict]] = {}
        for line in lines:
            results.setdefault(line.name, {})[line.mode] = line.verdict
        commits = list(dict.fromkeys(line.commit for line in found.values()))
        took = sum(line.took_s for line in lines)
        PAGE.write_text(write_page(cases, results, took, commits), encoding="utf-8")
        print(f"written: {PAGE}")
    if not wrong:
        shutil.rmtree(folder, ignore_errors=True)
    took = sum(line.took_s for line in lines)
    print(f"{len(cases)} notebooks, {len(lines)} results, {wrong} wrong, {took:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
