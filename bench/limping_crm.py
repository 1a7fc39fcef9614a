"""A CRM in bad weather, in a process of its own: slow, failing, silent, dripping or out of reach, as it is told.

    python bench/limping_crm.py

Prints two ports: that of the CRM, which names the owner of everybody (`GET /owner?phone=…`), and that where lines tell
what the weather is from now on. What hangs stays hung when the weather changes.
"""

import asyncio
import contextlib
import json
import math
import random
import re
import socket
from typing import ClassVar

_PHONE = re.compile(rb"phone=([0-9]+)")
_MEDIAN, _SPREAD = 0.3, math.log(1.5 / 0.3) / 2.326  # of a log-normal distribution whose p99 is 1.5 s
_chance = random.Random(1)


class Crm(asyncio.Protocol):
    """One connection to it; `weather` is the same for all of them."""

    weather = "well"
    open_ones: ClassVar[set[asyncio.Transport]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.open_ones.add(transport)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """Forget it."""
        self.open_ones.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request; each comes in one piece, and the next only after the answer."""
        found = _PHONE.search(data)
        name = b"Nguy\xfbn" if self.weather == "broken name" else b"Lan"
        body = b'{"records": [{"phone": "%s", "name": "%s", "owner": "7"}]}' % (found[1] if found else b"", name)
        script = getattr(self, "_" + self.weather.replace(" ", "_"), self._well)
        script(body)

    def _well(self, body: bytes, status: str = "200 OK", length: int | None = None) -> None:
        size = len(body) if length is None else length
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + body)

    def _later(self, seconds: float, body: bytes) -> None:
        asyncio.get_running_loop().call_later(seconds, self._well, body)

    def _slow(self, body: bytes) -> None:
        self._later(_chance.lognormvariate(math.log(_MEDIAN), _SPREAD), body)

    def _a_second(self, body: bytes) -> None:
        self._later(1.0, body)

    def _three_seconds(self, body: bytes) -> None:
        self._later(3.0, body)

    def _half_500(self, body: bytes) -> None:
        if _chance.random() < 1 / 2:
            self._well(b"{}", "500 Internal Server Error")
        else:
            self._well(body)

    def _half_silent(self, body: bytes) -> None:
        if _chance.random() < 1 / 2:
            self._well(body)

    def _dripping(self, _body: bytes) -> None:
        self._well(b" ", length=100_000)
        self._drip()

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b" ")
            asyncio.get_running_loop().call_later(0.05, self._drip)

    def _length_left_open(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)


class Listening:
    """The CRM's port, which takes connections or, while its queue is full, none."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._full: list[socket.socket] = []

    async def begin(self) -> None:
        """Take connections."""
        for sock in self._full:
            sock.close()
        self._full.clear()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(Crm, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def fill(self) -> None:
        """Take no more connections: the kernel drops whoever wants one."""
        assert self._server
        self._server.close()
        for transport in list(Crm.open_ones):
            transport.abort()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(0)
        self._full.append(listener)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._full.append(filler)

    async def told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Make the weather that lines name; each is answered when it is so."""
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                before, Crm.weather = Crm.weather, json.loads(line)
                if Crm.weather == "queue full":
                    await self.fill()
                elif before == "queue full":
                    await self.begin()
                writer.write(b"\n")


async def main() -> None:
    crm = Listening()
    await crm.begin()
    control = await asyncio.start_server(crm.told, "127.0.0.1", 0)
    print(crm.port, control.sockets[0].getsockname()[1], flush=True)
    await control.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
