"""The only place that knows redis-py: a few commands to a Redis or a Valkey, and what they fail with in plain words.

Nothing here limits how long a command takes as a whole: a server that drips keeps redis-py waiting for ever. That is
the business of `client`, which waits no longer than it wants and can `abort` what hangs.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from redis import ConnectionPool, Redis, exceptions
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from bridge.storage.shared.backend import Counted, Reading, Refused, Silent, Window

_FULL, _REPLICA, _RIGHTS, _DISK = (
    "its memory is full (maxmemory)",
    "it is a replica that may not be written",
    "its user has not all the rights that are needed",
    "it cannot save to its disk",
)
_KINDS = {exceptions.ReadOnlyError: _REPLICA, exceptions.NoPermissionError: _RIGHTS}
_WORDS = {
    "OOM": _FULL,
    "used memory": _FULL,
    "READONLY": _REPLICA,
    "NOPERM": _RIGHTS,
    "can't run": _RIGHTS,
    "MISCONF": _DISK,
}
_CODE = re.compile(r"[A-Z]{3,12}(?= )")

# In Lua, for the server runs a script as one step: between looking and putting nobody else comes in.
_PUT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('GET', KEYS[1])
local at = known and tonumber(string.match(known, '^%d+'))
local done
if now < tonumber(ARGV[2]) and not (at and at > tonumber(ARGV[1]) and at <= now) then
  done = redis.pcall('SET', KEYS[1], ARGV[3], 'PX', ARGV[2] - now)
end
if ARGV[4] ~= '' and redis.call('GET', KEYS[2]) == ARGV[4] then redis.call('DEL', KEYS[2]) end
return done
"""
"""Puts a content that begins with its time, and frees a lock with it, also if there is no room for the content.

A command may be carried out minutes after it was sent, if the server was stopped meanwhile: so the time at which the
content ends is told, not how long it lasts, and what is newer stays.
"""

_TAKE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.pcall('PTTL', KEYS[1]) ~= -1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
"""Takes a lock. One that would never end is none of ours; it stays taken if the right to see that is not given."""

_FREE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

_MACHINES = """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 600000000)
redis.call('ZADD', KEYS[2], now, ARGV[2])
redis.call('PEXPIRE', KEYS[2], 600000)
local machines = redis.call('ZCARD', KEYS[2])
"""
"""Counts who has asked within ten minutes. Times are the server's own, in microseconds."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
"""

_BOOK = (
    _NOW
    + _MACHINES
    + """
local most, window, longest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 2000000, '+inf')
local made, turn = redis.call('ZCARD', KEYS[1]), now
if made >= most then
  local before = redis.call('ZRANGE', KEYS[1], made - most, made - most, 'WITHSCORES')
  turn = math.max(now, tonumber(before[2]) + window)
end
if turn - now <= longest then
  redis.call('ZADD', KEYS[1], turn, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], math.ceil((turn - now + window) / 1000))
end
return {turn - now, machines}
"""
)
"""Books a turn in a window. Turns are booked a second ahead at most: what lies further ahead is from before the
server's clock was set back."""

_PLACE = (
    _NOW
    + _MACHINES
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return {0, machines} end
redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 3600000)
return {1, machines}
"""
)
"""Takes a place until it is given back, or until whoever holds it must have ended."""


class RedisServer:
    """A Redis or a Valkey; `timeout` is what one wait on the network may take, in seconds."""

    def __init__(self, url: str, timeout: float, connections: int) -> None:
        options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        self.place = str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")
        """Where it is, for the log: without user and password."""
        limits = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "max_connections": connections,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,  # what every Redis and Valkey speaks, without a round trip
            "driver_info": None,
        }
        if "path" not in options:
            limits["socket_keepalive"] = True
        self._pool = ConnectionPool(**(options | limits))
        self._redis: Any = Redis(connection_pool=self._pool)

    def ping(self) -> None:
        """Ask for a sign of life."""
        with _plainly():
            self._redis.ping()

    def read(self, keys: Sequence[str]) -> Reading:
        """Return what is kept at one moment. No transaction: a server whose memory is full would refuse it."""
        with _plainly(), self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.mget(keys)
            (seconds, microseconds), contents = pipe.execute()
            if len(contents) != len(keys) or not all(one is None or isinstance(one, bytes) for one in contents):
                raise ValueError("not what was asked for")
            return Reading(seconds * 1000 + microseconds // 1000, contents)

    def put(self, key: str, content: bytes, stamp: int, until: int, lock: tuple[str, str] = ("", "")) -> None:
        """Keep a content of the time `stamp` until `until`, both the server's; free `lock` (key and token) with it."""
        with _plainly():
            self._redis.eval(_PUT, 2, key, lock[0], stamp, until, content, lock[1])

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take a lock for so many seconds, if it is free; tell whether it was. One without an end is free."""
        with _plainly():
            return bool(self._redis.eval(_TAKE, 1, key, token, max(1, int(seconds * 1000))))

    def free(self, key: str, token: str | bytes) -> None:
        """Delete what is kept, if it still is this: to give a lock back, or to forget a content."""
        with _plainly():
            self._redis.eval(_FREE, 1, key, token)

    def book(self, keys: tuple[str, str], window: Window, token: str, machine: str) -> Counted:
        """Book the next turn; the value is how many seconds it is away. `keys` are those of turns and of machines."""
        seconds, longest = int(window.seconds * 1e6), int(window.longest * 1e6)
        with _plainly():
            wait, machines = self._redis.eval(_BOOK, 2, *keys, token, machine, window.most, seconds, longest)
            return Counted(int(wait) / 1e6, int(machines))

    def take_place(self, keys: tuple[str, str], limit: int, seconds: float, token: str, machine: str) -> Counted:
        """Take one of so many places, for so many seconds at most; the value is 1, or 0 if all are taken."""
        with _plainly():
            taken, machines = self._redis.eval(_PLACE, 2, *keys, token, machine, limit, int(seconds * 1e6))
            return Counted(int(taken), int(machines))

    def leave_place(self, key: str, token: str) -> None:
        """Give a place back."""
        with _plainly():
            self._redis.zrem(key, token)

    def abort(self) -> None:
        """Close every connection, also under the hands of who waits for an answer."""
        with suppress(Exception):  # a connection that is being made at this moment may not like it
            self._pool.disconnect(inuse_connections=True)


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in our own words what redis-py raised; its messages may quote what a stranger's server sent."""
    try:
        yield
    except exceptions.BusyLoadingError:
        raise Silent("it is still loading its data") from None
    except exceptions.AuthenticationError:
        raise Silent("it wants another user or password") from None
    except (exceptions.TimeoutError, exceptions.ConnectionError, OSError) as error:
        raise Silent(_reason(error)) from None
    except exceptions.ResponseError as error:
        raise _meant(error) from None
    except Exception as error:
        raise Silent(f"it does not answer as a Redis does ({type(error).__name__})") from error


def _meant(error: exceptions.ResponseError) -> Silent:
    """Return what an error's code means, which redis-py takes off the text if it knows it."""
    text = str(error)
    found = [meaning for kind, meaning in _KINDS.items() if isinstance(error, kind)]
    found += [meaning for word, meaning in _WORDS.items() if word in text]
    if found:
        return Refused(found[0])
    code = _CODE.match(text)
    return Silent(f"it answered an error{f', {code[0]}' if code else ''}")


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__ or error
    if isinstance(error, exceptions.TimeoutError) or isinstance(cause, TimeoutError):
        return "no answer in time"
    return (isinstance(cause, OSError) and cause.strerror) or "the connection broke"
