"""Connections that no thread is needed for: those whose request has not come yet, and those that have been answered.

All of it happens in the loop that accepts everybody's calls, so nothing here waits for anything. Who says nothing,
sends a byte now and then or does not close his end costs some memory until his time is over, or his place is needed.
"""

import contextlib
import selectors
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from gunicorn.workers.gthread import TConn

from bridge.bare_answer import FORBIDDEN, HEAD_TOO_LONG, UNAUTHORIZED
from bridge.client_socket import ClientSocket, Head
from bridge.deadline import Clock
from bridge.door import Door, Verdict

_SILENT = 5.0
_SILENT_WHILE_STOPPING = 2.0
_HALF = 2.0
_LEAVING = 0.5
_LATE = 1.0
_MOST_ANSWERED_LATE = 500


class Visitor(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A client's connection. `arrived` is when the first byte of its request came, 0 before."""

    arrived = 0.0
    line: "Line | None" = None


class Line:
    """Connections that wait equally long, the one that began first in front."""

    def __init__(self, patience: float, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._began: OrderedDict[Visitor, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._began)

    def join(self, visitor: Visitor) -> None:
        """Begin to wait here, instead of where it waited before."""
        if visitor.line is not self:
            if visitor.line is not None:
                visitor.line.leave(visitor)
            visitor.line = self
            self._began[visitor] = self._clock()

    def leave(self, visitor: Visitor) -> None:
        """Wait no longer."""
        del self._began[visitor]
        visitor.line = None

    def first(self) -> Visitor:
        """Return the one that waits longest."""
        return next(iter(self._began))

    def over(self, longest: float = float("inf")) -> Iterator[Visitor]:
        """Give those whose time is over, or who wait for `longest` seconds; each has to leave before the next."""
        now = self._clock()
        while self._began and now - self._began[self.first()] >= min(self._patience, longest):
            yield self.first()


class Reception:
    """Takes connections in, hands whole requests on to `serve`, and says goodbye; `gone` is told of each end."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        door: Door,
        serve: Callable[[Visitor], None],
        gone: Callable[[Visitor], None],
        clock: Clock = time.monotonic,
    ) -> None:
        self._poller = poller
        self._door = door
        self._serve = serve
        self._gone = gone
        self._clock = clock
        self._silent, self._half = Line(_SILENT, clock), Line(_HALF, clock)
        self._leaving, self._late = Line(_LEAVING, clock), Line(_LATE, clock)

    def __len__(self) -> int:
        return len(self._silent) + len(self._half) + len(self._leaving) + len(self._late)

    def welcome(self, visitor: Visitor) -> None:
        """Wait for a request: the first one, or the next."""
        visitor.arrived = 0.0
        visitor.sock.setblocking(False)
        self._look(visitor)

    def dismiss(self, visitor: Visitor, answer: bytes = b"") -> None:
        """Send a last answer, and close as soon as the client has closed its end."""
        self._take(visitor)
        sock: ClientSocket = visitor.sock
        try:
            sock.setblocking(False)
            sock.send_at_once(answer)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(visitor)
            return
        self._see_off(visitor)

    def close_who_waited_enough(self, *, stopping: bool = False, everybody: bool = False) -> None:
        """End what has waited for too long, and give late answers whose time has come."""
        for visitor in self._late.over(0.0 if stopping else _LATE):
            self.dismiss(visitor, UNAUTHORIZED)
        silent_for = 0.0 if everybody else _SILENT_WHILE_STOPPING if stopping else _SILENT
        for line, longest in ((self._silent, silent_for), (self._half, _HALF), (self._leaving, _LEAVING)):
            for visitor in line.over(0.0 if everybody else longest):
                self._close(visitor)

    def make_room(self) -> bool:
        """Close a connection that can best be done without; tell whether there was any."""
        if self._late and not self._leaving:
            self.dismiss(self._late.first(), UNAUTHORIZED)
        for line in (self._leaving, self._half, self._silent):
            if line:
                self._close(line.first())
                return True
        return False

    def _readable(self, visitor: Visitor, _sock: object) -> None:
        if visitor.line is self._leaving:
            self._see_off(visitor)
        elif visitor.line is not None:  # else it has been closed since the event
            self._look(visitor)

    def _look(self, visitor: Visitor) -> None:
        """Read what has come of a request, and do what it calls for."""
        head = visitor.sock.gather()
        if head is not Head.NOTHING and not visitor.arrived:
            visitor.arrived = self._clock()
        match head:
            case Head.NOTHING:
                self._wait(visitor, self._silent)
            case Head.A_PART:
                self._wait(visitor, self._half)
            case Head.ALL:
                self._judge(visitor)
            case Head.TOO_MUCH:
                self.dismiss(visitor, HEAD_TOO_LONG)
            case Head.GONE:
                self._close(visitor)

    def _judge(self, visitor: Visitor) -> None:
        self._take(visitor)
        match self._door.judge(visitor.client[0], visitor.sock.head):
            case Verdict.COME_IN:
                self._serve(visitor)
            case Verdict.FORBIDDEN:
                self.dismiss(visitor, FORBIDDEN)
            case Verdict.ANSWERED_LATE:
                self._late.join(visitor)
                if len(self._late) > _MOST_ANSWERED_LATE:
                    self.dismiss(self._late.first(), UNAUTHORIZED)

    def _see_off(self, visitor: Visitor) -> None:
        if visitor.sock.discard():
            self._wait(visitor, self._leaving)
        else:
            self._close(visitor)

    def _wait(self, visitor: Visitor, line: Line) -> None:
        if visitor.line is None:
            self._poller.register(visitor.sock, selectors.EVENT_READ, lambda sock: self._readable(visitor, sock))
        line.join(visitor)

    def _take(self, visitor: Visitor) -> None:
        """Take a connection out of where it waits."""
        if visitor.line is not None:
            if visitor.line is not self._late:  # whom nobody listens to meanwhile
                self._poller.unregister(visitor.sock)
            visitor.line.leave(visitor)

    def _close(self, visitor: Visitor) -> None:
        self._take(visitor)
        with contextlib.suppress(OSError):
            visitor.close()
        self._gone(visitor)
