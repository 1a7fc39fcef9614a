"""How to read who has which extension from an LDAP directory, as it is configured."""

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.sdk import Credential, ExtensionSourceConfig, OneOrMore, Switch, Text, located
from bridge.sdk.http import Tls

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*")
"""RFC 4512, section 2.5."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_WHAT_IT_IS = "write ldaps://HOST, or ldap://HOST with 'starttls: true'"


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"ldap", "ldaps"} and parts.hostname and (parts.port or True)
    except ValueError:
        is_one = False
    if not is_one or parts.username or parts.query or parts.path.strip("/"):
        raise ValueError(f"not the address of a directory: {_WHAT_IT_IS}; what is searched stands under 'base'")
    return url.rstrip("/")


def _attribute(name: str) -> str:
    if not _ATTRIBUTE.fullmatch(name):
        raise ValueError("not the name of an attribute, such as mail or ipPhone")
    return name


Attributes = Annotated[list[Annotated[Text, AfterValidator(_attribute)]], OneOrMore()]
"""One or several names of attributes."""


class LdapAttributes(BaseModel):
    """Where the entry of somebody who works here holds what leads to him, and his extension."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    extension: Attributes = Field(
        default=["ipPhone"], min_length=1, description="His extension; of several the first that is filled."
    )
    email: Attributes = Field(default=["mail"], description="His e-mails; all of them lead to him.")
    login: Attributes = Field(default=["sAMAccountName", "uid"], description="His logins.")
    name: Attributes = Field(
        default=["displayName", "cn"], description="His name; of several the first that is filled."
    )
    owner_id: Attributes = Field(default=[], description="His id in the CRM, if the directory holds it.")

    @property
    def all(self) -> Sequence[str]:
        """All names, each once."""
        return list(dict.fromkeys(name for names in self.by_kind.values() for name in names))

    @property
    def by_kind(self) -> Mapping[str, Sequence[str]]:
        """The names, by what they hold."""
        return {kind: getattr(self, kind) for kind in type(self).model_fields}


class LdapConfig(ExtensionSourceConfig):
    """The settings of the source of extensions `ldap`."""

    url: Annotated[Text, AfterValidator(_address)] = Field(description="Address of the directory: ldaps://HOST.")
    base: Text = Field(description="DN below which the people are, such as DC=congty,DC=example.")
    user: Text | None = Field(
        default=None, description="Who asks: a DN, or with Active Directory an address such as omi@congty.example."
    )
    password: Credential | None = Field(default=None, description="His password.")
    starttls: Switch = Field(default=False, description="Begin TLS on an address with ldap://.")
    filter: Text | None = Field(
        default=None, description="Which entries count (RFC 4515); those with an extension, if left out."
    )
    attributes: LdapAttributes = Field(default=LdapAttributes(), description="Which attribute holds what.")
    tls: Tls = Field(default=Tls(), description="Whom to trust: ca_file, verify.")

    @property
    def host(self) -> str:
        """The directory's host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        return urlsplit(self.url).port or (636 if self.has_tls_at_once else 389)

    @property
    def has_tls_at_once(self) -> bool:
        """Whether the connection begins with TLS."""
        return urlsplit(self.url).scheme == "ldaps"

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if find_spec("ldap3") is None:
            raise ValueError(
                "ldap3, which asks directories, is not installed: in the folder of omi-bridge: "
                "make install EXTRAS=ldap (for a service: docs/deploy.md, step 2)"
            )
        if self.filter and not self._is_a_filter():
            raise located(("filter",), "no filter: write one such as (&(objectClass=user)(department=Sales))")
        return self

    @model_validator(mode="after")
    def _keeps_the_password(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("who asks needs both: 'user' and 'password'")
        if self.has_tls_at_once and self.starttls:
            raise located(("starttls",), "ldaps:// begins with TLS: leave 'starttls' out")
        is_in_clear = not (self.has_tls_at_once or self.starttls or self.host in _LOOPBACK)
        if is_in_clear and self.password:
            raise located(("url",), f"everybody on the way could read the password: {_WHAT_IT_IS}")
        return self

    def _is_a_filter(self) -> bool:
        from connectors.ldap.library import is_filter  # noqa: PLC0415 - the library need not be there

        return is_filter(self.filter or "")
