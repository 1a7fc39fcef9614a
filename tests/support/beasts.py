"""A connector that does everything that a connector must not do, by name."""

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from itertools import count

from bridge.sdk import Connector, ConnectorConfig, Owner, SourceUnavailable


def _recurse(*_):
    return _recurse()


def _for_ever(*_):
    threading.Event().wait()


class _Raising(Sequence):
    """A sequence of which nothing works."""

    def __len__(self):
        raise OverflowError

    def __getitem__(self, _index):
        raise ZeroDivisionError


class _Endless(Sequence):
    """A sequence that has one more owner, always."""

    def __len__(self):
        return sys.maxsize

    def __getitem__(self, index):
        return Owner(id=str(index))


class _Same(_Endless):
    def __getitem__(self, index):
        return OWNER


class _Blocking(list):
    __iter__ = _for_ever


class _Text(str):
    """A text whose every method does harm."""

    __slots__ = ()
    __str__ = __repr__ = __eq__ = __hash__ = __len__ = __format__ = __bool__ = _for_ever
    strip = casefold = lower = split = encode = _for_ever


class _Owner(Owner):
    """An owner whose every method does harm."""

    __str__ = __repr__ = __eq__ = __hash__ = _for_ever


class _Unspeakable(Exception):
    def __str__(self):
        raise SystemExit


class _Unutterable(SourceUnavailable):
    def __str__(self):
        raise KeyboardInterrupt


class _Unshowable(Exception):
    def __str__(self):
        return 7  # noqa: PLE0307 - that is the point


def _in_a_circle(*_):
    error, other = ValueError("one"), ValueError("two")
    error.__cause__, other.__cause__ = other, error
    raise error


def _with_an_odd_pause(*_):
    error = SourceUnavailable("later")
    error.retry_after = object()
    raise error


def _with_the_number(call, _deadline):
    raise SourceUnavailable(f"nothing about {call.caller.national}")


def _leaving_a_thread(*_):
    threading.Thread(target=_for_ever, name="left behind", daemon=False).start()
    raise SourceUnavailable("a thread is left")


def _raising(error):
    def fail(*_):
        raise error

    return fail


def _returning(found):
    return lambda *_: found


OWNER = Owner(email="lan@congty.example")

BUGS = {
    "nothing": _returning(None),
    "a text": _returning("101"),
    "bytes": _returning(b"101"),
    "a number": _returning(101),
    "an object": _returning({"id": "7"}),
    "a set": _returning({OWNER}),
    "one owner": _returning(OWNER),
    "a generator without end": lambda *_: (OWNER for _ in count()),
    "owners without end": _returning(_Endless()),
    "one owner without end": _returning(_Same()),
    "a sequence of which nothing works": _returning(_Raising()),
    "ten million owners": lambda *_: [OWNER] * 10_000_000,
    "no owners in a list": _returning([None]),
    "texts in a list": _returning(["lan@congty.example"]),
    "an owner of nothing": _returning([Owner()]),
    "an owner of numbers": _returning([Owner(id=7)]),
    "an owner of bytes": _returning([Owner(email=b"lan@congty.example")]),
    "an owner of ten megabytes": lambda *_: [Owner(name="x" * 10_000_000)],
    "ValueError": _raising(ValueError("0901234567")),
    "BaseException": _raising(BaseException()),
    "SystemExit": _raising(SystemExit(3)),
    "KeyboardInterrupt": _raising(KeyboardInterrupt()),
    "GeneratorExit": _raising(GeneratorExit()),
    "StopIteration": _raising(StopIteration()),
    "StopAsyncIteration": _raising(StopAsyncIteration()),
    "MemoryError": _raising(MemoryError()),
    "RecursionError": _recurse,
    "TimeoutError": _raising(TimeoutError()),
    "CancelledError": _raising(CancelledError()),
    "a group of errors": _raising(BaseExceptionGroup("some", [SystemExit(1), ValueError("0901234567")])),
    "an error that raises when it is shown": _raising(_Unspeakable()),
    "an error that cannot be shown": _raising(_Unshowable()),
    "a failure that raises when it is shown": _raising(_Unutterable("x")),
    "errors in a circle": _in_a_circle,
}
"""What a connector does that breaks the contract, and is logged as a bug of it."""

ODDITIES = {
    "a hang": _for_ever,
    "a sequence that hangs": _returning(_Blocking()),
    "texts that hang": lambda *_: [Owner(email=_Text("lan@congty.example"))],
    "an owner who hangs": lambda *_: [_Owner(email="lan@congty.example")],
    "half a character": lambda *_: [Owner(email="lan@congty.example", name="\ud800")],
    "a failure with an odd pause": _with_an_odd_pause,
    "a failure that tells the number": _with_the_number,
    "a thread that is left behind": _leaving_a_thread,
}
"""What a connector does that is odd, but either right in the end or a failure."""


class BeastConfig(ConnectorConfig):
    does: str


class Beast(Connector[BeastConfig]):
    """Does what it is told, from the collections above."""

    Config = BeastConfig

    def find_owners(self, call, deadline):
        return {**BUGS, **ODDITIES}[self.config.does](call, deadline)
