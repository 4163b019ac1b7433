"""The end of what a cell prints stays with its runs: bounded, readable, without secrets."""

from __future__ import annotations

import pytest

from mlops_nb.autolog.output import describe_output, hide_secrets, keep_output, read_tail
from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import open_session


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["a\n", "b", "\n"], "a\nb"),
        (["\r 1%|", "\r 50%|", "\r100%|###| 3/3", "\n", "done\n"], "100%|###| 3/3\ndone"),
        (["\r100%|###|", "\r", "      \r", "next\n"], "next"),
        (["\x1b[31mred\x1b[0m \x1b[2K\n"], "red"),
        (["win\r\nlines\r\n"], "win\nlines"),
        ([], ""),
    ],
)
def test_text_is_what_a_terminal_shows(parts: list[str], text: str) -> None:
    """Frames of a bar are written over one another; colours are left out."""
    assert read_tail(parts, 1000) == text


def test_only_the_end_is_kept_in_whole_lines() -> None:
    """Of a long output the last lines are kept, none of them cut."""
    text = read_tail([f"line {i}\n" for i in range(10_000)], 1000)
    assert text.endswith("line 9999")
    assert 900 < len(text) <= 1000
    assert text.splitlines()[0].startswith("line 99")
    assert len(read_tail(["x" * 10_000], 1000)) == 1000


def test_a_million_frames_are_one_line() -> None:
    """A bar that was drawn a million times leaves its last frame."""
    parts = [f"\r{i:7d}/1000000" for i in range(1_000_000)]
    assert read_tail(parts, 1000) == " 999999/1000000"


def test_secrets_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of telling variables, passwords in addresses and after telling words are hidden."""
    monkeypatch.setenv("MY_API_TOKEN", "tok-5f8a1c9e77")
    monkeypatch.setenv("MY_HOST", "db.example.org")
    text = (
        "using tok-5f8a1c9e77 on db.example.org\n"
        "postgresql://anna:hunter22@db/x\npassword='swordfish1'\nloss 0.25"
    )
    hidden = hide_secrets(text)
    for secret in ("tok-5f8a1c9e77", "hunter22", "swordfish1"):
        assert secret not in hidden
    assert "using [MY_API_TOKEN] on db.example.org" in hidden
    assert hidden.endswith("\nloss 0.25")


@pytest.mark.parametrize("size", [0, 2])
def test_every_run_of_the_cell_has_it(store: Store, size: int) -> None:
    """What was printed is a file of each run of the cell, where the setting does not say none."""
    session = open_session(store, load_settings(output_kb=size))
    index = session.begin_cell("...")
    runs = [session.start_run("a"), session.start_run("b", nested=True)]
    keep_output(session, ["epoch 1\n", "\n"])
    session.end_cell(index)
    for run in runs:
        kept = store.read_run(run.run_id).artifacts
        assert [each.path for each in kept] == (["cell-0-output.txt"] if size else [])
        if kept:
            assert store.objects.read_bytes(kept[0].digest) == b"epoch 1\n"


def test_state_tells_why_output_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An IPython that keeps no output, a script and the setting are told apart."""
    import IPython
    from IPython.core import history

    session = open_session(store, load_settings())
    monkeypatch.setattr(history, "HistoryOutput", object, raising=False)
    assert describe_output(session) == (
        "printed output",
        "armed",
        f"IPython {IPython.__version__}",
    )
    monkeypatch.delattr(history, "HistoryOutput")
    state, reason = describe_output(session)[1:]
    assert (state, "9.1" in reason) == ("not armed", True)
    session.is_script = True
    assert describe_output(session)[1:] == ("not armed", "only of notebooks")
    assert describe_output(open_session(store, load_settings(output_kb=0)))[1] == "off"
