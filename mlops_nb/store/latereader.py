"""Which runs other processes than those that began them may add to, as the index knows it."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.store.dialect import Link
from mlops_nb.store.late import RUN_ID_LENGTH, list_announced, read_announced
from mlops_nb.store.looked import read_looked, stamp_folder, write_looked


def take_late(link: Link, root: Path) -> dict[str, bool | None]:
    """Give the runs that processes other than their first writers may add to."""
    looked = read_looked(link)
    changed, trusted = stamp_folder(root / "late")
    known = dict(link.execute("SELECT name, is_open FROM late").fetchall())
    fresh: list[str] = []
    if looked.get("late") != changed:
        fresh = [name for name in list_announced(root) if name not in known]
    names = [*fresh, *(name for name, is_open in known.items() if is_open)]
    found = {name: read_announced(root, name).is_alive for name in names}
    ended = [name for name in names if found[name] is False]
    if fresh or ended or looked.get("late", -1) != trusted:
        with link.transaction():
            rows = [(name, name[:RUN_ID_LENGTH], int(found[name] is not False)) for name in names]
            link.upsert("late", ("name", "run_id", "is_open"), 1, rows)
            sql = "UPDATE run SET is_settled = 0 WHERE run_id = ?"
            link.execute_many(sql, [(name[:RUN_ID_LENGTH],) for name in names])
            write_looked(link, "late", trusted)
    still: dict[str, bool | None] = {}
    for name, is_alive in found.items():
        if is_alive is not False:
            run_id = name[:RUN_ID_LENGTH]
            still[run_id] = True if still.get(run_id) else is_alive
    return still
