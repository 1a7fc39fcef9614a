"""A message by e-mail, over SMTP with a deadline for all of it.

The standard library's client limits single waits only. Here it talks over the sockets of `bridge.sdk.http`, whose every
wait ends with the deadline, the handshake and the name's resolving included: a server that drips holds nobody.
"""

import platform
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from bridge.alerts.channels import NotSent, Receipt, one_line
from bridge.alerts.message import Message
from bridge.config.alerts import Email
from bridge.sdk.deadline import Deadline
from bridge.sdk.http.address import Origin
from bridge.sdk.http.connections import tls_context
from bridge.sdk.http.environment import ProxyChoice
from bridge.sdk.http.errors import explain
from bridge.sdk.http.exchange import Exchange, connect
from bridge.sdk.resolver import Resolver

_MOST_BYTES = 1024 * 1024
_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
_TRY_LATER = range(400, 500)


class _Smtp(smtplib.SMTP):
    """A session over our sockets; made for one message."""

    def __init__(self, settings: Email, context: ssl.SSLContext | None) -> None:
        self._implicit = context if settings.tls == "implicit" else None
        super().__init__(settings.host, settings.port_in_use, local_hostname=_own_name())

    def _get_socket(self, host: str, port: int, _timeout: float | None) -> socket.socket:
        sock = connect(host, port, [])
        return self._implicit.wrap_socket(sock, server_hostname=host) if self._implicit else sock


class EmailChannel:
    """Sends messages by e-mail."""

    def __init__(self, settings: Email, resolver: Resolver | None = None) -> None:
        self._settings = settings
        self._resolver = resolver or Resolver()
        self.place = f"{settings.host}:{settings.port_in_use}"

    def send(self, message: Message, deadline: Deadline) -> Receipt:
        """Send it to all, as one message. Raises NotSent if nobody gets it."""
        exchange = Exchange(deadline, _MOST_BYTES, self._resolver)
        with exchange.under_way(), self._told_plainly(exchange):
            refused = self._deliver(letter(message, self._settings))
        told = f"{self.place} took it for {len(self._settings.to) - len(refused)} of {len(self._settings.to)} mailboxes"
        return Receipt(told, "; ".join(f"{self.place} refuses {who}: {_said(why)}" for who, why in refused.items()))

    def _deliver(self, mail: EmailMessage) -> Mapping[str, tuple[int, bytes]]:
        """Return who was refused, and why."""
        settings = self._settings
        context = None if settings.tls == "none" else self._context()
        smtp = _Smtp(settings, context)
        try:
            if settings.tls == "starttls":
                smtp.starttls(context=context)
            if settings.user and settings.password:
                smtp.login(settings.user, settings.password.get_secret_value())
            refused = smtp.send_message(mail)
            with suppress(smtplib.SMTPException, OSError):  # it has taken the message already
                smtp.quit()
        finally:
            smtp.close()
        return refused

    def _context(self) -> ssl.SSLContext:
        try:
            return tls_context(self._settings.ca_file, verify=True)
        except OSError as error:
            why = error.strerror or "it holds no certificate in PEM form"
            raise NotSent(f"ca_file cannot be used: {why}") from None

    @contextmanager
    def _told_plainly(self, exchange: Exchange) -> Iterator[None]:
        """Say in our own words what the server, the network or the library says."""
        try:
            yield
        except NotSent:
            raise
        except (smtplib.SMTPException, OSError, ValueError) as error:
            problem = self._reason(error, exchange)
        else:
            return
        raise NotSent(problem)  # outside of the handler, so that the library's words do not hang on to it

    def _reason(self, error: Exception, exchange: Exchange) -> str:
        if exchange.deadline.expired():
            return self._too_slow(silent=not exchange.received)
        silent = not exchange.received
        match error:
            case smtplib.SMTPRecipientsRefused():
                refused = "; ".join(f"{who}: {_said(why)}" for who, why in error.recipients.items())
                told = f"{self.place} refuses every mailbox of 'to': {refused}"
            case smtplib.SMTPNotSupportedError():
                told = self._not_offered("STARTTLS" if "STARTTLS" in str(error) else "way to sign in")
            case smtplib.SMTPResponseException():
                told = self._refused(error)
            case smtplib.SMTPServerDisconnected():
                told = f"{self.place} ended the connection{self._hint(silent=silent)}"
            case UnicodeError():
                told = "'user' or 'password' holds a letter with an accent, which SMTP cannot carry"
            case ssl.SSLError() if error.reason in _NOT_TLS:
                told = f"{self.place} does not begin with TLS: write 'tls: starttls' (usually port 587)"
            case _:
                place = Origin("https", self._settings.host, self._settings.port_in_use)
                told = str(explain(error, place, ProxyChoice(), silent=False)).replace("tls.ca_file", "ca_file")
                told += ": are 'host' and 'port' right?" if "refuses the connection" in told else ""
        return told

    def _refused(self, error: smtplib.SMTPResponseException) -> str:
        said = _said((error.smtp_code, error.smtp_error))
        match error:
            case smtplib.SMTPAuthenticationError() if error.smtp_code not in _TRY_LATER:
                advice = "'user' or 'password' is wrong, or it wants an app password (as Gmail does)"
            case smtplib.SMTPSenderRefused():
                advice = f"it refuses 'from' ({parseaddr(self._settings.sender)[1]})"
                advice += "" if self._settings.user else ": does it want 'user' and 'password'?"
            case _ if error.smtp_code in _TRY_LATER:
                advice = "it asks to try again later"
            case _:
                advice = "it refuses the message"
        return f"{self.place}: {advice}: {said}"

    def _not_offered(self, what: str) -> str:
        if what == "STARTTLS":
            advice = "if it is encrypted from the start, write 'tls: implicit' (usually port 465)"
        else:
            advice = "leave out 'user' and 'password', or take another port"
        return f"{self.place} offers no {what}: {advice}"

    def _too_slow(self, *, silent: bool) -> str:
        return f"{self.place} did not take the message in time{self._hint(silent=silent)}"

    def _hint(self, *, silent: bool) -> str:
        if not silent:
            return ""
        if self._settings.tls == "implicit":
            return ", without a word"
        return ", without a word: if it is encrypted from the start, write 'tls: implicit'"


def letter(message: Message, settings: Email) -> EmailMessage:
    """Write a message as an e-mail."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.subject
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.sent_at or message.at).astimezone())
    mail["Message-ID"] = f"<{message.id}@{parseaddr(settings.sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no reply from who is on holiday
    mail.set_content(message.text)
    return mail


def _said(said: tuple[int, bytes | str]) -> str:
    code, words = said
    return f"{code} {one_line(words if isinstance(words, bytes) else words.encode())}"


def _own_name() -> str:
    """Return what this machine calls itself to the server; finding out its whole name could wait for a name server."""
    name = platform.node()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
