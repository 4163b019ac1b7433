"""Notebooks whose hazard lies in the language itself: names, functions, classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.judging import check
from tests.conformance.reading import Case, list_cases

CASES = list_cases("dataflow", "classes", "functions", "loops", "objects")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_notebook_comes_out_as_stated(case: Case, tmp_path: Path) -> None:
    """What a notebook prints, shows, computes and writes is that of restart-and-run-all."""
    check(case, tmp_path)
