"""What a CRM can do to those who ask it: one function for each fault, playing on the raw connection.

Each gets the connection and what was asked, and returns whether the connection may be asked once more.
"""

import gzip
import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tests.support.scripted import Connection, answer

PREFIX = "090"
JSON = "Content-Type: application/json"
_HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1>Call 1900 1234</body></html>"
_BOMB_MEGABYTES = 256


@dataclass(frozen=True)
class Asked:
    """One question: a number as people of the country write it."""

    phone: str

    @property
    def record(self) -> dict[str, object]:
        return {"phone": self.phone, "owner": extension_of(self.phone)}

    @property
    def others_record(self) -> dict[str, object]:
        other = self.phone[:-1] + str((int(self.phone[-1]) + 1) % 10)
        return {"phone": other, "owner": extension_of(other)}

    def body(self, *records: Mapping[str, object]) -> bytes:
        """Return the answer with these records, or with the right ones if none are given."""
        right = [self.record] if is_customer(self.phone) else []
        return json.dumps({"records": records or right}).encode()


def number(line: int, kind: int, serial: int) -> str:
    """Return a telephone number; `kind` 0 is nobody's, all others are customers of the CRM."""
    return f"{PREFIX}{line:02}{kind}{serial:04}"


def is_customer(phone: str) -> bool:
    return phone[5:6] != "0"


def extension_of(phone: str) -> str:
    return str(int(phone[len(PREFIX) :]) + 20_000_000)


Script = Callable[[Connection, Asked], bool]


def well(connection: Connection, asked: Asked) -> bool:
    connection.send(answer(asked.body(), headers=[JSON]))
    return True


def _after(least: float, most: float) -> Script:
    def script(connection: Connection, asked: Asked) -> bool:
        connection.pause(random.uniform(least, most))
        return well(connection, asked)

    return script


def _status(status: str, *headers: str) -> Script:
    def script(connection: Connection, _asked: Asked) -> bool:
        connection.send(answer(b'{"error": 7}', status, [JSON, *headers]))
        return True

    return script


def _body(make: Callable[[Asked], bytes], *headers: str) -> Script:
    def script(connection: Connection, asked: Asked) -> bool:
        connection.send(answer(make(asked), headers=headers or [JSON]))
        return True

    return script


def _owner(make: Callable[[str], object]) -> Script:
    """The right record, but its owner made into something else."""
    return _body(
        lambda asked: (
            asked.body({**asked.record, "owner": make(extension_of(asked.phone))})
            if is_customer(asked.phone)
            else asked.body()
        )
    )


def _redirect_loop(connection: Connection, asked: Asked) -> bool:
    connection.send(answer(b"", "302 Found", [f"Location: ?phone={asked.phone}"]))
    return True


def _hang(connection: Connection, _asked: Asked) -> bool:
    connection.stopped()
    return False


def _reset_in_mid_body(connection: Connection, asked: Asked) -> bool:
    connection.send(answer(asked.body(), headers=[JSON])[:-10])
    connection.reset()
    return False


def _drip_headers(connection: Connection, _asked: Asked) -> bool:
    connection.send(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    connection.drip_for_ever(b"a", 0.05)
    return False


def _drip_body(connection: Connection, _asked: Asked) -> bool:
    connection.send(f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: 100000\r\n\r\n".encode())
    connection.drip_for_ever(b" ", 0.05)
    return False


def _length(difference: int) -> Script:
    def script(connection: Connection, asked: Asked) -> bool:
        body = asked.body()
        connection.send(
            f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: {len(body) + difference}\r\n\r\n".encode() + body
        )
        return difference < 0

    return script


def _left_open(connection: Connection, asked: Asked) -> bool:
    connection.send(f"HTTP/1.1 200 OK\r\n{JSON}\r\n\r\n".encode() + asked.body())
    connection.stopped()
    return False


def _two_answers(connection: Connection, asked: Asked) -> bool:
    second = answer(asked.body(asked.others_record), headers=[JSON])
    connection.send(answer(asked.body(), headers=[JSON]) + second)
    return True


def _endless_body(connection: Connection, _asked: Asked) -> bool:
    connection.send(f"HTTP/1.1 200 OK\r\n{JSON}\r\n\r\n".encode() + b'{"records": [')
    connection.send_for_ever(b'"' + b"a" * 65534 + b",")
    return False


@cache
def bomb() -> bytes:
    """Return the compressed form of an answer of hundreds of megabytes; made once, which takes a while."""
    packer = zlib.compressobj(1, wbits=31)
    megabyte = b" " * 1_000_000
    return b"".join(packer.compress(megabyte) for _ in range(_BOMB_MEGABYTES)) + packer.flush()


def _closing_when_asked_again(*, reset: bool) -> Script:
    def script(connection: Connection, asked: Asked) -> bool:
        if len(connection.requests) == 1:
            return well(connection, asked)
        if reset:
            connection.reset()
        return False

    return script


def _at_random(connection: Connection, asked: Asked) -> bool:
    return SCRIPTS[random.choice(FAILING)](connection, asked)


SCRIPTS: dict[str, Script] = {
    "well": well,
    "latency 0-3 s": _after(0, 3),
    "latency 1 s": _after(1, 1),
    "latency 3 s": _after(3, 3),
    "hang": _hang,
    "reset in mid-body": _reset_in_mid_body,
    "drip of headers": _drip_headers,
    "drip of body": _drip_body,
    "500": _status("500 Internal Server Error"),
    "401": _status("401 Unauthorized"),
    "429": _status("429 Too Many Requests"),
    "429 for 2 s": _status("429 Too Many Requests", "Retry-After: 2"),
    "429 for 1 h": _status("429 Too Many Requests", "Retry-After: 3600"),
    "redirect loop": _redirect_loop,
    "html": _body(lambda _: _HTML, "Content-Type: text/html"),
    "html as json": _body(lambda _: _HTML),
    "truncated json": _body(lambda asked: asked.body(asked.record)[:-7]),
    "length too long": _length(100),
    "length too short": _length(-5),
    "length left open": _left_open,
    "two answers": _two_answers,
    "endless body": _endless_body,
    "gzip bomb": _body(lambda _: bomb(), JSON, "Content-Encoding: gzip"),
    "gzip broken": _body(lambda asked: gzip.compress(asked.body())[:-12], JSON, "Content-Encoding: gzip"),
    "deep json": _body(lambda _: b'{"records": ' + b"[" * 500_000 + b"]" * 500_000 + b"}"),
    "invalid utf-8": _body(lambda asked: asked.body(asked.record).replace(b'"owner": "', b'"owner": "\xff')),
    "owner null": _owner(lambda _: None),
    "owner number": _owner(int),
    "owner list": _owner(lambda extension: [extension]),
    "owner object": _owner(lambda extension: {"id": extension}),
    "other beside": _body(lambda asked: asked.body(asked.others_record, *([asked.record] * is_customer(asked.phone)))),
    "other instead": _body(lambda asked: asked.body(asked.others_record)),
    "closed when used": _closing_when_asked_again(reset=False),
    "reset when used": _closing_when_asked_again(reset=True),
    "at random": _at_random,
}
"""What the CRM does, by name."""

# Two of them are answers, though wrong ones: the record has no owner any more, or there is no record of the caller.
FAILING = sorted(SCRIPTS.keys() - {"well", "at random", "owner null", "other instead", "429 for 1 h", "401"})
