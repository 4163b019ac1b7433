"""A second run executes what has changed and takes the rest from before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.sealing import sign_document
from mlops_nb.records import PipelineResult
from tests.pipeline.places import Place

Cells = tuple[tuple[str, ...], ...]


def list_executed(result: PipelineResult) -> list[str]:
    """Give the steps that ran; all must have succeeded."""
    assert result.status == "finished", [step.error for step in result.steps]
    return [step.name for step in result.steps if not step.cached and step.status != "skipped"]


def rerun(place: Place, *cells: tuple[str, ...], **options: object) -> list[str]:
    """Write a notebook, run it, and give the steps that ran."""
    return list_executed(place.run(place.write(*cells), **options))


STORY: Cells = (
    ("def double(x):\n    return 2 * x", "functions"),
    ("n = 3\nextra = 1", "parameters"),
    ("rows = list(range(n))", "step:load"),
    ("total = sum(double(x) for x in rows)", "step:add"),
    ("best = max(rows)", "step:find"),
    ("print(total, best, extra)", "step:show"),
)


def test_only_what_changed_runs(place: Place) -> None:
    """Comments run nothing; a value that comes out the same stops the change; so do functions."""
    assert rerun(place, *STORY) == ["load", "add", "find", "show"]
    printed = place.read_printed()
    assert rerun(place, *STORY) == []
    assert place.read_printed() == printed
    commented = (*STORY[:2], ("rows = list( range(n) )  # all", "step:load"), *STORY[3:])
    assert rerun(place, *commented) == []
    same = (*STORY[:2], ("rows = [0, 1, 2][:n]", "step:load"), *STORY[3:])
    assert rerun(place, *same) == ["load"]
    other = (("def double(x):\n    return 3 * x", "functions"), *STORY[1:])
    assert rerun(place, *other) == ["add", "show"]
    assert place.read_printed()[-1] == "9 2 1\n"


def test_parameter_counts_where_it_is_used(place: Place) -> None:
    """A parameter of a late step runs that step, one of an early step what depends on it."""
    assert len(rerun(place, *STORY)) == 4
    assert rerun(place, *STORY, params={"extra": 5}) == ["show"]
    assert place.read_printed()[-1] == "6 2 5\n"
    assert rerun(place, *STORY, params={"n": 4}) == ["load", "add", "find", "show"]
    assert rerun(place, *STORY) == []
    assert place.read_printed()[-1] == "6 2 1\n"


def test_helper_of_a_helper(place: Place) -> None:
    """A local module that another one imports counts for the steps that use it only."""
    work = place.folder / "work"
    (work / "outer.py").write_text("import inner\ndef give():\n    return inner.VALUE\n")
    (work / "inner.py").write_text("VALUE = 1\n")
    cells = (
        ("a = 1", "step:a"),
        ("import outer\nb = outer.give()", "step:b"),
        ("print(a, b)", "step:c"),
    )
    assert len(rerun(place, *cells)) == 3
    (work / "inner.py").write_text("VALUE = 22\n")
    assert rerun(place, *cells) == ["b", "c"]
    assert place.read_printed()[-1] == "1 22\n"


def test_data_of_same_size_and_time(place: Place) -> None:
    """A file is read again where its content may have changed behind its time."""
    data = place.folder / "work" / "data.txt"
    data.write_text("1")
    before = data.stat()
    cells = (("text = open('data.txt').read()", "step:a"), ("print(text)", "step:b"))
    assert len(rerun(place, *cells)) == 2
    data.write_text("2")
    os.utime(data, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert rerun(place, *cells) == ["a", "b"]
    assert place.read_printed()[-1] == "2\n"
    data.touch()
    assert rerun(place, *cells) == []


def test_import_looks_for_modules_only(place: Place) -> None:
    """What a later step writes beside the notebook runs no step again that has imported; modules do."""
    cells = (
        (
            "import importlib.metadata, sys, colorsys\n"
            "n = len(importlib.metadata.entry_points(group='none'))",
            "step:a",
        ),
        ("import os\nos.makedirs('made', exist_ok=True)\nopen('made.txt', 'w').close()", "step:b"),
    )
    assert rerun(place, *cells) == ["a", "b"]
    assert rerun(place, *cells) == []
    (place.folder / "work" / "colorsys.py").touch()
    assert "a" in rerun(place, *cells)
    assert rerun(place, *cells) == []


def test_written_file_comes_back(place: Place) -> None:
    """A file that a step has written and somebody deleted is there again, and nothing ran."""
    made = place.folder / "work" / "made.txt"
    cells = (
        ("n = open('made.txt', 'w').write('some')", "step:a"),
        ("print(open('made.txt').read())", "step:b"),
    )
    assert len(rerun(place, *cells)) == 2
    made.unlink()
    assert rerun(place, *cells) == []
    assert made.read_text() == "some"


def test_other_seeds_run_what_draws(place: Place) -> None:
    """Random numbers that come from elsewhere count for steps that draw."""
    cells = (
        ("import random\nrandom.seed(1)", "step:seed"),
        ("fixed = 7", "step:fix"),
        ("drawn = random.random()", "step:draw"),
        ("print(drawn)", "step:show"),
    )
    assert len(rerun(place, *cells)) == 4
    first = place.read_printed()[-1]
    other = (("import random\nrandom.seed(2)", "step:seed"), *cells[1:])
    assert rerun(place, *other) == ["seed", "draw", "show"]
    assert place.read_printed()[-1] != first


def test_sets_have_no_order(place: Place) -> None:
    """A set is the same value whatever order it has in memory."""
    cells = (
        ("words = {w for w in 'some words of a text'.split()}", "step:a"),
        ("print(sorted(words))", "step:b"),
    )
    assert len(rerun(place, *cells)) == 2
    turned = (("words = {w for w in 'text a of words some'.split()}", "step:a"), cells[1])
    assert rerun(place, *turned) == ["a"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "record", "unsigned"])
def test_damage_is_found(place: Place, damage: str) -> None:
    """What was damaged or comes from elsewhere is made again, and the result is right."""
    cells = (
        ("import os\nblob = bytes(range(256)) * 100", "step:a"),
        ("print(len(blob), blob[300])", "step:b"),
    )
    rerun(place, *cells)
    cache = StepCache(place.store)
    records = list(cache.folder.glob("records/*/*/*"))
    big = max(
        (p for p in cache.components.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size
    )
    if damage == "truncated":
        big.write_bytes(big.read_bytes()[:-7])
    elif damage == "flipped":
        content = bytearray(big.read_bytes())
        content[500] ^= 4
        big.write_bytes(bytes(content))
    for path in records:
        signature, _, body = path.read_bytes().partition(b"\n")
        if damage == "record":
            path.write_bytes(signature + b"\n" + body[:-40])
        elif damage == "unsigned":
            path.write_bytes(b"0" * 64 + b"\n" + body)
    changed = (*cells[:1], ("print(len(blob), blob[300], 'new')", "step:b"))
    result = place.run(place.write(*changed))
    assert result.status == "finished", [step.error for step in result.steps]
    assert place.read_printed()[-1] == "25600 44 new\n"
    if damage in ("record", "unsigned"):
        assert list_executed(result) == ["a", "b"]


def test_package_that_is_gone(place: Place) -> None:
    """A step runs again where a package that it has imported is another version now."""
    cells = (("a = 1", "step:a"), ("b = a + 1\nprint(b)", "step:b"))
    rerun(place, *cells)
    cache = StepCache(place.store)
    for path in cache.folder.glob("records/*/*/*"):
        document = cache.read(path)
        assert document is not None
        assert any("ipykernel" in folder for folder in document["conditions"]["packages"])
        if document["step"] == "b":
            document["conditions"]["packages"].append(str(place.folder / "gone-1.0.dist-info"))
            path.write_bytes(sign_document(document, cache.key))
    assert rerun(place, *cells) == ["b"]


def test_program_socket_and_database_are_not_kept(place: Place) -> None:
    """A step that acts on the world is run again each time and says why, unless its tag says so."""
    cells = (
        (
            "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''], check=True)",
            "step:a",
        ),
        (
            "import socket\ns = socket.socket()\ns.settimeout(1)\ns.connect_ex(('127.0.0.1', 9)); s.close(); del s",
            "step:b",
        ),
        ("import sqlite3\nc = sqlite3.connect('x.db'); c.close(); del c", "step:c"),
        ("print('end')", "step:d"),
    )
    rerun(place, *cells)
    assert rerun(place, *cells) == ["a", "b", "c"]
    told = [event.message for event in place.told if "is not cached" in event.message]
    for word in ("starts a program", "connects to 127.0.0.1:9", "uses the database"):
        assert any(word in message for message in told), told
    kept = tuple((cell[0], cell[1], "cache:enabled") for cell in cells)
    rerun(place, *kept)
    assert rerun(place, *kept) == []


def test_steps_in_one_kernel_are_one(place: Place) -> None:
    """Steps that shared a kernel come from the cache together, and run together."""
    cells = (
        ("n = 3", "parameters"),
        ("lines = (i for i in range(5))", "step:a"),
        ("taken = [next(lines) for _ in range(n)]\ndel lines", "step:b"),
        ("print(taken)", "step:c"),
    )
    assert len(rerun(place, *cells)) == 3
    assert rerun(place, *cells) == []
    other = (
        *cells[:2],
        ("taken = [next(lines) + 1 for _ in range(n)]\ndel lines", "step:b"),
        cells[3],
    )
    assert rerun(place, *other) == ["a", "b", "c"]
    assert place.read_printed()[-1] == "[1, 2, 3]\n"
    assert rerun(place, *cells, params={"n": 2}) == ["a", "b", "c"]
    assert place.read_printed()[-1] == "[0, 1]\n"


def test_end_by_the_notebook_is_kept(place: Place) -> None:
    """A notebook that ends itself early does so again without running."""
    cells = (("import sys\nprint('over')\nsys.exit(0)", "step:a"), ("print('never')", "step:b"))
    first = place.run(place.write(*cells))
    again = place.run(place.write(*cells))
    assert [step.status for step in first.steps] == [step.status for step in again.steps]
    assert again.steps[0].cached
    assert again.status == first.status


def test_cached_and_executed_steps_mix(place: Place) -> None:
    """Environment, options, sources of functions and aliases are right after a mixed prefix."""
    cells: Cells = (
        ("import os, inspect", "imports"),
        ("n = 1", "parameters"),
        (
            "os.environ['FIRST'] = 'x'\nkeep = [1]\nother = keep\ndef made():\n    return 1",
            "step:a",
        ),
        ("os.environ['SECOND'] = str(n)", "step:b"),
        ("os.environ['THIRD'] = 'z'\nkeep.append(2)\nclass Late:\n    pass", "step:c"),
        (
            "print(os.environ['FIRST'], os.environ['SECOND'], os.environ['THIRD'], other)\n"
            "print(inspect.getsource(made), Late().__class__.__name__)",
            "step:d",
        ),
    )
    rerun(place, *cells)
    assert place.read_printed()[-1].startswith("x 1 z [1, 2]\n")
    ran = rerun(place, *cells, params={"n": 2})
    assert "a" not in ran
    assert "b" in ran
    assert place.read_printed()[-1].startswith("x 2 z [1, 2]\ndef made()")
    changed = (*cells[:4], (cells[4][0].replace("'z'", "'y'"), "step:c"), cells[5])
    assert rerun(place, *changed)[0] == "c"
    assert place.read_printed()[-1].startswith("x 1 y [1, 2]\n")


def test_retry_and_condition(place: Place) -> None:
    """A step that fails once succeeds in its second attempt; a condition skips consumers too."""
    cells = (
        ("go = False", "parameters"),
        (
            "import pathlib\np = pathlib.Path('tried')\nonce = p.exists()\np.write_text('x')\nassert once",
            "step:a",
            "retries:2",
        ),
        ("extra = 1", "step:b", "when:go"),
        ("print(extra)", "step:c"),
    )
    result = place.run(place.write(*cells))
    assert [step.status for step in result.steps] == ["succeeded", "skipped", "skipped"]
    assert (place.out / "01-a.attempt1.ipynb").is_file()
    assert (place.out / "01-a.ipynb").is_file()


def test_forced_selected_and_left_out(place: Place) -> None:
    """Steps run because a person wants it, or not at all."""
    path = place.write(*STORY)
    place.run(path)
    assert list_executed(place.run(path, force=["find"])) == ["find"]
    assert list_executed(place.run(path, start_at="find")) == ["find", "show"]
    result = place.run(path, stop_at="add")
    assert [step.status for step in result.steps] == [
        "succeeded",
        "succeeded",
        "skipped",
        "skipped",
    ]
    assert list_executed(place.run(path, only="add")) == ["add"]
    assert len(list_executed(place.run(path, force=True))) == 4


def test_path_of_notebook_may_be_relative(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same notebook named in another way is the same."""
    path = place.write(*STORY)
    place.run(path)
    monkeypatch.chdir(path.parent)
    assert list_executed(place.run(Path("nb.ipynb"))) == []
