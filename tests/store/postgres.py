"""A PostgreSQL of the tests' own, from the packages of the system."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HBA = "local all secretive scram-sha-256\nlocal all all trust\n"


def find_server() -> Path | None:
    """Name the folder of the server's programs."""
    folders = [Path(path) for path in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


class Server:
    """A server that listens on a socket in a folder of its own, and on nothing else."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.running: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            owner = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            self.user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    def make(self) -> None:
        """Make the cluster."""
        command: list[Any] = [self.programs / "initdb", "-D", self.folder / "data", "--no-sync"]
        command += ["-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self.user)
        (self.folder / "data" / "pg_hba.conf").write_text(HBA)

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {
            "listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off",
            "full_page_writes": "off", "max_connections": 60, "log_min_messages": "panic",
            "lc_messages": "C", "max_parallel_workers_per_gather": "0",
        }  # fmt: skip
        command: list[Any] = [self.programs / "postgres", "-D", self.folder / "data"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self.running = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, **self.user
            )
        import psycopg

        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url(database="postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.running.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop at once, as in a crash."""
        if self.running is not None:
            self.running.send_signal(3)  # SIGQUIT: no connection is waited for
            self.running.wait(30)
            self.running = None

    def url(self, user: str = "admin", database: str = "team") -> str:
        """Give the address of a database."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def run(self, sql: str, database: str = "team") -> list[Any]:
        """Run a statement as the administrator."""
        import psycopg

        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def run_server() -> Iterator[Server]:
    """Run a server with a database ``team``; skip where there is none, but never in CI."""
    programs = find_server()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL's server is needed in CI: apt install postgresql")
        pytest.skip("PostgreSQL's server is not installed (Debian's package postgresql)")
    # Not pytest's own folder, which the server's user must not enter.
    folder = Path(tempfile.mkdtemp(prefix="mlops-postgres-"))
    server = Server(programs, folder)
    try:
        server.make()
        server.start()
        server.run("CREATE DATABASE team", "postgres")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
