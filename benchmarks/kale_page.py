"""Writes the page of what Kale makes of the conformance notebooks."""

from __future__ import annotations

import platform
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from peers import Peer

from tests.conformance.ledger import Line
from tests.conformance.reading import Case

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "conformance-kale.md"
_VERSIONS = (
    "kfp", "ipykernel", "dill", "numpy", "pandas", "scikit-learn", "torch", "polars", "matplotlib",
)  # fmt: skip
WORDS = {
    "equal": "each step printed the same, names hold the same values, the folder the same files",
    "refused": "it said before anything ran that it cannot, and why",
    "failed": "a step ended with an error, which the notebook does not have",
    "WRONG": "**silently wrong**: it ran to its end and gave something else",
}
_HEAD = """\
# Conformance of Kale

The notebooks of the [conformance suite](conformance.md), run by ours and by [Kale](https://github.com/kubeflow/kale) in
the same run. Each is run top to bottom by nbclient first; what that prints, holds and writes is what both must give.

* **What Kale gets.** Its own tags: step names in lower case, each step with `prev:` of the one above it, `imports`,
  `functions`, `pipeline-parameters`; comments `#| step: x` as tags; words that mean nothing to it dropped. What changes
  the meaning stays as it stands. The source of cells is not touched. `benchmarks/kale_convert.py` does it.
* **How it is run.** Kale's own command compiles; `kfp.local` runs the compiled pipeline, each step in a process of its own
  (forked, which saves the imports of kfp; the kernel that runs the cells is new), without Kubernetes. All steps share the notebook's folder, as with a volume. The notebooks' libraries are
  installed in the versions of ours, so that no step has to install one; pip is not called for what is there, and gets no
  index for what is not. Where a file beside the notebook is imported in a cell for all steps, Kale has the step install a
  package of that name from the index, whoever wrote it: here such a step fails.
* **What is compared.** What each step printed, as Kale's report of it says; the values of the last step's names, with
  the same sharing; the files in the folder. What cells show, warn and draw is not compared for Kale; for ours it is. What
  cells for all steps print counts to each step, as Kale runs them in each.
* **Ours** is the mode `cold`. It is right where it is equal or refuses as the notebook states.

This page is written by `benchmarks/kale_notebooks.py`; do not edit it. The sentences on single notebooks are by hand.
"""
# Each was read in the code that Kale generated; what the run gave stands behind it.
_EXPLAINED = {
    "state/hidden_seed": (
        "The first step seeds NumPy, later steps draw. Only variables cross between steps, and the state of the generator "
        "is none: the generated step `b` holds the one line `b = np.random.rand()`, in a new kernel that nobody seeded. Its "
        "number is another one with each run, the seed notwithstanding."
    ),
    "tags/imports_with_settings": (
        "The cell tagged `imports` is put before each step and runs again there. It sets a seed, so the second step draws "
        "the numbers of the first once more, and what a step changed of its settings is as before in the next."
    ),
    "frames/alias": (
        "Two names hold one frame; a step changes it in place. Each variable has a file of its own, and the step saves the "
        "name it uses: the other one is loaded from what the first step had saved, and holds the frame as it was."
    ),
    "dataflow/independent_branches": (
        "Kale saves what is of NumPy by `np.save`. A number of NumPy is no array, and comes back as an array without "
        "dimensions: the mildest of the silent errors, and one that `isinstance`, hashing and what is printed tell apart."
    ),
    "torch/switches": (
        "A step sets torch's default type to float64. That is no variable either: the next step makes its numbers and its "
        "layer in float32 and with gradients, in a pipeline that reports success."
    ),
}


Lines = Mapping[tuple[str, str], Line]


def write_page(cases: Sequence[Case], lines: Lines, peer: Peer) -> str:
    """Write the page from verdicts; notebooks that were not run have none of ours."""
    done = [case for case in cases if (case.name, "kale") in lines]
    compiled = [case for case in cases if case not in done and (case.name, "compile") in lines]
    parts = [_HEAD, _write_facts(done, compiled, len(cases), lines, peer)]
    parts += [_write_totals(done, compiled, lines), _write_errors(lines)]
    ordered = sorted([*done, *compiled], key=lambda case: case.name)
    for group, members in groupby(ordered, key=lambda case: case.name.partition("/")[0]):
        rows = [f"## {group}\n", "| notebook | hazard | ours | Kale | what Kale gave |"]
        rows.append("| --- | --- | --- | --- | --- |")
        for case in members:
            ours = lines.get((case.name, "ours")) if case in done else None
            kale = lines[case.name, "kale" if case in done else "compile"]
            shown = f"**{kale.word}**" if kale.word == "WRONG" else kale.word
            own = (
                f"**{ours.word}**"
                if ours and not ours.verdict.is_right
                else ours.word
                if ours
                else ""
            )
            name, told = case.name.partition("/")[2], _escape(_cut(kale.detail))
            rows.append(f"| {name} | {_escape(case.hazard)} | {own} | {shown} | {told} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts).rstrip("\n") + "\n"


def _write_facts(
    done: Sequence[Case], compiled: Sequence[Case], total: int, lines: Lines, peer: Peer
) -> str:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    commits = list(dict.fromkeys(lines[case.name, "ours"].commit for case in done))
    code = " to ".join(dict.fromkeys([commits[0], commits[-1]]))
    more = " --minutes 40 --compile" if compiled else ""
    told = (
        f"All {total} notebooks were run."
        if len(done) == total
        else f"""\
{len(done)} of {total} notebooks were run, as many as the time allowed: they come in an order by digest of their names that
takes each group in turn. Another {len(compiled)} were compiled and not run; ours did not run beside them."""
    )
    return f"""\
{day}, {platform.system()}, Python {platform.python_version()}, {peer.title}, {_read_versions(peer)}. Commit {code}.
{told}

    make bench-peers
    python benchmarks/kale_notebooks.py --ledger kale.jsonl{more} --write
"""


def _read_versions(peer: Peer) -> str:
    code = "import sys, importlib.metadata as m; print(*[n + ' ' + m.version(n) for n in sys.argv[1:]], sep=', ')"
    command = [str(peer.python), "-c", code, *_VERSIONS]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _write_totals(done: Sequence[Case], compiled: Sequence[Case], lines: Lines) -> str:
    counts = {
        mode: Counter(lines[case.name, mode].word for case in done) for mode in ("ours", "kale")
    }
    rows = [f"| of {len(done)} that were run | ours | Kale | |", "| --- | --- | --- | --- |"]
    for word, told in WORDS.items():
        rows.append(f"| {word} | {counts['ours'][word]} | {counts['kale'][word]} | {told} |")
    if compiled:
        words = Counter(lines[case.name, "compile"].word for case in compiled)
        rows.append(
            f"\nOf the {len(compiled)} that were only compiled, Kale refused {words['refused']}."
        )
    return "\n".join([*rows, ""])


def _write_errors(lines: Lines) -> str:
    parts = ["## Typical silent errors\n"]
    for name, told in _EXPLAINED.items():
        line = lines.get((name, "kale"))
        if line is not None and line.word == "WRONG":
            parts.append(f"**{name}.** {told} Found: {_escape(_cut(line.detail))}.\n")
    return "\n".join(parts)


def _cut(text: str) -> str:
    text = re.sub(r"/\S*/(?=\w+\.py)", "", text)
    return text if len(text) <= 220 else f"{text[:200]} ..."


def _escape(text: str) -> str:
    plain = " ".join(text.split())
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        plain = plain.replace(mark, f"\\{mark}")
    return plain
