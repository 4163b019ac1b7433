"""Addresses of remotes and names of parts: exactly the right ones are taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlops_nb.errors import InvalidValueError, MissingPackageError, RemoteError
from mlops_nb.store import Store
from mlops_nb.store.remote import Remote, show_url
from mlops_nb.store.segments import (
    LONGEST_PART_BYTES,
    Segment,
    covered_to,
    is_whole,
    parse_segment,
)
from tests.store.remoting import (
    files_of,
    pull,
    push,
)


@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", "http://host/x", "s3://", "s3://user:secret@bucket/x", "s3://bucket/x?token=secret",
        "s3://bucket/../x", "s3://bucket//x", "file://host/x", "file:relative", "az://c/x#secret",
        "s3://[", "gs://bucket/a\nb",
    ],
)  # fmt: skip
def test_wrong_addresses_are_refused(wrong: str) -> None:
    """An address of another form is refused, and what may be secret in it is not repeated."""
    with pytest.raises(InvalidValueError, match="remote is") as told:
        Remote(wrong)
    assert "secret" not in str(told.value)
    assert "secret" not in show_url(wrong)


def test_nothing_there_is_said(other: Store, tmp_path: Path) -> None:
    """A pull from where nothing was pushed, or from another format, says so."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(RemoteError, match="nothing was pushed there"):
        pull(other, (tmp_path / "empty").as_uri())
    (tmp_path / "empty" / "remote.json").write_text('{"format": 9}')
    with pytest.raises(RemoteError, match="format 9"):
        pull(other, (tmp_path / "empty").as_uri())
    with pytest.raises(RemoteError):
        pull(other, (tmp_path / "missing").as_uri())
    assert not (tmp_path / "missing").exists()


def test_a_store_is_no_remote(store: Store, other: Store) -> None:
    """A folder that holds a store is not made a remote as well."""
    before = files_of(other.root)
    with pytest.raises(RemoteError, match="it is a store"):
        push(store, other.root.as_uri())
    assert files_of(other.root) == before


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Without obstore the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingPackageError, match=r"mlops-nb\[remote\]"):
        Remote(url)


def test_parts_cover_a_file_without_gaps() -> None:
    """Parts may overlap; a gap, or a part after the end of a file, counts for nothing."""
    zero = "0" * 64
    assert covered_to([]) == 0
    assert covered_to([Segment(0, 5, zero), Segment(3, 9, zero)]) == 9
    assert covered_to([Segment(0, 5, zero), Segment(6, 9, zero)]) == 5
    assert is_whole([Segment(0, 5, zero), Segment(5, 9, zero, is_last=True)])
    assert not is_whole([Segment(0, 4, zero), Segment(5, 9, zero, is_last=True)])
    assert is_whole([Segment(0, 0, zero, is_last=True)])


@pytest.mark.parametrize(
    "name",
    [
        "", "0-1-" + "0" * 64, f"{5:015d}-{5:015d}-{'0' * 64}", f"{6:015d}-{5:015d}-{'0' * 64}",
        f"{0:015d}-{LONGEST_PART_BYTES + 1:015d}-{'0' * 64}", f"{0:015d}-{5:015d}-{'G' * 64}",
        f"{0:015d}-{5:015d}-{'0' * 64}.end\n", f"{0:015d}-{5:015d}-{'0' * 64}.END",
    ],
)  # fmt: skip
def test_names_of_parts_are_exact(name: str) -> None:
    """What is not exactly the name of a part is none."""
    assert parse_segment(name) is None
    good = Segment(3, 9, "a" * 64, is_last=True)
    assert parse_segment(good.name) == good
