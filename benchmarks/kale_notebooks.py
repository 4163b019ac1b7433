"""Runs the notebooks of the conformance suite by Kale, beside ours; prints and writes what came of it.

Each notebook is run top to bottom by nbclient, then by ours (mode ``cold``), then by Kale: its tags
are turned into Kale's, its own command compiles it, and ``kfp.local`` runs the compiled pipeline on
this machine, each step in a process of its own, without Kubernetes. Linux only.

``python benchmarks/kale_notebooks.py`` runs all; ``-k PART`` chooses; ``--minutes N`` stops in time:
notebooks come in an order that takes each group in turn, whatever the results. ``--ledger FILE``
keeps verdicts, and the same command goes on from them; ``--compile`` lets Kale compile what was not
run for want of time; ``--write`` writes the page from the verdicts that there are.
``make bench-peers`` installs Kale and the libraries that the notebooks import.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from kale_convert import convert, find_owners, write  # noqa: E402 - the script beside this one
from kale_page import PAGE, write_page  # noqa: E402
from peers import Peer, find_folder, find_peers  # noqa: E402

from tests.conformance import ledger  # noqa: E402
from tests.conformance.judging import Verdict, judge, make_reference  # noqa: E402
from tests.conformance.modes import PROBE, Place  # noqa: E402
from tests.conformance.observing import (  # noqa: E402
    Observed,
    find_difference,
    normalize,
    read_files,
    read_values,
)
from tests.conformance.reading import Case, list_cases  # noqa: E402

LIMIT_S = 180
# What Kale's report has of a stream; what it puts into a red frame is standard error.
_STREAM = re.compile(r'(#FFDDDD;">\s*)?<pre style="margin:0;">\n(.*?)\n</pre>', re.DOTALL)
_SHARED = ("imports", "functions")


class Kale:
    """A process in Kale's environment that answers one notebook after the other."""

    def __init__(self, peer: Peer) -> None:
        if peer.python is None:
            sys.exit(f"{peer.title} is {peer.reason}")
        # Steps find what is installed and nothing else: no index is asked.
        private = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
        path = f"{peer.python.parent}{os.pathsep}{os.environ['PATH']}"
        self._process = subprocess.Popen(
            [str(peer.python), str(HERE / "subjects" / "of_kale.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **private, "PYTHONPATH": "", "PATH": path},
        )  # fmt: skip
        self._ask(None)

    def _ask(self, job: dict[str, Any] | None) -> dict[str, Any]:
        sent, told = _need(self._process.stdin), _need(self._process.stdout)
        if job is not None:
            sent.write(json.dumps(job) + "\n")
            sent.flush()
        line = told.readline()
        if not line:
            sys.exit("Kale's process has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, case: Case, place: Place, *, only_compiles: bool = False) -> dict[str, Any]:
        """Compile and run a notebook; tells how far it came."""
        write(case, place.work)
        place.probe.unlink(missing_ok=True)
        environment = place.make_environment() | {"PYTHONPATH": str(PROBE)}
        params = {name.lower(): value for name, value in case.params.items()}
        return self._ask({
            "folder": str(place.work), "artifacts": str(place.root / "artifacts"),
            "log": str(place.root / "log"), "answer": str(place.root / "answer"),
            "environment": environment, "params": params, "limit_s": LIMIT_S,
            "only_compiles": only_compiles,
        })  # fmt: skip

    def close(self) -> None:
        """End the process."""
        _need(self._process.stdin).close()
        self._process.wait()


def _need(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def read_printed(report: str) -> str:
    """Read what a step printed from Kale's report of it."""
    found = "".join(text for error, text in _STREAM.findall(report) if not error)
    return normalize(found)


def find_printed_difference(case: Case, reference: Observed, reports: dict[str, str]) -> str | None:
    """Compare what each step printed; the cells for all steps count to each, as Kale runs them."""
    owners = find_owners(convert(case))
    owners[len(case.cells)] = [name for name in owners.values() if name not in _SHARED][-1]
    for step, path in reports.items():
        printed = ""
        for owner in (*_SHARED, step):
            own = [number for number, name in sorted(owners.items()) if name == owner]
            printed += "".join(reference.cells[n].printed for n in own if n in reference.cells)
        found = read_printed(Path(path).read_text(encoding="utf-8"))
        if found != printed:
            return f"step {step} printed {_shorten(found)}, not {_shorten(printed)}"
    lost = [n for n in reference.cells if n not in owners and reference.cells[n].printed]
    return f"cell {lost[0]} printed and was dropped" if lost else None


def judge_kale(case: Case, reference: Observed, kale: Kale, folder: Path) -> Verdict:
    """Run a notebook by Kale and compare: equal, refused, failed or WRONG."""
    place = Place(folder)
    answer = kale.run(case, place)
    error = " ".join(answer["error"].split())
    log = (folder / "log").read_text(encoding="utf-8", errors="replace")
    if answer["came_to"] == "compile":
        return Verdict("refused", error)
    if answer["came_to"] == "run":
        raised = [cell.raised for cell in reference.cells.values() if cell.raised]
        if raised and f"Error: {raised[-1][0]}: {raised[-1][1]}" in log:
            return Verdict("equal", "it fails as the notebook does")
        return Verdict("failed", find_cause(log) or error)
    difference = find_printed_difference(case, reference, answer["reports"])
    files = {k: v for k, v in read_files(place.work).items() if not k.startswith(".kale/")}
    found = Observed(reference.cells, read_values(place.probe), files)
    difference = difference or find_difference(reference, found)
    return Verdict("WRONG", difference) if difference else Verdict("equal")


def find_cause(log: str) -> str:
    """Find the first error that a step's output tells."""
    if found := re.search(r"ERROR: (No matching distribution found for .*)", log):
        return found[1].strip()
    first = log.split("Cell Execution Error")[1:2] or [""]  # of the first cell that failed
    raised = re.findall(r"\[ERROR\]\s+((?:\w+\.)*\w+(?:Error|Exception|Exit)\b:.*)", first[0])
    told = [" ".join(line.split()) for line in raised if not line.startswith("Error: ")]
    crossing = re.search(r"--> *\d+ (?:_ =|(\w+) =) _kale_marshal\.(save|load)\((\w*)", first[0])
    if crossing:
        name = crossing[1] or crossing[3]
        return f"cannot {crossing[2]} {name}: {told[0] if told else ''}"
    if found := re.search(r"\[ERROR\]\s+Error: (.*)", first[0]):
        return " ".join(found[1].split())
    return ""


def _shorten(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 160 else f"{shown[:80]} ... {shown[-70:]}"


def order(cases: list[Case]) -> list[Case]:
    """Order notebooks so that whatever is cut off, each group has its share, by no choice."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.name.partition("/")[0], []).append(case)
    placed = []
    for members in groups.values():
        members.sort(key=lambda case: zlib.crc32(case.name.encode()))
        placed += [((n + 0.5) / len(members), case.name, case) for n, case in enumerate(members)]
    return [case for _, _, case in sorted(placed, key=lambda item: item[:2])]


def run_case(case: Case, kale: Kale, folder: Path, kept: Path) -> list[ledger.Line]:
    """Run one notebook by both and keep the verdicts."""
    place = folder / case.name
    shutil.rmtree(place, ignore_errors=True)
    reference = make_reference(case, place / "reference")
    lines = []
    for mode in ("ours", "kale"):
        started = time.perf_counter()
        if mode == "ours":
            found = judge(case, "cold", reference, place / mode)
        else:
            (place / mode).mkdir(parents=True)
            found = judge_kale(case, reference, kale, place / mode)
        took = round(time.perf_counter() - started, 2)
        source, commit = ledger.digest_source(case.name), ledger.read_commit()
        lines.append(ledger.Line(case.name, mode, found.word, found.detail, took, source, commit))
        ledger.write_line(kept, lines[-1])
    return lines


def compile_case(case: Case, kale: Kale, folder: Path, kept: Path) -> ledger.Line:
    """Ask Kale to compile a notebook, and keep whether it did."""
    place = folder / case.name / "compile"
    place.mkdir(parents=True)
    started = time.perf_counter()
    answer = kale.run(case, Place(place), only_compiles=True)
    took = round(time.perf_counter() - started, 2)
    word = "refused" if answer["came_to"] == "compile" else "compiled"
    source, commit = ledger.digest_source(case.name), ledger.read_commit()
    told = " ".join(answer["error"].split())
    line = ledger.Line(case.name, "compile", word, told, took, source, commit)
    ledger.write_line(kept, line)
    return line


def main() -> None:
    """Run what the ledger lacks, print the table, write the page where asked to."""
    parser = argparse.ArgumentParser(description="Run the conformance notebooks by Kale and ours.")
    parser.add_argument("-k", default="", help="only notebooks whose name contains this")
    parser.add_argument("--minutes", type=float, help="begin no notebook after so long")
    parser.add_argument("--ledger", type=Path, help="keep verdicts here, and go on from them")
    parser.add_argument("--compile", action="store_true", help="compile what was not run")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the runs")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kale-"))
    kept = given.ledger or folder / "ledger.jsonl"
    cases = order([case for case in list_cases() if given.k in case.name])
    known = ledger.read_lines(kept)
    missing = [case for case in cases if (case.name, "kale") not in known]
    started = time.monotonic()
    peer = find_peers(find_folder([]))["Kale"]
    kale = Kale(peer) if missing else None
    for number, case in enumerate(missing):
        assert kale is not None
        if given.minutes is not None and time.monotonic() - started >= given.minutes * 60:
            for later in missing[number:] if given.compile else ():
                if (later.name, "compile") not in known:
                    compile_case(later, kale, folder, kept)
            break
        ours, theirs = run_case(case, kale, folder, kept)
        told = f"{theirs.word}: {theirs.detail}" if theirs.detail else theirs.word
        print(f"{case.name:45} ours {ours.word:8} Kale {told}  ({theirs.took_s} s)", flush=True)
        if not given.keep:
            shutil.rmtree(folder / case.name, ignore_errors=True)
    if kale:
        kale.close()
    lines = ledger.read_lines(kept)
    done = [case for case in cases if (case.name, "kale") in lines]
    for mode in ("ours", "kale"):
        counts = Counter(lines[case.name, mode].word for case in done)
        print(f"{mode}: {len(done)} notebooks, " + ", ".join(f"{n} {w}" for w, n in counts.items()))
    if given.write:
        PAGE.write_text(write_page(cases, lines, peer), encoding="utf-8")
        print(f"written: {PAGE}")
    if not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
