"""Steps that only look around are kept and verified, and what they have made is there again."""

from __future__ import annotations

import shutil

from tests.pipeline.places import Place
from tests.pipeline.test_cache import rerun

CELLS = (
    ("import os", "imports"),
    ("os.makedirs('made/inner')\nos.makedirs('made', exist_ok=True)\n!echo over here", "step:make"),
    ("names = !ls data | sort -r\nprint(len(names))", "step:look"),
    ("!cat data/*.txt | wc -l\nnames", "step:count"),
)


def test_commands_that_look_are_kept(place: Place) -> None:
    """Listing and reading by shell commands counts as by Python: it runs again where names change."""
    data = place.folder / "work" / "data"
    data.mkdir(parents=True)
    (data / "a.txt").write_text("1\n", encoding="utf-8")
    result = place.run(place.write(*CELLS), verify="once")
    assert result.verification is not None
    assert result.verification.status == "verified", str(result.verification)
    assert rerun(place, *CELLS) == []
    (data / "b.csv").touch()
    assert rerun(place, *CELLS) == ["look", "count"]
    assert place.read_printed()[1] == "2\n"
    (data / "a.txt").write_text("1\n2\n", encoding="utf-8")
    shutil.rmtree(place.folder / "work" / "made")
    assert rerun(place, *CELLS) == ["count"]
    assert (place.folder / "work" / "made" / "inner").is_dir()
    assert not [event for event in place.told if "is not cached" in event.message]
