"""What is done to an index from outside, whichever database holds it."""

from __future__ import annotations

import shutil

from mlops_nb.store import Store
from mlops_nb.store.index import RunIndex
from mlops_nb.store.sqlitefile import SQLiteFile
from mlops_nb.store.teamindex import TeamIndex


def lose_index(store: Store) -> None:
    """Delete an index while connections to it are open."""
    place = store.index.place
    shutil.rmtree(place.path.parent, ignore_errors=True)
    if isinstance(place, TeamIndex):
        import psycopg

        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{place.name}" CASCADE'.encode())


def open_again(store: Store) -> RunIndex:
    """Open the same index a second time, with connections of its own."""
    place, file = store.index.place, SQLiteFile(store.index.path)
    other = TeamIndex(place.url, place.name, file) if isinstance(place, TeamIndex) else file
    return RunIndex(other, store.index.runs)
