"""A stranger's connector to a server, by a library that knows no deadline: customers stand in an LDAP directory.

`manager` of a customer's entry is the DN of who looks after him.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ldap3 import BASE, NONE, SAFE_SYNC, SUBTREE, Connection, Server
from ldap3.core import exceptions as ldap
from pydantic import Field, SecretStr

from bridge.sdk import (
    Call,
    Connector,
    ConnectorConfig,
    Deadline,
    Owner,
    SourceRegion,
    SourceRejected,
    SourceUnavailable,
    Text,
    cut_off_at,
    hang_up,
    holds_any,
    told_as,
)

NUMBERS = ("telephoneNumber", "mobile")
LATER = (ldap.LDAPBusyResult, ldap.LDAPUnavailableResult, ldap.LDAPAdminLimitExceededResult)
ERRORS = {
    **dict.fromkeys((OSError, *LATER), SourceUnavailable),
    ldap.LDAPOperationResult: SourceRejected,  # all else that a directory may say
    ldap.LDAPException: SourceUnavailable,
}


class MyLdapConfig(ConnectorConfig):
    url: Text = Field(description="Address of the directory, such as ldaps://ldap.example.")
    user: Text = Field(description="DN of who asks.")
    password: SecretStr = Field(min_length=1, description="His password.")
    customers: Text = Field(description="DN under which the customers are.")
    staff: Text = Field(description="DN under which the owners are.")
    region: SourceRegion = Field(default="", description="Country of numbers without one.")


class MyLdap(Connector[MyLdapConfig]):
    """Asks a directory for the owners of a caller."""

    Config = MyLdapConfig
    reads_hotline = False

    @told_as(ERRORS, "the directory")
    def open(self) -> None:
        with self._signed_in(Deadline.after(self.config.timeout)) as directory:
            for base, names in ((self.config.customers, NUMBERS), (self.config.staff, ("mail",))):
                if not _search(directory, base, _any(names, "*"), names, most=1):
                    raise SourceRejected(f"no entry with {' or '.join(names)} can be read under {base}")

    @told_as(ERRORS, "the directory")
    def find_owners(self, call: Call, deadline: Deadline) -> Sequence[Owner]:
        digits = {call.caller.nsn, call.caller.legacy.lstrip("0")} - {""}
        asked = "".join(_any(NUMBERS, f"*{'*'.join(each)}*") for each in sorted(digits))
        with self._signed_in(deadline) as directory:
            found = _search(directory, self.config.customers, f"(|{asked})", (*NUMBERS, "manager"))
            mine = [one for one in found if holds_any(_texts(one, *NUMBERS), call.caller, self.config.region)]
            owners: list[Owner] = []
            for name in dict.fromkeys(name for one in mine for name in _texts(one, "manager")):
                with suppress(ldap.LDAPNoSuchObjectResult):  # he has left
                    staff = _search(directory, name, "(objectClass=*)", ("mail",), scope=BASE)
                    owners += [Owner(email=email) for one in staff for email in _texts(one, "mail")[:1]]
        return owners

    @contextmanager
    def _signed_in(self, deadline: Deadline) -> Iterator[Connection]:
        server = Server(self.config.url, get_info=NONE, connect_timeout=deadline.seconds())
        secret = self.config.password.get_secret_value()
        options = {"client_strategy": SAFE_SYNC, "auto_referrals": False, "raise_exceptions": True}
        directory = Connection(server, self.config.user, secret, check_names=False, **options)
        try:
            with cut_off_at(deadline, lambda: hang_up(directory.socket.fileno())):
                directory.open()
                directory.bind()
                yield directory
        finally:
            if directory.socket:
                directory.socket.close()


def _search(directory: Connection, base: str, asked: str, names: Sequence[str], *, scope=SUBTREE, most=0) -> list[Any]:
    _, result, found, _ = directory.search(base, asked, scope, attributes=names, size_limit=most)
    if result["result"] and not most:  # as with more entries than the server gives
        raise SourceRejected(f"the directory gives a part of the entries only: {result['description']}")
    return [one["attributes"] for one in found if one["type"] == "searchResEntry"]


def _any(names: Sequence[str], value: str) -> str:
    return f"(|{''.join(f'({name}={value})' for name in names)})"


def _texts(entry: Any, *names: str) -> list[str]:
    return [text for name in names for text in entry.get(name, ())]
