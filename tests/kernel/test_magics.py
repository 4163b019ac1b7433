"""``%mlops``: what the commands do and show, and how they say no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import (
    InvalidValueError,
    ModelNotFoundError,
    NotFoundError,
    RunNotFoundError,
    UsageError,
)
from mlops_nb.kernel.commands import NAMES, make_parser
from mlops_nb.kernel.parsing import split_words
from mlops_nb.kernel.tables import Table
from mlops_nb.tracking import current_session

Run = Callable[..., Any]


@pytest.fixture
def two_runs(loaded: Run) -> Run:
    """Two finished runs: first (acc 0.5) and second (acc 0.75)."""
    for name, acc, rate in (("first", 0.5, 0.1), ("second", 0.75, 0.2)):
        loaded(
            f"with mlops.start_run({name!r}):\n"
            f"    mlops.log_metric('acc', {acc}); mlops.log_param('rate', {rate})"
        )
    session = current_session()
    assert session is not None
    assert session.background is not None
    session.background.join()  # else a run may get its environment while it is compared
    return loaded


def test_runs_are_listed(two_runs: Run) -> None:
    """The table has the newest run first, with its metrics."""
    table = two_runs("%mlops runs").result
    assert isinstance(table, Table)
    assert table.columns[:3] == ("run", "name", "status")
    assert [row[1] for row in table.rows] == ["second", "first"]
    assert [row[-1] for row in table.rows] == [0.75, 0.5]
    assert table.to_dataframe()["acc"].tolist() == [0.75, 0.5]


def test_pipelines_are_listed_with_their_proof(loaded: Run) -> None:
    """Of a pipeline the status says whether it was verified."""
    loaded("with mlops.start_run('pipe', tags={'mlops.verification': 'not verified'}):\n    pass")
    assert loaded("%mlops runs").result.rows[0][2] == "finished, not verified"
    assert "finished, not verified" in repr(loaded("%mlops show pipe").result)


def test_runs_are_filtered_and_ordered(two_runs: Run) -> None:
    """Filter, order and limit reach the search."""
    table = two_runs('%mlops runs --filter "metrics.acc > 0.6"').result
    assert [row[1] for row in table.rows] == ["second"]
    table = two_runs('%mlops runs --order-by "metrics.acc ASC" --limit 1').result
    assert [row[1] for row in table.rows] == ["first"]


def test_runs_come_as_a_frame(two_runs: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """With --frame the runs are shown as the DataFrame of search_runs."""
    assert two_runs("%mlops runs --frame").success
    assert "tags.mlflow.runName" in capfd.readouterr().out


def test_run_is_shown(two_runs: Run) -> None:
    """All groups of a run stand in text and HTML."""
    shown = two_runs("%mlops show first").result
    bundle = shown._repr_mimebundle_()
    for form in ("text/plain", "text/html"):
        assert "rate" in bundle[form]
        assert "0.5" in bundle[form]
        assert "%load_ext mlops_nb" in bundle[form]


def test_result_in_the_middle_of_a_cell_is_shown(
    two_runs: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table is seen wherever in the cell the magic stands, once."""
    capfd.readouterr()
    two_runs("%mlops runs\nx = 1")
    assert capfd.readouterr().out.count("second") == 1
    two_runs("x = 1\n%mlops runs")
    assert capfd.readouterr().out.count("second") == 1
    two_runs("held = %mlops runs")
    assert capfd.readouterr().out.count("second") == 1
    assert len(two_runs("held").result) == 2


def test_runs_are_compared(two_runs: Run) -> None:
    """Only what differs is listed; with --all the rest as well."""
    table = two_runs("%mlops compare first second").result
    assert {(row[1], row[2], row[3]) for row in table.rows if row[0] in {"metric", "param"}} == {
        ("acc", 0.5, 0.75),
        ("rate", 0.1, 0.2),
    }
    assert len(two_runs("%mlops compare first first").result) == 0
    assert len(two_runs("%mlops compare first first --all").result) > 0
    refused = two_runs("%mlops compare first --previous").error_in_exec
    assert isinstance(refused, InvalidValueError)  # it is the first of its name


def test_values_are_logged(loaded: Run) -> None:
    """Metrics take numbers and variables, params take literals, tags take text."""
    loaded("score = 0.25")
    loaded("run = mlops.start_run('logged')")
    loaded(
        "%mlops log acc=0.93 f1=score --step 4 --param layers=[1,2] --param kind=rf --tag team=a=b"
    )
    loaded("mlops.end_run()")
    run = api.get_run("logged")
    assert run.metrics == {"acc": 0.93, "f1": 0.25}
    assert run.params == {"layers": [1, 2], "kind": "rf"}
    assert run.tags["team"] == "a=b"
    assert [point.step for point in api.get_metric_history("logged", "acc")] == [4]


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("regster model", NotFoundError, "'register'"),
        ("show nope", RunNotFoundError, "'nope'"),
        ("show", UsageError, "RUN"),
        ("show a --all", UsageError, "--all"),
        ("show 'a", UsageError, "Close the quote"),
        ("compare first", RunNotFoundError, "'first'"),
        ("log", UsageError, "nothing to log"),
        ("log acc", UsageError, "'acc'"),
        ("log acc=high", InvalidValueError, "'high'"),
        ("log acc=True_ --step x", UsageError, "--step"),
        ("runs --limit many", UsageError, "'many'"),
        ("register modle --name m", NotFoundError, "'model_a'"),
        ("register model_a.best --name m", NotFoundError, "'best'"),
        ("register model_a", UsageError, "--name"),
        ("models nope", ModelNotFoundError, "'nope'"),
        ("alias nope champion 1", ModelNotFoundError, "'nope'"),
        ("alias nope champion first", UsageError, "'first'"),
        ("serve nope@champion", ModelNotFoundError, "'nope'"),
        ("serve m --port 70000", UsageError, "70000"),
        ("serve m --stop", NotFoundError, "'m'"),
        ("autolog perhaps", UsageError, "'perhaps'"),
        ("help nope", NotFoundError, "'nope'"),
        ("snapshot nope", NotFoundError, "'nope'"),
        ("pipeline", UsageError, "which notebook"),
        ("export", UsageError, "which notebook"),
    ],
)
def test_wrong_use_is_told_in_two_lines(
    loaded: Run,
    capfd: pytest.CaptureFixture[str],
    line: str,
    kind: type[Exception],
    words: str,
) -> None:
    """A wrong command fails its cell with at most two lines that name the value."""
    loaded("model_a = 1")
    capfd.readouterr()
    result = loaded(f"%mlops {line}")
    assert type(result.error_in_exec) is kind
    shown = capfd.readouterr().out.strip()
    assert len(shown.splitlines()) <= 2
    assert shown.startswith(kind.__name__)
    assert words in shown
    assert "Traceback" not in shown


def test_error_names_the_line_of_the_cell(loaded: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """In a longer cell, the line that failed is named, from a magic and from Python."""
    loaded("x = 1\n%mlops show nope")
    assert "(line 2 of the cell)" in capfd.readouterr().out
    loaded("x = 1\n\nmlops.set_alias('nope', 'a', 1)")
    assert "(line 3 of the cell)" in capfd.readouterr().out


def test_failing_magic_stops_its_cell(loaded: Run) -> None:
    """What stands after a failed command is not run: a notebook run in CI fails there."""
    loaded("reached = False\n%mlops show nope\nreached = True")
    assert loaded("reached").result is False


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(loaded: Run, name: str) -> None:
    """Help of each command names all of its arguments, by both ways of asking."""
    text = str(loaded(f"%mlops help {name}").result)
    assert text.startswith(f"usage: %mlops {name}")
    assert str(loaded(f"%mlops {name} --help").result) == text


def test_help_lists_every_command(loaded: Run, shell: Any) -> None:
    """``%mlops``, ``%mlops help`` and ``%mlops?`` list all commands."""
    for text in (
        str(loaded("%mlops").result),
        str(loaded("%mlops help").result),
        shell.find_line_magic("mlops").__doc__,
    ):
        assert all(f"  {name} " in text for name in NAMES)


def test_words_are_split_as_a_shell_does() -> None:
    """Quotes keep blanks together, and a number sign is nothing special."""
    assert split_words("%mlops", "a 'b c' \"d e\" f#g") == ["a", "b c", "d e", "f#g"]


def test_cell_magic_groups_a_cell(loaded: Run) -> None:
    """A cell under %%mlops run is one run: its value is shown and its names stay."""
    source = "%%mlops run grouped --tag kind=test\nkept = 5\nmlops.log_metric('z', kept)\nkept + 1"
    result = loaded(source)
    assert result.success
    assert loaded("_").result == 6
    assert loaded("kept").result == 5
    run = api.get_run("grouped")
    assert (run.status, run.metrics, run.tags["kind"]) == ("finished", {"z": 5.0}, "test")


def test_cell_magic_runs_magics_and_defines_functions(loaded: Run) -> None:
    """The grouped cell may hold magics and definitions as any other cell."""
    loaded("%%mlops run grouped\n%mlops log q=1\ndef double(x):\n    return x * 2")
    assert loaded("double(4)").result == 8
    assert api.get_run("grouped").metrics == {"q": 1.0}


def test_failing_grouped_cell_fails_its_run(loaded: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """The run is failed, the cell raises the user's error, and its line is shown."""
    result = loaded("%%mlops run grouped\nx = 1\nx / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert api.get_run("grouped").status == "failed"
    shown = capfd.readouterr().out
    assert "x / 0" in shown
    assert "_execute" not in shown


def test_grouped_cell_with_a_mistake_starts_no_run(loaded: Run) -> None:
    """A cell that cannot be compiled, or awaits, is refused before a run is started."""
    assert isinstance(loaded("%%mlops run grouped\nx = = 1").error_in_exec, SyntaxError)
    failed = loaded("%%mlops run grouped\nimport asyncio\nawait asyncio.sleep(0)").error_in_exec
    assert isinstance(failed, UsageError)
    assert api.list_runs() == []


def test_other_commands_take_no_cell(loaded: Run) -> None:
    """A cell under a command that takes none is refused."""
    assert isinstance(loaded("%%mlops runs\nx = 1").error_in_exec, UsageError)


def test_parsers_never_end_the_process() -> None:
    """Whatever argparse decides, it raises an error of ours."""
    with pytest.raises(UsageError):
        make_parser("show").exit(2, "gone")


def test_data_are_kept(loaded: Run) -> None:
    """%mlops snapshot keeps the data in a variable under its name."""
    loaded("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})")
    facts = dict(loaded("%mlops snapshot frame").result.rows)
    assert facts["name"] == "frame"
    assert facts["kind"] == "frame"


def test_environment_is_shown(loaded: Run) -> None:
    """%mlops env names the digest, and lists distributions when asked."""
    facts = dict(loaded("%mlops env").result.rows)
    assert len(facts["digest"]) >= 32
    packages = dict(loaded("%mlops env --packages").result.rows)
    assert "ipython" in {str(name).lower() for name in packages}


def test_status_tells_where_runs_are_kept(loaded: Run, tmp_path: Any) -> None:
    """%mlops status names the store and that cells are recorded."""
    facts = dict(loaded("%mlops status").result.rows)
    assert facts["store"] == str(tmp_path / "store")
    assert facts["recording"] is True


def test_autolog_is_switched(loaded: Run) -> None:
    """%mlops autolog off and on say what they did; the status lists the libraries."""
    assert "off" in str(loaded("%mlops autolog off").result)
    assert "on" in str(loaded("%mlops autolog on").result)
    assert loaded("%mlops autolog").success


def test_model_is_registered_and_named(loaded: Run) -> None:
    """The issue's own line: register a variable under a name and an alias."""
    loaded(
        "from sklearn.datasets import load_iris\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "X, y = load_iris(return_X_y=True)\n"
        "model = LogisticRegression(max_iter=200).fit(X, y)"
    )
    table = loaded("%mlops register model --name iris --alias champion").result
    assert [row[:3] for row in table.rows] == [("iris", 1, "champion")]
    loaded("holder = type('Holder', (), {'best': model})()")
    assert loaded("%mlops register holder.best --name iris").result.rows[0][1] == 2
    loaded("%mlops alias iris champion 2")
    assert api.get_model("iris@champion").version == 2
    assert len(loaded("%mlops models iris").result) == 2
    assert len(loaded("%mlops models").result) == 2


def test_autolog_of_one_library(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library is switched off and on by its name; the table says which are off, and how back."""
    monkeypatch.setattr("mlops_nb.autolog.arming._switched", {})
    monkeypatch.delenv("MLOPS_NB_RESOURCES")
    run("%load_ext mlops_nb")
    assert "of torch, files is off" in repr(run("%mlops autolog off torch files").result)
    rows = {name: (state, why) for name, state, why in run("%mlops autolog").result.rows}
    assert rows["torch checkpoints"] == ("off", "%mlops autolog on torch")
    assert rows["files"][0] == "off"
    assert rows["resource use"] == ("armed", "every 5 s")
    assert rows["progress"] == ("armed", "")
    run("%mlops autolog on torch files")
    rows = {name: (state, why) for name, state, why in run("%mlops autolog").result.rows}
    assert rows["files"][0] == "armed"
    with pytest.raises(NotFoundError, match="no library 'nope'"):
        run("%mlops autolog off nope").raise_error()
    with pytest.raises(UsageError, match="say on or off"):
        run("%mlops autolog status torch").raise_error()
