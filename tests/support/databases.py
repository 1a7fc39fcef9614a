"""The databases that the SQL connector is tested on: real ones, with a few customers in them."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from tests.support.database_server import DatabaseServer, open_folder, run_as, running

CUSTOMERS = (
    "CREATE TABLE customers (phone varchar(60), owner_email varchar(60))",
    (
        "INSERT INTO customers VALUES ('0901 234 567', 'lan@congty.example'), "
        "('+84 90.123.4567', 'minh@congty.example'), ('01201234567', 'lan@congty.example'), ('0912345678', NULL), "
        "('0912345679 / 0912345670', 'minh@congty.example'), ('09012345678', 'trang@congty.example')"
    ),
)
"""0901234567 has two owners; 0701234567 is written as before 2018; 0912345678 has none; one cell has two numbers."""


class PostgresServer(DatabaseServer):
    """PostgreSQL; its own user runs it, for it refuses root."""

    kind, title, database = "postgresql", "PostgreSQL", "postgres"
    sneaky = (
        (
            "CREATE OR REPLACE FUNCTION sneak() RETURNS text LANGUAGE sql AS "
            "$$INSERT INTO customers VALUES ('1', '1') RETURNING phone$$"
        ),
    )

    def connections(self) -> int:
        return int(self.admin("SELECT count(*) FROM pg_stat_activity WHERE usename = 'bridge'")[0][0])

    def end_connections(self) -> None:
        self.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bridge'")

    def series(self, rows: int) -> str:
        return f"generate_series(1, {rows})"

    def __init__(self, folder: Path, programs: Path) -> None:
        super().__init__(folder)
        self._programs = programs
        self._data = folder / "data"
        (folder / "password").write_text(self.password)
        folder.chmod(0o755)
        self._as_owner = run_as("postgres", folder)
        subprocess.run(
            [
                *(*self._as_owner, str(programs / "initdb"), "-D", str(self._data), "-U", "admin", "-E", "UTF8"),
                *("--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def command(self) -> list[str]:
        quick = {
            "fsync": "off",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
        }
        options = [part for key, value in quick.items() for part in ("-c", f"{key}={value}")]
        return [
            *self._as_owner,
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            "-p",
            str(self.port),
            *options,
        ]

    def connect(self) -> Any:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="admin",
            password=self.password,
            dbname="postgres",
            autocommit=True,
            connect_timeout=10,
        )


class MariaServer(DatabaseServer):
    """MariaDB."""

    kind, title, database = "mariadb", "MariaDB", "crm"
    use = ("USE crm",)
    sneaky = (
        "DROP FUNCTION IF EXISTS sneak",
        (
            "CREATE FUNCTION sneak() RETURNS varchar(9) MODIFIES SQL DATA BEGIN "
            "INSERT INTO customers VALUES ('1', '1'); RETURN '1'; END"
        ),
        "GRANT EXECUTE ON crm.* TO bridge",
    )

    def connections(self) -> int:
        query = "SELECT count(*) FROM information_schema.processlist WHERE user = 'bridge'"
        return int(self.admin(query)[0][0])

    def end_connections(self) -> None:
        self.admin("KILL USER bridge")

    def series(self, rows: int) -> str:
        return f"seq_1_to_{rows}"

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder)
        self._program = program
        folder.chmod(0o755)
        (folder / "data").mkdir()
        self._user = [] if os.geteuid() else ["--user=mysql"]
        if self._user:
            shutil.chown(folder, "mysql")
            shutil.chown(folder / "data", "mysql")
        subprocess.run(
            [
                *("mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}", *self._user),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def command(self) -> list[str]:
        return [
            str(self._program),
            *("--no-defaults", f"--datadir={self.folder / 'data'}", *self._user, "--bind-address=127.0.0.1"),
            *(f"--port={self.port}", f"--socket={self.folder / 'socket'}", f"--pid-file={self.folder / 'pid'}"),
            *("--skip-name-resolve", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M"),
        ]

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        super().stop(how)

    def backends(self) -> list[int]:
        return []  # threads

    def connect(self) -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True, connect_timeout=10)


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Run PostgreSQL with the customers, and a user `bridge` who may read them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    with open_folder() as folder, running(PostgresServer(folder, found[-1].parent)) as server:
        server.admin(
            *CUSTOMERS,
            f"CREATE ROLE bridge LOGIN PASSWORD '{server.password}'",
            "GRANT SELECT ON customers TO bridge",
        )
        yield server


@contextlib.contextmanager
def mariadb() -> Iterator[MariaServer]:
    """Run MariaDB with the customers in the database `crm`, and a user `bridge` who may read them."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not program:
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    with open_folder() as folder, running(MariaServer(folder, Path(program))) as server:
        server.admin(
            "CREATE DATABASE crm CHARACTER SET utf8mb4",
            "USE crm",
            *CUSTOMERS,
            f"CREATE USER bridge IDENTIFIED BY '{server.password}'",
            "GRANT SELECT ON crm.customers TO bridge",
        )
        yield server
