"""Secrets: what a credential may look like in the configuration, and how it is kept out of everything written down.

A token with a blank behind it, or a variable that nobody filled in, would be refused by the CRM at the first call, and
in words that lead nowhere: it is told when the file is loaded, and no complaint repeats the value. Redaction of logs,
tracebacks and explanations is the second line of defence: nothing is meant to write a secret in the first place.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated
from urllib.parse import quote, quote_plus

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from bridge.sdk.settings import refuse_unfilled

_SHORTEST = 4
MASK = "•••"


class Redaction:
    """Replaces known secrets, also in the forms that they take inside a URL, by a mask.

    Secrets of fewer than four characters are left alone: masking "1" would make every line unreadable.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._pattern: re.Pattern[str] | None = None
        self.replace_secrets(secrets)

    def replace_secrets(self, secrets: Iterable[str]) -> None:
        """Mask `secrets` from now on, and no others."""
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        longest_first = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return `text` with every secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text


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
