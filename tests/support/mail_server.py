"""A mail server on the loopback, as strict as a test wants it: aiosmtpd in a thread."""

import ssl
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.service import free_port


class MailServer:
    """Takes mail for everybody but those it refuses; with `login`, only from who signs in, over TLS."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        refused: Mapping[str, str] | None = None,
        answer: Callable[[], str] = lambda: "250 OK",
    ) -> None:
        self.received: list[EmailMessage] = []
        self.mailboxes: list[list[str]] = []
        self.signed_in: list[bool] = []
        self._refused = refused or {}
        self._answer = answer
        self._login = login
        options: dict[str, Any] = {
            "authenticator": self._authenticate,
            "auth_required": login is not None and not implicit,
        }
        if implicit:
            options |= {"ssl_context": tls, "auth_require_tls": False}
        elif tls:
            options |= {"tls_context": tls, "require_starttls": True}
        else:
            options |= {"auth_require_tls": False}
        self.port = free_port()
        self._controller = Controller(self, "127.0.0.1", self.port, **options)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self._refused:
            return self._refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer()
        if answer.startswith("250"):
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            self.received.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
            self.mailboxes.append(list(envelope.rcpt_tos))
        return answer

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _: str, data: object) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        self.signed_in.append(known)
        return AuthResult(success=known, handled=False)
