"""Seeds that cells set, flags of determinism and warnings stand with the runs they are about."""

from __future__ import annotations

import warnings

import pytest

from mlops_nb import autolog
from mlops_nb.autolog.circumstances import find_seeds
from tests.autolog.conftest import Notebook


def test_seeds_of_this_and_earlier_cells(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run names the seeds that were set before it, by number or by name, and the hash seed."""
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    notebook.run("import random\nSEED = 42\nrng2 = np.random.default_rng(SEED)")
    notebook.run(
        "state = random.getstate(); random.seed(3)\nmodel = LogisticRegression().fit(X, y)"
    )
    notebook.run("random.setstate(state)")
    [run] = notebook.runs()
    found = {key: text for key, text in run.tags.items() if key.startswith(("seed.set.", "det"))}
    assert found == {
        "seed.set.np.random.default_rng": "42",
        "seed.set.random.seed": "3",
        "determinism.PYTHONHASHSEED": "7",
    }


@pytest.mark.parametrize(
    "source", ["%matplotlib\nseed(1)", "seed()", "seed(object())", "x['seed'](1)", "(" * 500]
)
def test_what_cannot_be_told_is_left_out(source: str) -> None:
    """Magics, unknown arguments and broken sources give no seed and no error."""
    assert find_seeds(source, {}) == {}


def test_warnings_are_counted_and_shown_as_before(notebook: Notebook) -> None:
    """A run counts warnings by category with the first text; those before it are not its own."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        notebook.run(
            "import warnings\nwarnings.warn('too early')\n"
            "model = LogisticRegression().fit(X, y)\n"
            "for number in range(3): warnings.warn(f'number {number}', RuntimeWarning)\n"
        )
    assert [str(each.message) for each in shown] == [
        "too early",
        "number 0",
        "number 1",
        "number 2",
    ]
    [run] = notebook.runs()
    found = {key: text for key, text in run.tags.items() if key.startswith("warnings.")}
    assert found == {"warnings.RuntimeWarning": "3: number 0"}


def test_disarming_restores_the_way_of_warnings(unarmed: Notebook) -> None:
    """After disarming the function that shows warnings is the very one it was."""
    before = vars(warnings)["_showwarnmsg"]
    autolog.arm(unarmed.session)
    assert vars(warnings)["_showwarnmsg"] is not before
    autolog.disarm()
    assert vars(warnings)["_showwarnmsg"] is before
