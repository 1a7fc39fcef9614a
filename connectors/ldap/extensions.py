"""The list of extensions from an LDAP directory: whose telephone is whose stands where people sign in.

Active Directory keeps it as `ipPhone` beside `mail` (https://learn.microsoft.com/windows/win32/adschema/a-ipphone).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from bridge.sdk import Deadline, ExtensionEntry, ExtensionSource, UnexpectedAnswer, give_way
from bridge.sdk.tables import extensions_in
from connectors.ldap.settings import LdapConfig

_log = logging.getLogger(__name__)

_ACCOUNT, _LOCK = "userAccountControl", "nsAccountLock"
_DISABLED = 2
"""ACCOUNTDISABLE of userAccountControl ([MS-ADTS] 2.2.16); 389 Directory Server writes `nsAccountLock: true`."""
_ADDRESS = "smtp:"
"""What `proxyAddresses` puts before an e-mail."""
_KINDS = {"owner_id": "ids", "email": "emails", "login": "logins", "name": "names"}

Entry = Mapping[str, Sequence[str]]


class LdapExtensions(ExtensionSource[LdapConfig]):
    """Reads the people of a directory: their e-mails, logins and names lead to their extensions."""

    Config: ClassVar[type[LdapConfig]] = LdapConfig

    def __init__(self, config: LdapConfig) -> None:
        super().__init__(config)
        self._notes: tuple[str, ...] = ()

    def read(self, deadline: Deadline) -> Sequence[ExtensionEntry]:
        """Return whoever has an extension and is not disabled.

        Raises UnexpectedAnswer if nobody has one, for a list that was emptied is no list.
        """
        from connectors.ldap.directory import people  # noqa: PLC0415 - the library need not be there

        wanted = (*self.config.attributes.all, _ACCOUNT, _LOCK)
        found = list(people(self.config, wanted, self._filter(), deadline))
        there = [entry for entry in found if not _is_disabled(entry)]
        entries = list(self._entries(there))
        self._notes = (f"{len(found)} people with an extension, {len(found) - len(there)} of them disabled",)
        if not entries:
            names = " or ".join(self.config.attributes.extension)
            raise UnexpectedAnswer(
                f"nobody under 'base' whom 'filter' lets through has {names}: attributes.extension names what holds it"
            )
        return entries

    def report(self) -> Sequence[str]:
        """Return how many people were found."""
        return self._notes

    def _filter(self) -> str:
        """Return the filter of the configuration, for those alone who have an extension."""
        has_one = "".join(f"({name}=*)" for name in self.config.attributes.extension)
        return f"(&{self.config.filter or ''}(|{has_one}))"

    def _entries(self, people: Sequence[Entry]) -> Iterator[ExtensionEntry]:
        left_out = 0
        for person in people:
            give_way()
            attributes = self.config.attributes
            written = next(iter(_values(person, attributes.extension)), "")
            try:
                extensions = tuple(extensions_in(written))
            except ValueError:
                left_out += 1
                continue
            named = {kind: _named(person, kind, attributes.by_kind[kind]) for kind in _KINDS}
            if extensions and any(named.values()):
                yield ExtensionEntry(**{_KINDS[kind]: texts for kind, texts in named.items()}, extensions=extensions)
        if left_out:
            _log.warning("%s: %d people are left out: an extension consists of digits", self.config.host, left_out)


def _named(person: Entry, kind: str, attributes: Sequence[str]) -> Sequence[str]:
    """Return what leads to a person: all of what is one's own, and one name."""
    values = _values(person, attributes)
    if kind == "name":
        return values[:1]
    if kind == "email":
        bare = (value[len(_ADDRESS) :] if value.lower().startswith(_ADDRESS) else value for value in values)
        return tuple(value for value in bare if "@" in value)
    return values


def _values(person: Entry, attributes: Sequence[str]) -> Sequence[str]:
    return tuple(value for name in attributes for value in person.get(name.lower(), ()))


def _is_disabled(person: Entry) -> bool:
    """Tell whether the person may not sign in any more: who has left is disabled, and kept."""
    flags = next(iter(person.get(_ACCOUNT.lower(), ())), "0")
    is_locked = any(value.upper() == "TRUE" for value in person.get(_LOCK.lower(), ()))
    return is_locked or bool(flags.isdigit() and int(flags) & _DISABLED)
