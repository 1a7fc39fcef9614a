"""The list of extensions from an LDAP directory: whose telephone is whose stands where people sign in.

Active Directory keeps it as `ipPhone` beside `mail` (https://learn.microsoft.com/windows/win32/adschema/a-ipphone).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from bridge.sdk import Attention, Deadline, ExtensionEntry, ExtensionSource, UnexpectedAnswer, give_way
from bridge.sdk.tables import extensions_in, shown
from connectors.ldap.settings import LdapConfig

_ACCOUNT, _LOCK, _LOCKED_AT = "userAccountControl", "nsAccountLock", "pwdAccountLockedTime"
_DISABLED = 2
"""ACCOUNTDISABLE of userAccountControl ([MS-ADTS] 2.2.16); 389 Directory Server writes `nsAccountLock: true`."""
_FOR_EVER = "000001010000Z"
"""What an administrator writes as the time of a lock (draft-behera-ldap-password-policy-10, 5.3.3): OpenLDAP's."""
_ADDRESS = "smtp:"
"""What `proxyAddresses` puts before an e-mail."""
_LIKE_A_NUMBER = 9
"""So many digits have no extension, but a telephone number."""
_MOST_SHOWN = 5
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

        wanted = (*self.config.attributes.all, _ACCOUNT, _LOCK, _LOCKED_AT)
        found = people(self.config, wanted, self._filter(), deadline)
        there = [entry for entry in found.entries if not _is_disabled(entry)]
        left_out: list[str] = []
        entries = list(self._entries(there, left_out))
        disabled = len(found.entries) - len(there)
        self._notes = (f"{len(found.entries)} people with an extension, {disabled} of them disabled",)
        if left_out:
            texts = ", ".join(map(shown, left_out[:_MOST_SHOWN])) + (", …" if len(left_out) > _MOST_SHOWN else "")
            left = f"{len(left_out)} are left out, for an extension consists of digits: {texts}"
            self._notes += (Attention(left),)
        if found.elsewhere:
            told = f"below 'base', other servers keep {found.elsewhere} more, and are not asked: are people there?"
            self._notes += (Attention(told),)
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

    def _entries(self, people: Sequence[Entry], left_out: list[str]) -> Iterator[ExtensionEntry]:
        """Give the entries of these people; what is written where no extension stands is told in `left_out`."""
        attributes = self.config.attributes
        for person in people:
            give_way()
            extensions, written = _extensions(person, attributes.extension)
            if not extensions:
                left_out += filter(None, [written])
                continue
            named = {kind: _named(person, kind, attributes.by_kind[kind]) for kind in _KINDS}
            if any(named.values()):
                yield ExtensionEntry(**{_KINDS[kind]: texts for kind, texts in named.items()}, extensions=extensions)


def _extensions(person: Entry, attributes: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the extensions in the first attribute that is filled, and one of its texts.

    The values of an attribute have no order (RFC 4512, 2.3), so they come by their digits; an outside number beside an
    extension is none.
    """
    texts = next(filter(None, (person.get(name.lower(), ()) for name in attributes)), ())
    found: dict[str, None] = {}
    for text in sorted(texts):
        with suppress(ValueError):
            found |= dict.fromkeys(extensions_in(text))
    inside = [extension for extension in found if len(texts) == 1 or len(extension) < _LIKE_A_NUMBER]
    return tuple(inside), next(iter(texts), "")


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
    is_locked |= _FOR_EVER in person.get(_LOCKED_AT.lower(), ())
    return is_locked or bool(flags.isdigit() and int(flags) & _DISABLED)
