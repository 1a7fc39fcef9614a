"""A CRM in a process of its own: it knows everybody, and takes as long as it is told to.

    python bench/crm.py

Prints its port. `GET /owner?phone=…` names the owner, after a millisecond; `GET /delay?seconds=…` sets the delay.
"""

import asyncio
import json
import re

_PHONE = re.compile(rb"phone=([0-9]+)")
_SECONDS = re.compile(rb"GET /delay\?seconds=([0-9.]+)")


class Crm(asyncio.Protocol):
    """One connection to it; `delay` holds for all of them."""

    delay = 0.001

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is there as a whole; the next comes only after that."""
        self._received += data
        if b"\r\n\r\n" not in self._received:
            return
        request, self._received = self._received, b""
        if told := _SECONDS.match(request):
            Crm.delay = float(told[1])
            self._answer({})
        elif phone := _PHONE.search(request):
            record = {"phone": phone[1].decode(), "owner": "7"}
            asyncio.get_running_loop().call_later(self.delay, self._answer, {"records": [record]})

    def _answer(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + body)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Crm, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
