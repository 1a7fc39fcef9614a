"""Hiding secrets in what the rest connector tells: also as a URL spells them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

from connectors.http import Request

_SECRET_NAME = re.compile(r"key|token|secret|pass|pwd|auth|sign|session|sid|hook", re.IGNORECASE)
_MASK = "***"


class Mask:
    """Knows the secrets of a connector: those of its settings, and the tokens that `live` returns at the moment."""

    def __init__(self, settings: BaseModel, live: Callable[[], Iterable[str]]) -> None:
        self._fixed = frozenset(_secrets(settings))
        self._live = live

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        for secret in sorted(self._fixed.union(self._live()), key=len, reverse=True):
            for spelling in (secret, quote(secret, safe="")) if secret else ():
                text = text.replace(spelling, _MASK)
        return text

    def url(self, request: Request) -> str:
        """Return the request's address, without the values of parameters whose names tell that they are secret."""
        pairs = [(key, _MASK if _SECRET_NAME.search(key) else value) for key, value in request.query]
        query = "&".join(f"{key}={value}" for key, value in pairs)
        return self.text(f"{request.url}?{query}" if query else request.url)


def _secrets(value: object) -> Iterator[str]:
    """Find every secret inside a model, however deep."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets(item)
