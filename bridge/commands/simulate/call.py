"""One call as OMICall makes it: GET, the key in a header, a connection of its own, and it hangs up after two seconds.

Source: OMICall's page "API tiêu chí kịch bản" (https://api.omicall.com/omicall-api/api-tieu-chi-kich-ban).
"""

import asyncio
import contextlib
import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from urllib.parse import urlencode, urlsplit

from bridge.config.values import OMICALL_WAITS

_BODY = re.compile(rb"([0-9]+(:[0-9]+)*)?")
_OK = 200
_MOST_READ = 1_000_000


class Verdict(StrEnum):
    """What became of a call."""

    IN_TIME = "in time"
    LATE = "late"
    NO_CONNECTION = "no connection"
    WRONG_STATUS = "wrong status"
    BROKEN_BODY = "broken body"
    WRONG_ANSWER = "wrong answer"


@dataclass(frozen=True, slots=True)
class Result:
    """A call that is over. `seconds` count from the moment at which it was due, not from when it could be sent."""

    phone: str
    verdict: Verdict
    seconds: float
    body: str = ""
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint that is called, and as what."""

    url: str
    key: str = field(repr=False)
    hotline: str = ""
    tls: ssl.SSLContext | None = None

    def request(self, phone: str) -> bytes:
        """Return the bytes that ask for one caller."""
        parts = urlsplit(self.url)
        query = {"phoneNumber": phone, **({"sipNumber": self.hotline} if self.hotline else {})}
        head = (
            f"GET {parts.path or '/'}?{urlencode(query)} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"X-API-KEY: {self.key}",
            "Connection: close",
        )
        return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")


async def call(target: Target, phone: str, due: float) -> Result:
    """Ask for one caller; `due` is a time of `time.monotonic`. Never raises for what the other side does."""

    def over(verdict: Verdict, detail: str = "") -> Result:
        return Result(phone, verdict, time.monotonic() - due, detail=detail)

    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + due + OMICALL_WAITS - time.monotonic()):
            received = await _exchange(target, phone)
    except TimeoutError:
        return over(Verdict.LATE)
    except OSError as error:
        return over(Verdict.NO_CONNECTION, _why(error))
    seconds = time.monotonic() - due
    try:
        return _judged(phone, received, seconds)
    except (HTTPException, ValueError):
        return over(
            Verdict.BROKEN_BODY, "no whole HTTP answer" if received else "the connection ended without an answer"
        )


async def _exchange(target: Target, phone: str) -> bytes:
    parts = urlsplit(target.url)
    port = parts.port or (443 if target.tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=target.tls)
    try:
        writer.write(target.request(phone))
        received = b""
        while len(received) < _MOST_READ and (piece := await reader.read(65536)):
            received += piece
        return received
    finally:
        writer.transport.abort()  # OMICall hangs up; there is nobody to say goodbye to


class _Received:
    """What has come, as http.client wants it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)


def _judged(phone: str, received: bytes, seconds: float) -> Result:
    if b"\r\n\r\n" not in received:  # http.client would take a head that breaks off for a whole one
        raise ValueError("half a head")
    response = HTTPResponse(_Received(received))  # type: ignore[arg-type]  # it asks for nothing but makefile
    with contextlib.closing(response):
        response.begin()
        body = response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.status != _OK:
        return Result(phone, Verdict.WRONG_STATUS, seconds, detail=str(response.status), headers=headers)
    if not _BODY.fullmatch(body):
        return Result(phone, Verdict.BROKEN_BODY, seconds, detail="not extensions with colons", headers=headers)
    return Result(phone, Verdict.IN_TIME, seconds, body.decode("ascii"), headers=headers)


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return os.strerror(error.errno) if error.errno else type(error).__name__
