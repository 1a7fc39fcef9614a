"""Credentials as they stand in the configuration: what is no credential is told when the file is loaded.

A token with a blank behind it, or a variable that nobody filled in, would be refused by the CRM at the first call, and
in words that lead nowhere. No complaint repeats the value.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bridge.sdk.settings import refuse_unfilled


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
