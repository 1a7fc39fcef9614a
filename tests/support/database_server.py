"""A real database server on the loopback, in a folder of its own: started, restarted and frozen by the tests."""

import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.support.service import free_port

_PATIENCE = 30.0


class DatabaseServer:
    """A server process of the test's own; `admin` runs statements with all rights."""

    kind = title = database = ""
    use: tuple[str, ...] = ()
    """What an admin's statements begin with."""
    sneaky: tuple[str, ...] = ()
    """Statements that make a function `sneak()`, which writes."""
    password = "p@ss/w:rd #1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{self.kind}://bridge@127.0.0.1:{self.port}/{self.database}"

    def connections(self) -> int:
        """Return how many connections the user `bridge` has."""
        raise NotImplementedError

    def end_connections(self) -> None:
        """End all connections of the user `bridge`."""
        raise NotImplementedError

    def wait_until_no_connection(self) -> bool:
        end = time.monotonic() + _PATIENCE
        while self.connections() and time.monotonic() < end:
            threading.Event().wait(0.05)
        return not self.connections()

    def readers(self, statements: str, name: str) -> list[str]:
        """Return the statements of the document that make a reader, for the user `name` of this server."""
        changed = statements.replace("omi_bridge", name).replace("DATABASE crm", f"DATABASE {self.database}")
        return [part for part in changed.split(";") if part.strip()]

    def grant(self, table: str, right: str = "SELECT") -> list[str]:
        return [f"GRANT {right} ON {table} TO bridge"]

    def command(self) -> list[str]:
        raise NotImplementedError

    def connect(self) -> Any:
        raise NotImplementedError

    def start(self) -> None:
        log = (self.folder / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect().close()
            except Exception:  # noqa: BLE001 - both drivers'
                if time.monotonic() > end or self.process.poll() is not None:
                    raise AssertionError((self.folder / "server.log").read_text()) from None
                threading.Event().wait(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End the server at once, as a crash or an impatient restart does."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(_PATIENCE)

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of the server in its tracks: it accepts, and never answers."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGSTOP)
        for child in self.backends():
            os.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            for child in self.backends():
                os.kill(child, signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGCONT)

    def backends(self) -> list[int]:
        """Processes of the server that are in no group with it."""
        assert self.process
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def admin(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements; returns the rows of the last."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


Server = TypeVar("Server", bound=DatabaseServer)


def run_as(user: str, folder: Path) -> list[str]:
    """Return what runs a command as `user`, who gets the folder, if we are root."""
    if os.geteuid():
        return []
    account = pwd.getpwnam(user)
    for path in (folder, *folder.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    return ["setpriv", f"--reuid={user}", f"--regid={account.pw_gid}", "--init-groups"]


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that other users may enter, as they may not enter those of pytest."""
    with tempfile.TemporaryDirectory(prefix="omi-bridge-database-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()
