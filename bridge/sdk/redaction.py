"""Secrets taken out of everything that is written down: logs, tracebacks, explanations.

The second line of defence: nothing is meant to write a secret in the first place.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

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
