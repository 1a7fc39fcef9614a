"""Hiding secrets in what the rest connector tells: those of its settings, live tokens, and what is called a secret."""

import re
from collections.abc import Callable, Iterable

from pydantic import BaseModel

from bridge.redaction import MASK, Redaction, secrets_in
from connectors.http import Request

_SECRET_NAME = re.compile(r"key|token|secret|pass|pwd|auth|sign|session|sid|hook", re.IGNORECASE)


class Mask:
    """Knows the secrets of a connector: those of its settings, and the tokens that `live` returns at the moment."""

    def __init__(self, settings: BaseModel, live: Callable[[], Iterable[str]]) -> None:
        self._fixed = frozenset(secrets_in(settings))
        self._live = live

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        return Redaction(self._fixed.union(self._live()))(text)

    def url(self, request: Request) -> str:
        """Return the request's address, without the values of parameters whose names tell that they are secret."""
        pairs = [(key, MASK if _SECRET_NAME.search(key) else value) for key, value in request.query]
        query = "&".join(f"{key}={value}" for key, value in pairs)
        return self.text(f"{request.url}?{query}" if query else request.url)
