"""Secrets: what a credential may look like in the configuration, and how it is kept out of everything written down.

A token with a blank behind it, or a variable that nobody filled in, would be refused by the CRM at the first call, and
in words that lead nowhere: it is told when the file is loaded, and no complaint repeats the value. Redaction of logs,
tracebacks and explanations is the second line of defence: nothing is meant to write a secret in the first place.
"""

import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from bridge.sdk.readings import Span, is_plain, masked, unescaped
from bridge.sdk.settings import refuse_unfilled

_SHORTEST = 4
_SHORTEST_DERIVED, _MOST_DERIVED = 8, 500
MASK = "•••"

_derived: dict[str, None] = {}  # the oldest first
_deriving = threading.Lock()


def remember_derived(text: str) -> None:
    """Have every redaction of this process mask what was made of a secret, such as its hash, as it masks the secret.

    A signature with the time in it is another one at each call: of so many the newest are known.
    """
    if len(text) < _SHORTEST_DERIVED:
        return
    with _deriving:
        _derived.pop(text, None)
        _derived[text] = None
        if len(_derived) > _MOST_DERIVED:
            del _derived[next(iter(_derived))]


class Redaction:
    """Replaces known secrets by a mask, however they are escaped, if they are written in base64, and what is derived.

    Secrets of fewer than four characters are left alone: masking "1" would make every line unreadable.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self._passing: tuple[tuple[str, ...], ...] = ()
        self.replace_secrets(secrets)

    def replace_secrets(self, secrets: Iterable[str]) -> None:
        """Mask `secrets` from now on, and no others."""
        self._forms = _all_forms(secrets)

    @contextmanager
    def also(self, secrets: Iterable[str]) -> Iterator[None]:
        """Mask these too, for as long as it is entered, whatever is replaced meanwhile."""
        forms = _all_forms(secrets)
        self._passing += (forms,)
        try:
            yield
        finally:
            self._passing = tuple(one for one in self._passing if one is not forms)

    def __call__(self, text: str) -> str:
        """Return `text` with every secret masked."""
        nothing_known = not (self._forms or self._passing or _derived)
        if nothing_known or (is_plain(text) and not any(True for _ in self._find(text))):
            return text
        return masked(text, self._find, MASK)

    def _find(self, text: str) -> Iterator[Span]:
        """Find the secrets; in a query a plus is a blank, and somebody may have undone that where it was none."""
        text = text.replace("+", " ")
        derived = (one.replace("+", " ") for one in list(_derived))
        for form in chain(self._forms, *self._passing, derived):
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + len(form))


def _all_forms(secrets: Iterable[str]) -> tuple[str, ...]:
    forms = {form.replace("+", " ") for secret in secrets for form in _forms(secret)}
    return tuple(form for form in forms if len(form) >= _SHORTEST)


def _forms(secret: str) -> Iterator[str]:
    """Return how a secret reads when no escape is left, and what is in base64 the same whatever stands around it."""
    if len(secret) < _SHORTEST:
        return
    data = secret.encode("utf-8", "surrogatepass")
    yield from (secret, unescaped(secret), data.decode("latin-1"))
    for before in range(3):
        written = b64encode(bytes(before) + data).decode()
        inner = written[-(-8 * before // 6) : 8 * (before + len(data)) // 6]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))


def secrets_in(settings: object) -> Iterator[str]:
    """Find every SecretStr inside a model, however deep."""
    if isinstance(settings, SecretStr):
        yield settings.get_secret_value()
    elif isinstance(settings, BaseModel):
        for name in type(settings).model_fields:
            yield from secrets_in(getattr(settings, name))
    elif isinstance(settings, Mapping):
        for item in settings.values():
            yield from secrets_in(item)
    elif isinstance(settings, (list, tuple)):
        for item in settings:
            yield from secrets_in(item)


def _as_it_is_sent(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text != text.strip():
        raise ValueError("begins or ends with a blank or a line break, which belongs to no credential: take it out")
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text):  # noqa: PLR2004 - Unicode's Cc
        raise ValueError("holds a control character, such as a line break or a tab: take it out")
    refuse_unfilled(text)
    return secret


def _for_a_header(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isascii():
        raise ValueError("holds a character that no header can carry, such as an accent or a curly quotation mark")
    return secret


def _prefix(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("holds a character that no header can carry")
    return text


def repeats(prefix: str, secret: SecretStr) -> bool:
    """Tell whether a credential begins with the word that is sent before it anyway."""
    return bool(prefix) and secret.get_secret_value().casefold().startswith(f"{prefix.strip().casefold()} ")


REPEATED = "begins with the word that is sent before it anyway, that of 'prefix': leave it out here"

Prefix = Annotated[str, AfterValidator(_prefix)]
"""The word before a credential in a header."""

Password = Annotated[SecretStr, AfterValidator(_as_it_is_sent)]
"""A secret text that may be empty."""

Credential = Annotated[Password, Field(min_length=1)]
"""A secret text."""

HeaderCredential = Annotated[Credential, AfterValidator(_for_a_header)]
"""A secret text that is sent in a header."""
