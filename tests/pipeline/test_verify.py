"""A pipeline is compared with its notebook run as one, and what differs is found and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from mlops_nb.config import load_settings
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import run
from mlops_nb.records import PipelineResult, Verification
from mlops_nb.store import Store

ROOT = Path(__file__).resolve().parents[2]
Cell = tuple[str, ...]

SOUND: list[Cell] = [
    ("import helper, random, os",),
    ("size = 3", "parameters"),
    (
        "random.seed(size)\nclass Model:\n    def __init__(self): self.weights = []\n"
        "model = Model()\nother = model\ndraws = [random.random() for _ in range(size)]\n"
        "print(os.getcwd())",
        "step:load",
    ),
    (
        "model.weights.append(helper.double(random.random()))\nother.name = 'x'\n"
        "with open('weights.txt', 'a') as file: print(model.weights, file=file)\nmodel.weights",
        "step:train",
    ),
    ("print(model is other, open('weights.txt').read(), random.random())", "step:score"),
]
# Only one kernel can give the same number twice, whatever is carried between kernels.
SPLIT: list[Cell] = [
    ("import os",),
    ("me = os.getpid()\nsteady = 1", "step:first"),
    ("same = [os.getpid() == me]", "step:second"),
    ("print('done')", "step:third"),
]


class Place:
    """A folder with a notebook, and what was told while it ran."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder / "work", store
        self.folder.mkdir()
        self.told: list[str] = []
        (self.folder / "pyproject.toml").write_text("", encoding="utf-8")
        self.write_helper(2)

    def write_helper(self, factor: int) -> None:
        """Write a module of the project."""
        source = f"def double(x): return x * {factor}\n"
        (self.folder / "helper.py").write_text(source, encoding="utf-8")

    def run(self, cells: list[Cell], mode: Any = "always", **options: Any) -> PipelineResult:
        """Run a notebook as a pipeline."""
        built = [new_code_cell(source, list(tags)) for source, *tags in cells]
        path = write_notebook(new_notebook(built), self.folder / "nb.ipynb")
        self.told = []
        return run(
            path,
            out_dir=self.folder / "out",
            store=self.store,
            settings=load_settings(self.folder),
            on_progress=lambda event: self.told.append(str(event)),
            verify=mode,
            **options,
        )

    def verify(self, cells: list[Cell], mode: Any = "always", **options: Any) -> Verification:
        """Run a notebook and give how it compares."""
        result = self.run(cells, mode, **options)
        assert result.status == "finished", result
        assert result.verification is not None
        return result.verification

    def has_compared(self) -> bool:
        """Tell whether the last run has run the notebook as one."""
        return any("the notebook runs as one" in line for line in self.told)


@pytest.fixture
def place(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Give a folder for a notebook."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Place(tmp_path, store)


def change(cells: list[Cell], old: str, new: str) -> list[Cell]:
    """Edit a notebook."""
    return [(cell[0].replace(old, new), *cell[1:]) for cell in cells]


def test_a_sound_pipeline_is_verified(place: Place) -> None:
    """Values, random states, aliases, outputs and files of both runs are the same."""
    verification = place.verify(SOUND, params={"size": 4})
    assert verification == Verification("verified", duration_s=verification.duration_s)
    # The reference run has left nothing: neither in the folder nor in the store.
    lines = (place.folder / "weights.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert list((place.store.root / "boundaries").iterdir()) == []
    runs = place.store.search("", ["attributes.started_at ASC"], 100)
    assert [run.tags.get("mlops.verification") for run in runs] == ["verified"]


def test_a_difference_is_named(place: Place) -> None:
    """The first step, the name, the path and both values are told."""
    verification = place.verify(SPLIT)
    assert verification.is_different
    assert (verification.step, verification.path) == ("second", "same[0]")
    assert (verification.kind, verification.reference, verification.pipeline) == (
        "value",
        "True",
        "False",
    )
    # The number of a process is the notebook's own affair.
    assert verification.unstable == ("me",)
    assert "once more" in "\n".join(place.told)


def test_a_notebook_that_is_never_the_same_is_told_apart(place: Place) -> None:
    """What the notebook itself gives differently each time is no fault of the pipeline."""
    cells: list[Cell] = [
        ("import random",),
        (
            "x = random.random()\nfixed = 1\nprint(x)\n"
            "with open('x.txt', 'w') as file: print(x, file=file)",
            "step:draw",
        ),
        ("y = x + fixed", "step:use"),
        ("z = fixed", "step:end"),
    ]
    verification = place.verify(cells)
    assert verification.status == "partly verified"
    file = str(place.folder / "x.txt")
    assert set(verification.unstable) == {"x", "y", "printed text of cell 1", file}


def test_what_is_the_same_twice_by_chance_is_told_apart(place: Place, tmp_path: Path) -> None:
    """Where the notebook varies, two runs that agree at one place prove nothing of it."""
    count = tmp_path / "outside" / "count"
    count.parent.mkdir()
    cells: list[Cell] = [
        ("import os, time",),
        (
            f"with open({str(count)!r}, 'a') as file: print(file=file)\n"
            f"number = os.path.getsize({str(count)!r})\nside = 'heads' if number in (2, 3) else 'tails'",
            "step:draw",
        ),
        ("print(side)", "step:use"),
        ("z = 1", "step:end"),
    ]
    verification = place.verify(cells)
    assert verification.status == "partly verified"
    assert {"number", "side", "printed text of cell 2"} <= set(verification.unstable)
    assert len(count.read_text(encoding="utf-8")) == 4


def test_outputs_and_files_are_compared(place: Place) -> None:
    """What only a cell's output or a file shows is found as well."""
    shown = change(SPLIT, "print('done')", "print(os.getpid() == me)")
    shown = change(shown, "same = [os.getpid() == me]", "pass")
    verification = place.verify(shown)
    assert verification.is_different
    assert (verification.step, verification.path) == ("third", "printed text of cell 3")
    written = change(shown, "print(os", "open('f.txt', 'w').write(str(os").copy()
    written = change(written, "== me)", "== me) + '.....'[os.getpid() == me:]) and None")
    verification = place.verify(written)
    assert verification.is_different
    assert verification.path == str(place.folder / "f.txt")


def test_a_notebook_that_fails_as_one_is_a_difference(place: Place) -> None:
    """A pipeline may not succeed where its notebook fails."""
    cells = change(SPLIT, "same = [os.getpid() == me]", "assert os.getpid() != me")
    verification = place.verify(cells)
    assert verification.is_different
    assert verification.step == "second"
    assert "AssertionError" in verification.reference


def test_secrets_do_not_show(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference is told without the secret that it holds."""
    monkeypatch.setenv("MY_TOKEN", "tr0ub4dor")
    cells = change(SPLIT, "[os.getpid() == me]", "f'{token}{os.getpid() == me}'")
    cells.insert(1, ("token = ''", "parameters"))
    verification = place.verify(cells, params={"token": "secret:MY_TOKEN"})
    assert verification.is_different
    assert "True" in verification.reference
    assert "tr0ub4dor" not in str(verification)


def test_a_failed_run_is_not_compared(place: Place) -> None:
    """Where a step fails there is nothing to prove."""
    result = place.run([("x = 1", "step:a"), ("1 / 0", "step:b")])
    assert result.status == "failed"
    assert result.verification is None
    assert not place.has_compared()


def test_code_is_verified_once(place: Place) -> None:
    """Later runs do not pay again until a cell, a tag or a module is edited."""
    assert place.verify(SOUND, "once").status == "verified"
    assert place.has_compared()
    again = place.verify(SOUND, "once", params={"size": 3})  # which is the default
    assert again.status == "verified"
    assert again.reason.startswith("as of run ")
    other = place.verify(SOUND, "once", params={"size": 5})
    assert other.status == "not verified"
    assert other.reason.startswith("with these parameters (size); run ")
    assert not other.is_different
    assert not place.has_compared()
    assert place.verify(change(SOUND, "name = 'x'", "name = 'y'"), "once").reason == ""
    assert place.has_compared()
    place.write_helper(3)
    assert place.verify(SOUND, "once").reason == ""
    assert place.has_compared()


def test_other_data_are_not_verified(place: Place) -> None:
    """What was proven for one table is not for another; the same content is the same data."""
    table = place.folder / "table.csv"
    cells: list[Cell] = [
        ("rows = open('table.csv').read().split()", "step:read"),
        ("kept = open('kept.txt', 'w').write(rows[0])", "step:keep"),
        ("print(len(rows), open('kept.txt').read())", "step:count"),
    ]
    table.write_text("a b", encoding="utf-8")
    first = place.verify(cells, "once")
    assert (first.status, first.reason) == ("verified", "")
    table.write_text("a b c", encoding="utf-8")
    other = place.verify(cells, "once")
    assert other.status == "not verified"
    assert "with these data" in other.reason
    assert "table.csv" in other.reason
    assert place.verify(cells).status == "verified"  # asked for, it is remembered as well
    assert place.verify(cells, "once").reason.startswith("as of run ")
    table.write_text("a b", encoding="utf-8")
    assert place.verify(cells, "once").reason.startswith("as of run ")


def test_what_acts_outside_is_not_done_twice_unasked(place: Place) -> None:
    """A program, a connection or a file elsewhere is the user's to repeat."""
    cells: list[Cell] = [
        ("!sh -c true\ndone = _exit_code", "step:call"),
        ("print(done)", "step:end"),
    ]
    verification = place.verify(cells, "once")
    assert verification.status == "not verified"
    assert "step 'call' acts outside" in verification.reason
    assert not place.has_compared()
    assert place.verify(cells, "always").status == "verified"


def test_what_a_link_leads_to_is_not_written_twice_unasked(place: Place, tmp_path: Path) -> None:
    """The copy of a link leads to the same file, to which the notebook adds a line."""
    (tmp_path / "shared").mkdir()
    (place.folder / "shared").symlink_to(tmp_path / "shared")
    cells: list[Cell] = [
        ("open('shared/log.txt', 'a').write('line')", "step:add"),
        ("print('added')", "step:end"),
    ]
    verification = place.verify(cells, "once")
    assert "step 'add' writes" in verification.reason
    assert "through a link" in verification.reason
    assert (tmp_path / "shared" / "log.txt").read_text(encoding="utf-8") == "line"


@pytest.mark.parametrize(
    ("mode", "options", "reason"),
    [
        ("never", {}, "it was not asked for"),
        ("always", {"stop_at": "first"}, "only a part of the steps ran"),
    ],
)
def test_what_is_not_compared_says_why(
    place: Place, mode: str, options: dict[str, Any], reason: str
) -> None:
    """A run that was not compared is not verified, with the reason."""
    verification = place.verify(SPLIT, mode, **options)
    assert (verification.status, verification.reason) == ("not verified", reason)
    assert not verification.is_different


def test_steps_that_share_a_kernel_are_verified(place: Place) -> None:
    """A generator stays in its kernel: there is no boundary there, and the rest is compared."""
    cells: list[Cell] = [
        ("numbers = (n for n in range(5))\nnext(numbers)", "step:a"),
        ("total = next(numbers)", "step:b"),
        ("print(total, sum(numbers))", "step:c"),
    ]
    assert place.verify(cells).status == "verified"


def test_steps_in_several_places_are_verified(place: Place) -> None:
    """Cells of a step that stand apart run in the notebook's order in the reference."""
    cells: list[Cell] = [
        ("x = 1", "step:a"),
        ("y = 5", "step:b"),
        ("z = 2", "step:a"),
        ("print(x, y, z)", "step:c"),
    ]
    assert place.verify(cells).status == "verified"


def test_nan_is_compared_in_every_kind_of_value(place: Place) -> None:
    """Values that hold NaN are loaded as they were written, and NaN is equal to NaN."""
    cells: list[Cell] = [
        ("import os\nme = os.getpid()", "step:a"),
        ("gaps = [float('nan'), os.getpid() == me]", "step:b"),
        ("print(len(gaps))", "step:c"),
    ]
    verification = place.verify(cells)
    assert (verification.path, verification.uncompared) == ("gaps[1]", ())


def test_what_every_step_makes_again_need_not_cross(place: Place) -> None:
    """Imports are run again where they are used, so a step may have one that was deleted."""
    cells: list[Cell] = [
        ("import json, os", "imports"),
        ("x = json.dumps(1)", "step:a"),
        ("del os\ny = x", "step:b"),
        ("print(x, y)", "step:c"),
    ]
    assert place.verify(cells).status == "verified"


def test_random_states_that_are_never_fixed_say_nothing(place: Place) -> None:
    """Where a notebook seeds in no run of its own, what it draws tells, and else nothing does."""
    cells: list[Cell] = [
        ("import random\nif __name__ == 'never':\n    random.seed(1)\nx = 1", "step:a"),
        ("y = x", "step:b"),
    ]
    assert place.verify(cells) == Verification("verified", duration_s=ANY)


def test_cached_results_are_compared_too(place: Place) -> None:
    """What is taken from the cache must still be what the notebook gives."""
    first = place.verify(SPLIT)
    assert json.dumps(first.path) == '"same[0]"'
    again = place.run(SPLIT)
    assert again.verification is not None
    assert again.verification.is_different
