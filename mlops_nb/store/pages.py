"""Finds the runs of one page by whichever index leads to them soonest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_nb.store.conditions import Query
from mlops_nb.store.dialect import Link
from mlops_nb.store.search import Order

# A filter that keeps fewer runs than this is where to begin: they are all looked at and sorted.
FEW_RUNS = 2000
_MOST = 1 << 40


def find_page(link: Link, where: Query, order: Order, limit: int, offset: int) -> list[int]:
    """Find the runs of one page.

    Parameters
    ----------
    link
        To the index.
    where, order
        What `compile_filter` and `compile_order` gave.
    limit, offset
        How many runs, after how many; a negative limit means all.

    Returns
    -------
    list of int
        Numbers of runs within the index, in order.
    """
    # Databases differ on what a negative limit means, and on numbers that do not fit.
    limit, offset = _MOST if limit < 0 else min(limit, _MOST), min(offset, _MOST)
    narrow = _find_narrow(link, where)
    if narrow is None and order.metric is not None and limit < _MOST:
        return _walk_metric(link, where, order, limit, offset)
    # All pieces are made of fixed words by the compiler; every value is a placeholder.
    runs, values = "run", list(where.values)
    if narrow is not None:
        # CROSS JOIN: the few lead. Left to choose, SQLite walks along all runs in order.
        few = f"SELECT DISTINCT run FROM ({narrow[0]}) AS source"  # noqa: S608
        runs = f"({few}) AS few CROSS JOIN run"
        values = [*narrow[1], *values]
    sql = f"SELECT run.id FROM {runs} WHERE {where.sql}"  # noqa: S608
    if narrow is not None:
        sql += " AND run.id = few.run"
    sql += f" ORDER BY {order.sql} LIMIT ? OFFSET ?"
    return _fetch(link, sql, (*values, *order.values, limit, offset))


def _fetch(link: Link, sql: str, values: Sequence[Any]) -> list[int]:
    return [run for (run,) in link.execute(sql, values)]


def _find_narrow(link: Link, where: Query) -> tuple[str, tuple[Any, ...]] | None:
    """Give the condition that keeps the fewest runs, if those are few."""
    best, fewest = None, FEW_RUNS
    for part in where.parts or (where,):
        if part.source is None:
            continue
        sql, values = part.source
        counting = f"SELECT count(*) FROM ({sql} LIMIT ?) AS found"  # noqa: S608 - see find_page
        (count,) = link.execute(counting, (*values, fewest)).fetchone()
        if count < fewest:
            best, fewest = part.source, count
    return best


def _walk_metric(link: Link, where: Query, order: Order, limit: int, offset: int) -> list[int]:
    """Walk along the values of the metric that leads the order, then along runs without it."""
    direction = "DESC" if order.is_descending else "ASC"
    # CROSS JOIN: the values lead, the run is looked up.
    present = (
        "FROM metric o CROSS JOIN run"
        f" WHERE run.id = o.run AND o.key = ? AND o.value IS NOT NULL AND {where.sql}"
    )
    sql = f"SELECT run.id {present} ORDER BY o.value {direction}, {order.rest.sql} LIMIT ? OFFSET ?"
    values = (order.metric, *where.values)
    found = _fetch(link, sql, (*values, *order.rest.values, limit, offset))
    if len(found) == limit:
        return found
    (count,) = link.execute(f"SELECT count(*) {present}", values).fetchone()
    sql = (
        f"SELECT run.id FROM run WHERE {where.sql} AND NOT EXISTS (SELECT 1 FROM metric o"  # noqa: S608
        " WHERE o.key = ? AND o.run = run.id AND +o.value IS NOT NULL)"
        f" ORDER BY {order.rest.sql} LIMIT ? OFFSET ?"
    )
    values = (*where.values, order.metric, *order.rest.values)
    after = (limit - len(found), max(0, offset - count))
    return found + _fetch(link, sql, (*values, *after))
