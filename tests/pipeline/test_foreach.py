"""Rounds of a loop that run at once, and those that must not."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.pipeline import foresee
from tests.pipeline.places import Place

# Each round waits until the other has begun: they end only where they run at the same time.
TOGETHER = """
for name in ["a", "b", "c"]:
    size = len(name)
    print("begin", name)
    Path(name).write_text("")
    for _ in range(600):
        if name == "c" or Path({"a": "b", "b": "a"}[name]).exists():
            break
        time.sleep(0.05)
    else:
        raise TimeoutError(name)
    sizes[name] = (size, kept)
""".strip()


def list_notices(place: Place) -> list[str]:
    """Give what was said about rounds."""
    return [event.message for event in place.told if " rounds " in event.message]


def test_rounds_run_at_once(place: Place) -> None:
    """Two kernels share the rounds; what is shown, filled and left is that of the loop."""
    path = place.write(
        ("import time\nfrom pathlib import Path", "imports"),
        ("sizes, kept = {}, object()", "step:load"),
        (TOGETHER, "step:measure", "foreach"),
        ("print(name, size, _)",),
        ("print(list(sizes), all(one is kept for _, one in sizes.values()))", "step:show"),
    )
    result = place.run(path, jobs=2)
    assert list_notices(place) == ["measure: 3 rounds in 2 processes"]
    assert result.status == "finished"
    assert place.read_printed() == [
        "",
        "begin a\nbegin b\nbegin c\nc 1 0\n",
        "['a', 'b', 'c'] True\n",
    ]
    rounds = [event for event in place.told if event.kind == "round_finished"]
    assert {(event.step, event.cells_total) for event in rounds} <= {("measure", 3)}
    again = place.run(path, jobs=2)
    assert [step.cached for step in again.steps] == [True, True, True]


def test_what_rounds_did_is_taken_back(place: Place) -> None:
    """Rounds that turn out to depend on another leave no trace; the loop runs as it stands."""
    path = place.write(
        ("import mlops_nb\nfrom pathlib import Path", "imports"),
        ("Path('log').write_text('begin ')\ndone = []", "step:load"),
        (
            "for n in range(4):\n"
            "    mlops_nb.start_run(f'round {n}').end()\n"
            "    Path('log').write_text(Path('log').read_text() + f'{n} ')\n"
            "    Path(f'new{n}').write_text('')\n"
            "    done.append(n)",
            "step:write",
            "foreach",
        ),
        ("print(Path('log').read_text(), done, sorted(p.name for p in Path().glob('new*')))",),
    )
    assert place.run(path, jobs=2).status == "finished"
    log = str(Path(path.parent, "log"))
    (notice,) = list_notices(place)
    assert notice == (
        f"write runs its rounds one after the other: several rounds use the file {log!r}"
    )
    runs = place.store.search("", ["attributes.started_at ASC"], 10)
    assert [run.name for run in runs] == ["nb", "round 0", "round 1", "round 2", "round 3"]
    assert (
        place.read_printed()[1] == "begin 0 1 2 3  [0, 1, 2, 3] ['new0', 'new1', 'new2', 'new3']\n"
    )


def test_what_cannot_be_taken_back_never_happens_twice(place: Place) -> None:
    """A round that starts a program is stopped before it does."""
    path = place.write(
        ("import subprocess\ncodes = []", "step:load"),
        (
            "for n in range(3):\n"
            "    done = subprocess.run(['sh', '-c', f'echo {n} >> log'])\n"
            "    codes.append(done.returncode)",
            "step:call",
            "foreach",
        ),
    )
    assert place.run(path, jobs=2).status == "finished"
    assert Path(path.parent, "log").read_text() == "0\n1\n2\n"
    assert "starts a program" in list_notices(place)[0]


def test_rounds_after_one_that_fails_never_were(place: Place) -> None:
    """The error is that of the loop, and later rounds have left no files."""
    path = place.write(
        ("found = []", "step:load"),
        (
            "for n in [1, 2, 0, 4, 5, 6]:\n"
            "    print(n, file=open(f'n{n}', 'w'))\n"
            "    found.append(1 / n)",
            "step:divide",
            "foreach",
            "retries:0",
        ),
    )
    result = place.run(path, jobs=2)
    assert (result.status, result.steps[1].error) == (
        "failed",
        "ZeroDivisionError: division by zero",
    )
    assert sorted(file.name for file in path.parent.glob("n?")) == ["n0", "n1", "n2"]


def test_reason_is_told_before_and_while_it_runs(place: Place) -> None:
    """A loop whose rounds follow from one another is not refused; whoever asks hears why."""
    path = place.write(
        ("total = 0", "step:load"),
        ("for n in range(3):\n    total = total + n", "step:add", "foreach"),
        ("print(total)",),
    )
    reason = "a round uses 'total' of the round before (line 2)"
    settings = place.read_settings()
    loops = [one.loop for one in foresee(path, store=place.store, settings=settings)]
    assert loops == ["", f"its rounds run one after the other: {reason}"]
    assert place.run(path).steps[1].status == "succeeded"
    assert list_notices(place) == []  # nobody has asked for more than one process
    assert place.run(path, jobs=2, force=True).steps[1].status == "succeeded"
    assert list_notices(place) == [f"add runs its rounds one after the other: {reason}"]
    assert place.read_printed()[1] == "3\n"
