"""A list of extensions as text: for the disk, and for other instances. Names and extensions, and nothing else."""

import json
from collections.abc import Sequence
from typing import Any

from bridge.sdk.extension_source import ExtensionEntry

_KINDS = ("ids", "emails", "logins", "names", "extensions")


def as_data(entries: Sequence[ExtensionEntry]) -> list[dict[str, list[str]]]:
    """Return what JSON can hold."""
    return [{kind: list(getattr(entry, kind)) for kind in _KINDS} for entry in entries]


def from_data(data: Any) -> list[ExtensionEntry]:  # noqa: ANN401 - JSON
    """Return the entries, not judged yet. Raises LookupError or TypeError for what `as_data` would not have made."""
    return [ExtensionEntry(**{kind: entry[kind] for kind in _KINDS}) for entry in data]


def as_text(entries: Sequence[ExtensionEntry]) -> bytes:
    """Return them as one text."""
    return json.dumps(as_data(entries)).encode()


def is_text(content: bytes) -> bool:
    """Tell whether `from_text` can read it."""
    try:
        from_text(content)
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return True


def from_text(content: bytes) -> list[ExtensionEntry]:
    """Return the entries in a text; raises ValueError, LookupError, TypeError or RecursionError if it is damaged."""
    return from_data(json.loads(content))
