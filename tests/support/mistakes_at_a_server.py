"""Connectors to a directory that is a server, each of which does one thing wrong; the first does everything right."""

import socket
import threading
from contextlib import contextmanager

from pydantic import Field, SecretStr

from bridge.sdk import (
    Connector,
    ConnectorConfig,
    Deadline,
    Owner,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    UnexpectedAnswer,
    cut_off_at,
    hang_up,
    holds,
    told_as,
)
from bridge.testing import ServerConformance
from tests.support.directory import Directory

LAN = Owner(email="lan@congty.example")
ENDED = threading.Event()
"""Ends what would never end otherwise."""


def wait_for_ever():
    ENDED.wait(60)


class Settings(ConnectorConfig):
    port: int
    password: SecretStr


class Right(Connector[Settings]):
    """Does everything right; each of the others does one thing wrong."""

    Config = Settings
    reads_hotline = False

    def open(self):
        self.ask("0000000", Deadline.after(self.config.timeout))

    def find_owners(self, call, deadline):
        return self.owners(call, self.ask(call.caller.nsn, deadline))

    def owners(self, call, rows):
        return [Owner(email=owner) for phone, owner in rows if self.same(phone, call)]

    def same(self, phone, call):
        return holds(phone, call.caller)

    @told_as({OSError: SourceUnavailable, ValueError: UnexpectedAnswer}, "the directory")
    def ask(self, digits, deadline):
        with self.connected(deadline) as lines:
            return found(lines, self.config.password.get_secret_value(), digits)

    @contextmanager
    def connected(self, deadline):
        with (
            socket.create_connection(("127.0.0.1", self.config.port), deadline.seconds()) as connection,
            cut_off_at(deadline, lambda: hang_up(connection.fileno())),
            connection.makefile("rw", encoding="utf-8") as lines,
        ):
            yield lines


def found(lines, password, digits):
    """Sign in, and return the rows about these digits."""
    if said(lines, f"LOGIN {password}") != "OK":
        raise SourceRejected("the directory does not accept the password")
    rows, row = [], said(lines, f"FIND {digits}")
    while row != ".":
        phone, owner = row.split(";")
        rows.append((phone, owner))
        row = read(lines)
    return rows


def said(lines, words):
    lines.write(f"{words}\n")
    lines.flush()
    return read(lines)


def read(lines):
    if not (line := lines.readline()).endswith("\n"):
        raise ConnectionResetError
    return line.strip()


class WaitsForEver(Right):
    def find_owners(self, _call, _deadline):
        wait_for_ever()


class OpensForEver(Right):
    def open(self):
        wait_for_ever()


class ClosesForEver(Right):
    def close(self):
        wait_for_ever()


class ClosesWithAnError(Right):
    def close(self):
        raise RuntimeError("nothing to close")


class IsMadeForEver(Right):
    def __init__(self, config):
        super().__init__(config)
        wait_for_ever()


class TakesLongToBeMade(Right):
    def __init__(self, config):
        super().__init__(config)
        ENDED.wait(0.7)


class FailsWhenItIsMade(Right):
    def __init__(self, config):
        super().__init__(config)
        raise RuntimeError("no licence")


class ConnectsWhenItIsMade(Right):
    def __init__(self, config):
        super().__init__(config)
        with socket.create_connection(("127.0.0.1", config.port)) as connection, connection.makefile("rw") as lines:
            said(lines, f"LOGIN {config.password.get_secret_value()}")


class ReturnsText(Right):
    def owners(self, call, rows):
        return ":".join(owner.email for owner in super().owners(call, rows))


class ReturnsNone(Right):
    def owners(self, call, rows):
        return super().owners(call, rows) or None


class ReturnsMappings(Right):
    def owners(self, call, rows):
        return [{"email": owner.email} for owner in super().owners(call, rows)]


class ReturnsListsInOwners(Right):
    def owners(self, call, rows):
        return [Owner(email=[owner.email]) for owner in super().owners(call, rows)]


class ReturnsNumbersInOwners(Right):
    def owners(self, call, rows):
        return [Owner(email=owner.email, extension=101) for owner in super().owners(call, rows)]


class FailsHalfWay(Right):
    def find_owners(self, call, deadline):
        yield from super().find_owners(call, deadline)
        raise SourceUnavailable("half way")


class TellsThePasswordAndTheCaller(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceError:
            password = self.config.password.get_secret_value()
            raise SourceUnavailable(f"LOGIN {password}, FIND {call.caller.national} failed") from None


class TellsThePasswordAtTheDeadline(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceUnavailable as error:
            if "in time" not in str(error):
                raise
            raise SourceUnavailable(f"{self.config.password.get_secret_value()} takes too long") from None


class TellsThePasswordInABug(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceError:
            raise RuntimeError({"password": self.config.password.get_secret_value()}) from None


class HasAPasswordThatIsShown(Right):
    class Config(Settings):
        proxy_password: str = Field("", description="That of the proxy.")


class KeepsAThread(Right):
    def open(self):
        super().open()
        threading.Thread(target=wait_for_ever, name="keep alive").start()


class IgnoresTheDeadline(Right):
    def find_owners(self, call, deadline):
        return super().find_owners(call, Deadline.after(8 if deadline.remaining() else 0))


class LimitsEachWaitAlone(Right):
    """Knows the deadline, and gives it to each single wait, as most libraries do."""

    @contextmanager
    def connected(self, deadline):
        address = ("127.0.0.1", self.config.port)
        with socket.create_connection(address, deadline.seconds()) as connection:
            connection.settimeout(deadline.seconds())
            with connection.makefile("rw", encoding="utf-8") as lines:
                yield lines


class TakesTheEndOfAConnectionForThatOfAnAnswer(Right):
    @told_as({OSError: SourceUnavailable, ValueError: UnexpectedAnswer}, "the directory")
    def ask(self, digits, deadline):
        with self.connected(deadline) as lines:
            if said(lines, f"LOGIN {self.config.password.get_secret_value()}") != "OK":
                raise SourceRejected("the directory does not accept the password")
            lines.write(f"FIND {digits}\n")
            lines.flush()
            answer = iter(lambda: lines.readline().strip(), ".")
            return [tuple(row.split(";")) for row in iter(lambda: next(answer, ""), "") if ";" in row]


class KeepsTheCall(Right):
    def find_owners(self, call, deadline):
        self.call = call
        rows = self.ask(call.caller.nsn, deadline)
        return self.owners(self.call, rows)


class KeepsTheAnswer(Right):
    def find_owners(self, call, deadline):
        self.found = super().find_owners(call, deadline)
        ENDED.wait(0.001)
        return self.found


class SharesAConnection(Right):
    """One connection for all threads, which take each other's answers."""

    lines = None

    def open(self):
        super().open()
        self.connection = socket.create_connection(("127.0.0.1", self.config.port), 1)
        self.lines = self.connection.makefile("rw", encoding="utf-8")

    @contextmanager
    def connected(self, deadline):
        if self.lines is None:
            with super().connected(deadline) as lines:
                yield lines
            return
        self.connection.settimeout(deadline.seconds())
        yield self.lines

    def close(self):
        if self.lines is not None:
            self.lines.close()
            self.connection.close()


class TakesAnOutageForNobody(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceError:
            return ()


class TakesALateAnswerForNobody(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceUnavailable as error:
            if "in time" in str(error):
                return ()
            raise


class TakesARefusedConnectionForNobody(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceUnavailable as error:
            if "refuses the connection" in str(error):
                return ()
            raise


class Exits(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceError:
            raise SystemExit(3) from None


class ComparesTheEnd(Right):
    def same(self, phone, call):
        return "".join(filter(str.isdigit, phone)).endswith(call.caller.nsn)


class AtADirectory(ServerConformance):
    """What an integrator fills in for such a connector."""

    enough, moment, margin, starting = 1, 0.1, 0.4, 2
    owners = (LAN,)
    made_of = Right

    def start(self, place):
        return Directory.start(place, self.secret)

    def stop(self, place):
        Directory.stop(place)

    def connector(self, port):
        return self.made_of(self.made_of.Config(port=port, password=self.secret, timeout=0.3))

    def breakages(self):
        return {"the password was changed": lambda place: setattr(Directory.running[place], "password", "another")}
