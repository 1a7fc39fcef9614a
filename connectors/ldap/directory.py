"""Asking an LDAP directory: signed in, page by page, until a deadline that holds for all of it.

The library knows no such deadline: when it is over, the connection is cut off. Referrals to other servers are not
followed: nobody gave the password for them.
"""

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bridge.sdk import Deadline, SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer, cut_off_at, hang_up
from bridge.sdk.http import Tls
from connectors.ldap.library import exceptions as ldap
from connectors.ldap.library import ldap3
from connectors.ldap.settings import LdapConfig

Entry = Mapping[str, Sequence[str]]
"""What an entry holds that can be read as text, by the names of its attributes in small letters."""

_PAGE = 500
"""Active Directory gives 1000 at most ([MS-ADTS] 3.1.1.3.4.6, MaxPageSize)."""
_PAGED = "1.2.840.113556.1.4.319"  # RFC 2696
_MOST = 100_000
_DATA = re.compile(r"\bdata ([0-9a-f]{3,4})\b")
_WHY_NOT = {
    "525": "there is no such user",
    "52e": "the password is wrong",
    "530": "the user may not sign in at this hour",
    "531": "the user may not sign in from this machine",
    "532": "the password has expired",
    "533": "the user is disabled",
    "701": "the user's account has expired",
    "773": "the user has to change the password first",
    "775": "the user is locked out",
}
"""What Active Directory says behind "data" (https://learn.microsoft.com/windows/win32/debug/system-error-codes)."""
_REJECTED: Mapping[type[Exception], str] = {
    ldap.LDAPNoSuchObjectResult: "has nothing under 'base': is it right?",
    ldap.LDAPInvalidDNSyntaxResult: "says that 'base' or 'user' is no DN, such as DC=congty,DC=example",
    ldap.LDAPInsufficientAccessRightsResult: "does not let 'user' read the people under 'base'",
    ldap.LDAPStrongerAuthRequiredResult: "wants TLS: write ldaps://HOST, or 'starttls: true'",
    ldap.LDAPConfidentialityRequiredResult: "wants TLS: write ldaps://HOST, or 'starttls: true'",
    ldap.LDAPInappropriateAuthenticationResult: "wants a 'user' and a 'password'",
    ldap.LDAPOperationsErrorResult: "refuses: Active Directory says so to whoever did not sign in: 'user', 'password'",
    ldap.LDAPAdminLimitExceededResult: "looks through no more entries than a limit, and has more: raise it for 'user', "
    "let it index what holds the extension, or let 'filter' find fewer",
    ldap.LDAPProtocolErrorResult: "does not understand the request: does it speak LDAP 3, and TLS by 'starttls'?",
}
_LATER = (ldap.LDAPBusyResult, ldap.LDAPUnavailableResult)

_ELSEWHERE = 10
"""The result `referral` (RFC 4511, 4.1.10), which the library takes for no error."""


@dataclass(slots=True)
class FoundPeople:
    """What a directory has below the base; `elsewhere` counts the places that it says other servers keep."""

    entries: list[Entry]
    elsewhere: int = 0


def people(settings: LdapConfig, attributes: Sequence[str], asked: str, deadline: Deadline) -> FoundPeople:
    """Return the entries below the base that the filter `asked` lets through. Raises SourceError."""
    found = FoundPeople([])
    with _signed_in(settings, deadline) as directory:
        count, cookie = 0, None
        while cookie or not count:
            options = {"paged_size": _PAGE, "paged_cookie": cookie, "attributes": list(attributes)}
            _, result, page, _ = directory.search(settings.base, asked, ldap3.SUBTREE, **options)
            if result["result"] == _ELSEWHERE:
                raise SourceRejected(f"{_place(settings)} says that another server has what is under 'base': ask that")
            if result["result"]:
                raise SourceRejected(
                    f"{_place(settings)} gives a part of the entries only ({result['description']}): let it give all "
                    "to 'user', or let 'filter' find fewer"
                )
            for one in page:
                if one["type"] == "searchResEntry":
                    found.entries.append(_entry(one["raw_attributes"]))
                else:
                    found.elsewhere += not _has_no_people(one.get("uri", ()))
            count += len(page) or 1
            if count > _MOST:
                raise UnexpectedAnswer(
                    f"{_place(settings)} has more than {_MOST} entries there: let 'filter' find fewer"
                )
            cookie = result.get("controls", {}).get(_PAGED, {}).get("value", {}).get("cookie")
    return found


class _OurTls(ldap3.Tls):  # type: ignore[misc]  # the library has no types
    """TLS by Python's own context, which looks at the host's name as well: the library's way is gone from 3.12 on."""

    def __init__(self, settings: Tls) -> None:
        super().__init__()
        self._settings = settings

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ANN401 - the library's signature
        """Begin TLS on the connection's socket."""
        context = ssl.create_default_context(cafile=self._settings.ca_file)
        if not self._settings.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host = connection.server.host
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=host, do_handshake_on_connect=do_handshake
        )


@contextmanager
def _signed_in(settings: LdapConfig, deadline: Deadline) -> Iterator[Any]:
    directory = None
    try:
        directory = _connection(settings, deadline.seconds())
        with cut_off_at(deadline, lambda: hang_up(directory.socket.fileno)):
            directory.open()
            if settings.starttls:
                directory.start_tls()
            directory.bind()
            _refuse_unless_bound(directory, settings)
            yield directory
    except SourceError:
        raise
    except (ldap.LDAPException, OSError) as error:
        raise _explained(error, settings, is_late=deadline.expired()) from None
    except Exception:  # noqa: BLE001 - what the library falls over when an answer does not end where it says
        raise SourceUnavailable(f"{_place(settings)} answers in no LDAP that can be read: is the port right?") from None
    finally:
        if directory and directory.socket:
            directory.socket.close()


def _connection(settings: LdapConfig, seconds: float) -> Any:  # noqa: ANN401 - the library has no types
    server = ldap3.Server(
        settings.host,
        settings.port,
        use_ssl=settings.has_tls_at_once,
        tls=_OurTls(settings.tls),
        get_info=ldap3.NONE,
        connect_timeout=seconds,
    )
    return ldap3.Connection(
        server,
        settings.user,
        settings.password.get_secret_value() if settings.password else None,
        client_strategy=ldap3.SAFE_SYNC,
        auto_referrals=False,
        raise_exceptions=True,
        check_names=False,
    )


def _refuse_unless_bound(directory: Any, settings: LdapConfig) -> None:  # noqa: ANN401 - the library has no types
    """Raise SourceRejected after a referral, which raises nothing: who goes on is asked as a stranger."""
    if not directory.bound:
        raise SourceRejected(f"{_place(settings)} does not sign 'user' in: another server has him: ask that")


def _explained(error: Exception, settings: LdapConfig, *, is_late: bool) -> SourceError:
    """Return what an error of the library means, in words that hold no secret."""
    meaning: type[SourceError] = SourceUnavailable
    if is_late:
        words = "did not answer in time"
    elif isinstance(error, ldap.LDAPOperationResult) and not isinstance(error, _LATER):
        meaning, words = SourceRejected, _refusal(error)
    elif isinstance(error, _LATER):
        words = f"asks to try again later ({error.description})"
    elif "certificate" in str(error).lower():
        words = "has a certificate that is not trusted: is tls.ca_file needed, and the name right?"
    elif isinstance(error, ldap.LDAPSocketOpenError):
        words = f"cannot be reached: {_reason(str(error))}"
    elif isinstance(error, ldap.LDAPStartTLSError):
        meaning, words = SourceRejected, "cannot begin TLS: write ldaps://HOST instead of 'starttls'"
    else:
        words = "ended the connection"
    return meaning(f"{_place(settings)} {words}")


def _refusal(error: Any) -> str:  # noqa: ANN401 - the library has no types
    if isinstance(error, ldap.LDAPInvalidCredentialsResult):
        known = _DATA.search(str(error.message))
        return f"refuses the sign-in: {_WHY_NOT.get(known[1] if known else '', 'user or password is wrong')}"
    return next(
        (words for kind, words in _REJECTED.items() if isinstance(error, kind)), f"refuses: {error.description}"
    )


def _reason(text: str) -> str:
    """Return why no connection came about, in words."""
    known = {
        "refused": "it refuses the connection",
        "timed out": "it did not answer in time",
        "address": "its name cannot be resolved",
        "ssl": "no TLS connection: does it speak TLS at this port?",
    }
    return next((words for sign, words in known.items() if sign in text.lower()), "no connection came about")


def _has_no_people(addresses: Sequence[str]) -> bool:
    """Tell whether these are of the places without people to which each Active Directory refers at its root."""
    return any(name in address.lower() for address in addresses for name in ("dnszones", "/cn=configuration,"))


def _place(settings: LdapConfig) -> str:
    return f"{settings.host}:{settings.port}"


def _entry(attributes: Mapping[str, Sequence[bytes]]) -> Entry:
    """Return what can be read; what has options, such as `mail;lang-vi`, is among what has none, too."""
    entry: dict[str, list[str]] = {}
    for name, values in attributes.items():
        written = name.lower()
        for key in dict.fromkeys((written, written.partition(";")[0])):
            entry.setdefault(key, []).extend(filter(None, map(_text, values)))
    return entry


def _text(value: bytes) -> str:
    """Return a value as text; nothing if it is none, such as a picture."""
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""
