"""Commands that keep things: snapshot, env."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mlops_nb.cli.render import print_json, print_table
from mlops_nb.cli.runs import as_json
from mlops_nb.errors import InvalidValueError

READERS = {".csv": "read_csv", ".parquet": "read_parquet", ".feather": "read_feather"}


def read_table(path: Path) -> Any:
    """Read a file as data.

    Parameters
    ----------
    path
        A ``.csv``, ``.parquet``, ``.feather`` or ``.npy`` file.

    Returns
    -------
    object
        A DataFrame or an array.

    Raises
    ------
    InvalidValueError
        The file is of another kind, or not what its ending says.
    """
    kind = path.suffix.lower()
    if kind not in {*READERS, ".npy"}:
        raise InvalidValueError("data file", str(path), f"one of {', '.join([*READERS, '.npy'])}")
    try:
        if kind == ".npy":
            import numpy as np

            return np.load(path, allow_pickle=False)
        import pandas as pd

        return getattr(pd, READERS[kind])(path)
    except (ValueError, EOFError) as error:
        raise InvalidValueError("data file", str(path), f"a {kind} file ({error})") from error


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the data; that of the file by default.")
@as_json
def snapshot(file: Path, name: str | None, as_json: bool) -> None:
    """Keep the data in FILE (csv, parquet, feather, npy) by content."""
    from mlops_nb import api

    record = api.snapshot_data(read_table(file), name or file.name)
    if as_json:
        print_json(asdict(record))
        return
    rows = [
        ("name", record.name),
        ("kind", record.kind),
        ("shape", " x ".join(map(str, record.shape))),
        ("fingerprint", record.fingerprint[:32]),
        ("object", record.digest or "not kept, fingerprint only"),
    ]
    print_table(("dataset", ""), rows)


@click.command()
@as_json
def env(as_json: bool) -> None:
    """Keep and show the environment of this interpreter."""
    from mlops_nb import api

    found = api.snapshot_environment()
    if as_json:
        print_json(found)
        return
    rows: list[tuple[str, object]] = [("digest", found["digest"])]
    for key, value in found["document"].items():
        if isinstance(value, dict) and len(value) <= 12:
            rows.extend((f"{key}.{inner}", held) for inner, held in value.items())
        elif isinstance(value, dict | list):
            rows.append((key, f"{len(value)} entries"))
        else:
            rows.append((key, value))
    print_table(("environment", ""), rows)


COMMANDS = {"snapshot": snapshot, "env": env}
