"""A list of extensions as text: for other instances, and in a file, for a start while its source is away.

It holds names and extensions and nothing else of what the source said. The file is readable by the service's user only,
and tells whose list it is by a salted fingerprint of the settings: another account's list leads to other people.
Whatever happens to the file costs nothing but this memory.
"""

import json
import logging
import os
import time
from collections.abc import Sequence
from typing import Any

from bridge.config.identity import fingerprint, identity_of_list
from bridge.config.loading import ConfiguredList
from bridge.extensions.content import sanitised_entries
from bridge.sdk.deadline import Deadline
from bridge.sdk.disk.replaced_file import replace_file
from bridge.sdk.extension_source import KEPT_LIST_BEGINS, ExtensionEntry

_log = logging.getLogger(__name__)

_LARGEST_FILE = 64 * 1024 * 1024
_PATIENCE = 10.0
_SALT = 16  # bytes
_KINDS = ("ids", "emails", "logins", "names", "extensions")


class ListSnapshot:
    """The file of `keep`; used by one thread at a time, and nothing that the disk does raises."""

    def __init__(self, source: ConfiguredList) -> None:
        if source.config.keep is None:
            raise ValueError("the list is not to be kept")
        self._path = source.config.keep
        self._name = f"extensions.{source.name}"
        self._identity = identity_of_list(source)
        self.trouble = ""
        """Why the list could not be written, or nothing."""

    def read(self) -> tuple[ExtensionEntry, ...]:
        """Return what was kept, nothing if there is nothing that can be used."""
        try:
            with open(self._path, "rb", opener=_without_waiting) as file:
                written = time.strftime("%Y-%m-%d %H:%M", time.localtime(os.fstat(file.fileno()).st_mtime))
                entries = self._judge(json.loads(file.read(_LARGEST_FILE)))
        except FileNotFoundError:
            return ()
        except OSError as error:
            _log.warning("%s: the kept list %s cannot be read: %s", self._name, self._path.name, error.strerror)
            return ()
        except (ValueError, LookupError, TypeError, RecursionError):
            _log.warning("%s: the kept list %s is damaged, and is not used", self._name, self._path.name)
            return ()
        if entries:
            message = "%s: the list kept in %s on %s is used until the source was read"
            _log.info(message, self._name, self._path.name, written)
        return entries

    def write(self, entries: Sequence[ExtensionEntry]) -> None:
        """Replace the file, all of it on the disk or nothing; if that fails, say so once and in `trouble`."""
        salt = os.urandom(_SALT)
        data = {"salt": salt.hex(), "of": fingerprint(self._identity, salt), "list": as_data(entries)}
        try:
            replace_file(self._path, json.dumps(data).encode(), begins=KEPT_LIST_BEGINS)
        except OSError as error:
            trouble = f"the list cannot be kept in {self._path}: {error.strerror or error}"
            if trouble != self.trouble:
                _log.warning("%s: %s", self._name, trouble)
            self.trouble = trouble
        else:
            self.trouble = ""

    def obstacle(self) -> str:
        """Return what stands in the way of writing, as far as can be told without writing, or nothing."""
        folder = self._path.parent
        if not folder.is_dir():
            return f"the list cannot be kept in {self._path}: there is no such folder"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"the list cannot be kept in {self._path}: this user may not write into its folder"
        return ""

    def _judge(self, data: Any) -> tuple[ExtensionEntry, ...]:  # noqa: ANN401 - JSON
        """Return the entries if they are of this source. Raises ValueError, LookupError or TypeError for damage."""
        listed = from_data(data["list"])
        if data["of"] != fingerprint(self._identity, bytes.fromhex(data["salt"])):
            _log.warning("%s: the kept list %s is of other settings, and is not used", self._name, self._path.name)
            return ()
        return sanitised_entries(listed, Deadline.after(_PATIENCE))


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe would be waited for


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
