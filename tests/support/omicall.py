"""OMICall's public API for tests: a real HTTP server with sign-in, tokens that can be called back, pages and faults.

Every internal phone has a SIP password, as at OMICall. It is worked out anew for each answer and kept nowhere, so that
a test may search the whole memory for what became of it.
"""

import hashlib
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from bridge.config.loading import ConfiguredList
from connectors.omicall.extensions import OmicallConfig, OmicallExtensions
from tests.support.servers import Asked, HttpServer, Reply

API_KEY = "omicall-key-4711"
Fault = Callable[[Asked], Reply | None]


def phone(extension: str, email: str = "", name: str = "", agent_id: str = "") -> dict[str, Any]:
    """Return an internal phone as OMICall lists it, without its password."""
    item = {"domain": "congty", "sip_user": extension, "full_name": name, "agent_id": agent_id, "email": email}
    return {**item, "public_number": "842499950291", "created_date": 1574133910912}


def sip_password(extension: str) -> str:
    return "sip" + hashlib.sha256(extension.encode()).hexdigest()[:21]


def answer(payload: object, status_code: object = 9999, **more: object) -> Reply:
    return Reply(json.dumps({"status_code": status_code, "instance_id": "stg", "payload": payload, **more}).encode())


class Omicall:
    """Used with `with`. `fault` may answer a request in its own way; None from it lets the usual answer pass."""

    def __init__(self, *phones: dict[str, Any]) -> None:
        self.phones = list(phones)
        self.fault: Fault | None = None
        self.page_size: int | None = None
        self.signed_in = 0
        self._token = ""
        self._server = HttpServer(self._reply)
        self.url = self._server.url
        self.host = self._server.host

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, traceback)

    @property
    def pages_asked(self) -> list[str]:
        """The numbers of the pages that were asked for."""
        return [parse_qs(urlsplit(asked.path).query)["page"][0] for asked in self._server.requests if is_list(asked)]

    def call_back_tokens(self) -> None:
        self._token = ""

    def source(self, **settings: Any) -> ConfiguredList:
        """Return the source of extensions that leads here."""
        written = {"api_key": API_KEY, "url": self.url, "keep": None, **settings}
        return ConfiguredList("omicall", OmicallExtensions, OmicallConfig.model_validate(written), written)

    def _reply(self, asked: Asked) -> Reply:
        usual = self.fault(asked) if self.fault else None
        if usual is not None:
            return usual
        parts = urlsplit(asked.path)
        query = parse_qs(parts.query)
        if parts.path == "/api/auth":
            return self._sign_in(query)
        if not is_list(asked):
            return Reply(b"<html>no such page</html>", 404)
        if not self._token or asked.headers.get("Authorization") != f"Bearer {self._token}":
            return answer(None, -9999, message="token_invalid")
        return answer(self.page(int(query["page"][0]), self.page_size or int(query["size"][0])))

    def _sign_in(self, query: dict[str, list[str]]) -> Reply:
        if query.get("apiKey") != [API_KEY]:
            return answer(None, -9999, message="api_key_invalid")
        self.signed_in += 1
        self._token = f"token-{self.signed_in}"
        return answer({"access_token": self._token, "access_type": "normal", "token_type": "Bearer"})

    def page(self, number: int, size: int) -> dict[str, Any]:
        """Return a page as OMICall does, with everybody's password."""
        pages = -(-len(self.phones) // size)
        chosen = self.phones[(number - 1) * size : number * size]
        items = [{**item, "password": sip_password(item["sip_user"])} for item in chosen]
        counts = {"page_number": number, "page_size": size, "total_items": len(self.phones), "total_pages": pages}
        return {"items": items, **counts, "has_next": number < pages, "next_page": min(number + 1, pages)}


def is_list(asked: Asked) -> bool:
    return asked.path.startswith("/api/call_center/internal_phone/list?")
