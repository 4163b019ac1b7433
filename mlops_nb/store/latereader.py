"""Which runs may be added to after their end, or by other processes, as the index knows it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.store.dialect import Link
from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.late import RUN_ID_LENGTH, list_names, read_announced
from mlops_nb.store.latejournal import list_journals, read_journal
from mlops_nb.store.looked import read_looked, stamp_folder, write_looked

# Of a journal the index holds how far it was read; this of one that nobody writes any more.
_JOURNAL, _ENDED = "late/", -1


@dataclass(slots=True)
class _News:
    """What was found of late writers, and what of it the index does not hold yet.

    In the table of late writers stand the announcements, to know them again, and, as
    ``JOURNAL:RUN``, the runs that a journal says to be open.
    """

    known_open: dict[str, str]  # run by name in the table
    open_now: dict[str, bool | None] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    rows: dict[str, tuple[str, int]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    looked: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, run_id: str, is_open: bool | None, *, is_kept: bool) -> None:
        """Take into account who may write, surely or for all that is known, or not any more."""
        was_open = name in self.known_open
        if is_open is not False:
            self.open_now[run_id] = True if self.open_now.get(run_id) else is_open
            if not was_open:
                self.rows[name] = run_id, 1
        elif is_kept:
            self.rows[name] = run_id, 0
        elif was_open:
            self.gone.append(name)
        if was_open != (is_open is not False):
            self.touched.add(run_id)


def take_late(link: Link, root: Path) -> dict[str, bool | None]:
    """Note who adds to runs that have ended.

    Parameters
    ----------
    link
        To the index.
    root
        The store's folder.

    Returns
    -------
    dict
        Runs that may be added to, though they have ended or whoever began them is gone: True where
        that process lives, None where this cannot be told from here.
    """
    looked = read_looked(link)
    changed, trusted = stamp_folder(root / "late")
    sql = "SELECT name, run_id FROM late WHERE is_open = 1"
    news = _News(dict(link.execute(sql).fetchall()))
    places = {
        name.removeprefix(_JOURNAL): at for name, at in looked.items() if name.startswith(_JOURNAL)
    }
    announced = [name for name in news.known_open if ":" not in name]
    if looked.get("late") != changed:
        names = list_names(root)
        known = {name for (name,) in link.execute("SELECT name FROM late").fetchall()}
        announced += [name for name in names if RUN_ID.match(name) and name not in known]
        journals = list_journals(names)
        news.looked |= dict.fromkeys(places.keys() - set(journals), _ENDED)
        places = {name: places.get(name, 0) for name in journals}
    for name in announced:
        run_id = name[:RUN_ID_LENGTH]
        news.take(name, run_id, read_announced(root, name).is_open, is_kept=True)
        if name not in news.known_open:
            news.touched.add(run_id)
    for name, start in places.items():
        if start != _ENDED:
            _look_at_journal(root / "late" / name, start, news)
    if news.rows or news.touched or news.gone or news.looked or looked.get("late", -1) != trusted:
        with link.transaction():
            _write(link, news)
            write_looked(link, "late", trusted)
    return news.open_now


def _look_at_journal(path: Path, start: int, news: _News) -> None:
    """Look at what a journal says that is new."""
    part = read_journal(path, start)
    head = f"{path.name}:"
    is_open = {run: True for name, run in news.known_open.items() if name.startswith(head)}
    is_open.update(part.changes)  # of a run that is named twice the later word counts
    # A run that was opened and closed again has new values all the same.
    news.touched.update(run_id for run_id, _ in part.changes)
    for run_id, is_now in is_open.items():
        news.take(head + run_id, run_id, part.is_alive if is_now else False, is_kept=False)
    end = _ENDED if part.is_alive is False else part.end
    if end != start:
        news.looked[path.name] = end


def _write(link: Link, news: _News) -> None:
    """Bring the tables up to date, within a transaction of the caller."""
    rows = [(name, *row) for name, row in news.rows.items()]
    link.upsert("late", ("name", "run_id", "is_open"), 1, rows)
    link.execute_many("DELETE FROM late WHERE name = ?", [(name,) for name in news.gone])
    # Another evidence than any: who looked at the run before cannot write down what it saw.
    evidence = f"late {time.time_ns()} {os.getpid()}"
    sql = "UPDATE run SET is_settled = 0, evidence = ? WHERE run_id = ?"
    link.execute_many(sql, [(evidence, run_id) for run_id in news.touched])
    for name, at in news.looked.items():
        write_looked(link, _JOURNAL + name, at)
