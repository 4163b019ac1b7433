"""Tab completion of ``%mlops``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb.kernel.completion import complete_line

Run = Callable[..., Any]


def complete(shell: Any, text: str) -> list[str]:
    """Complete a text as a front end asks for it."""
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(text)))
    return [text[: each.start] + each.text for each in found]


@pytest.mark.parametrize("use_jedi", [True, False])
def test_commands_are_completed(loaded: Run, shell: Any, use_jedi: bool) -> None:
    """Only our own completions are offered, with jedi and without."""
    shell.Completer.use_jedi = use_jedi
    assert complete(shell, "%mlops sh") == ["%mlops show"]
    assert complete(shell, "%mlops reg") == ["%mlops register"]
    assert "%mlops status" in complete(shell, "%mlops ")
    assert complete(shell, "x = 1\n%mlops mod") == ["x = 1\n%mlops models"]
    assert complete(shell, "%%mlops ") == ["%%mlops run"]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_older_protocol_is_served(loaded: Run, shell: Any) -> None:
    """The completion that terminals ask for knows the commands as well."""
    _, found = shell.complete("sna", "%mlops sna", 10)
    assert "snapshot" in found


def test_options_are_completed(loaded: Run, shell: Any) -> None:
    """Options of the command, and of nothing else."""
    assert complete(shell, "%mlops runs --fi") == ["%mlops runs --filter"]
    assert "%mlops register m --alias" in complete(shell, "%mlops register m --")
    assert complete(shell, "%%mlops run x --exp") == ["%%mlops run x --experiment"]


def test_runs_are_completed(loaded: Run, shell: Any) -> None:
    """Names and ids of runs, for each place that takes a run."""
    run_id = loaded("with mlops.start_run('baseline') as r: pass\nr.run_id").result
    assert complete(shell, "%mlops show base") == ["%mlops show baseline"]
    assert complete(shell, f"%mlops show {run_id[:12]}") == [f"%mlops show {run_id}"]
    assert complete(shell, "%mlops compare latest base") == ["%mlops compare latest baseline"]


def test_models_and_aliases_are_completed(loaded: Run, shell: Any) -> None:
    """Names, versions and aliases of models, also behind an at sign."""
    loaded(
        "from sklearn.linear_model import LinearRegression\n"
        "model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])"
    )
    loaded("%mlops register model --name line --alias champion")
    assert complete(shell, "%mlops serve line@ch") == ["%mlops serve line@champion"]
    assert "%mlops models line" in complete(shell, "%mlops models li")
    assert (
        complete(shell, "%mlops register model --name li")[0] == "%mlops register model --name line"
    )
    assert complete(shell, "%mlops alias line cham") == ["%mlops alias line champion"]


def test_variables_and_notebooks_are_completed(loaded: Run, shell: Any, tmp_path: Any) -> None:
    """Variables of the user's, not modules or IPython's own names; notebooks of the folder."""
    loaded("import os as opal\nopus = 1")
    (tmp_path / "lesson.ipynb").write_text("{}", encoding="utf-8")
    assert complete(shell, "%mlops register op") == ["%mlops register opus"]
    assert complete(shell, "%mlops pipeline les") == ["%mlops pipeline lesson.ipynb"]


@pytest.mark.parametrize(
    "line", ["mlops.", "print('%mlops sh", "%mlopsx sh", "x % mlops", "%mlops"]
)
def test_other_lines_are_left_alone(line: str) -> None:
    """A line that is none of ours is left to the other completers."""
    assert complete_line(line, {}) is None


@pytest.mark.parametrize("line", ["%mlops nope x", "%mlops show 'a b", "%mlops runs --limit 1"])
def test_nothing_fits(line: str) -> None:
    """Where nothing can follow, nothing is offered."""
    found = complete_line(line, {})
    assert found is not None
    assert found[1] == []


def test_failing_source_is_silent(
    loaded: Run, shell: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A store that cannot be read costs the completions, without a traceback at a key press."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr("mlops_nb.api.list_runs", fail)
    complete(shell, "%mlops show ba")
    assert capfd.readouterr().err == ""
