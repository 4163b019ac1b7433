"""The index of runs: can be deleted at any time, and is filled again by whoever reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mlops_nb.records import RunRecord
from mlops_nb.store.dialect import Link, select_in, to_text
from mlops_nb.store.pages import find_page
from mlops_nb.store.refresh import refresh
from mlops_nb.store.rows import load_record
from mlops_nb.store.search import compile_filter, compile_order
from mlops_nb.store.seriesindex import SeriesIndex
from mlops_nb.store.sqlitefile import Place

Answer = TypeVar("Answer")
_DOCUMENTS = "SELECT run, document FROM run_document WHERE run IN"


class RunIndex:
    """Finds runs without reading their logs.

    Parameters
    ----------
    place
        Where the index lies.
    runs
        Folder of the run folders.
    """

    def __init__(self, place: Place, runs: Path) -> None:
        self.place, self.runs = place, runs
        self.series = SeriesIndex(place.connect)

    @property
    def path(self) -> Path:
        """The local file."""
        return self.place.path

    def _ask(self, question: Callable[[Link], Answer]) -> Answer:
        """Refresh and ask."""

        def ask(link: Link) -> Answer:
            refresh(link, self.runs)
            return question(link)

        return self.place.ask(ask)

    def close(self) -> None:
        """Close this thread's connection."""
        self.place.close()

    def rebuild(self) -> None:
        """Throw the index away and fill it again."""
        self.place.clear()
        self.refresh()

    def refresh(self) -> None:
        """Read what was written since the last look."""
        self._ask(lambda _: None)

    def look_again(self) -> None:
        """Look at every run at the next refresh, also at those that were at rest."""
        self.place.ask(lambda link: link.execute("DELETE FROM looked WHERE name = ?", ("all",)))

    def search(
        self, text: str | None, order_by: list[str] | None, limit: int, offset: int
    ) -> list[RunRecord]:
        """Find runs.

        Parameters
        ----------
        text
            Filter expression, see `compile_filter`.
        order_by
            Order expressions, see `compile_order`.
        limit, offset
            How many runs, after how many; a negative limit means all.

        Returns
        -------
        list of RunRecord
            Without their cells.
        """
        order = compile_order(order_by)

        def find(link: Link) -> list[RunRecord]:
            where = compile_filter(text, link.words)
            with link.snapshot():
                found = find_page(link, where, order, limit, offset)
                documents = dict(select_in(link, _DOCUMENTS, found))
            return [load_record(documents[run]) for run in found]

        return self._ask(find)

    def read(self, run_id: str) -> RunRecord | None:
        """Give one run as of now; None where there is none of that id, or no index can be used."""
        sql = "SELECT document FROM run JOIN run_document ON run = id WHERE run_id = ?"
        try:
            row = self._ask(lambda link: link.execute(sql, (run_id,)).fetchone())
        except sqlite3.Error:
            return None
        return load_record(row[0]) if row else None

    def count(self, text: str | None = None) -> int:
        """Count the runs that a filter keeps."""

        def count(link: Link) -> int:
            where = compile_filter(text, link.words)
            sql = f"SELECT count(*) FROM run WHERE {where.sql}"  # noqa: S608 - fixed words
            return int(link.execute(sql, where.values).fetchone()[0])

        return self._ask(count)

    def names(self) -> list[tuple[str, str]]:
        """Give ``(run_id, name)`` of every run, newest first."""
        sql = "SELECT run_id, name FROM run ORDER BY started_at DESC, run_id DESC"
        return self._ask(lambda link: link.execute(sql).fetchall())

    def find(self, text: str) -> list[str]:
        """Find the runs that a person may mean.

        Parameters
        ----------
        text
            A name, ``latest``, or (4 characters or more) the beginning or end of an id.

        Returns
        -------
        list of str
            Ids, newest first: one where a name fits, every one where parts of ids do.
        """
        # All words are fixed; what a person wrote travels as a placeholder.
        newest = "ORDER BY started_at DESC, run_id DESC"
        text = to_text(text)
        exact = (f"SELECT run_id FROM run WHERE name = ? {newest} LIMIT 1", (text,))  # noqa: S608
        latest = (f"SELECT run_id FROM run {newest} LIMIT 1", ())  # noqa: S608
        part = text.lower().replace("%", "").replace("_", "")

        def find(link: Link) -> list[str]:
            ends = link.words.like("run_id", negated=False)
            parts = (
                "SELECT run_id FROM run WHERE (run_id >= ? AND run_id < ?)"  # noqa: S608
                f" OR {ends} {newest}",
                (part, part + "g", f"%{part}"),
            )
            for sql, values in (exact, latest) if text == "latest" else (exact,):
                found = link.execute(sql, values).fetchall()
                if found:
                    return [found[0][0]]
            if len(text) < 4 or part != text.lower():
                return []
            return [run_id for (run_id,) in link.execute(*parts)]

        return self._ask(find)
