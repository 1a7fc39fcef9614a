"""What outlives a worker's death and a restart: what was told, and what is still to be sent.

It stands in the machine's memory, for the process that takes over, and in a file of the service's folder, for the next
start. If the file cannot be written, or is somebody else's, it stands in memory alone, and the log says so once. A disk
that hangs holds up no message: the file is written by a thread of its own.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.sdk.disk.own_file import Beginning, ForeignFileError, refuse_foreign
from bridge.sdk.disk.replaced_file import replace_file
from bridge.sdk.threads.background import BackgroundLoop
from bridge.storage.machine import MachineMemory
from bridge.storage.noticeboard import Page

_log = logging.getLogger(__name__)

_MADE_BY = "omi-bridge alerts 1"
_BEGINS = f'{{"made_by": "{_MADE_BY}"'.encode()
_LARGEST_FILE = 512 * 1024
_IDLE = 3600.0

State = dict[str, Any]


class KeptAlerts:
    """The state of the alerts, in memory and in the file at `path`."""

    def __init__(self, memory: MachineMemory, path: Path) -> None:
        self._page = Page(memory, "alerts")
        self._path = path
        self._text = self._written = ""
        self._told = ""
        self._loop = BackgroundLoop("alerts-file", self._write_file, at_end=self._write_file)

    def read(self) -> State:
        """Return what the process before, or the service before its restart, has left; nothing if it left nothing."""
        found = _state(self._page.read())
        if not found:
            try:
                with self._path.open("rb") as file:
                    found = _state(file.read(_LARGEST_FILE))
            except OSError:
                found = {}
        return found

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep it, if it is another than was kept before."""
        text = json.dumps({"made_by": _MADE_BY, **state}, ensure_ascii=False)
        if text == self._text:
            return
        self._text = text
        try:
            self._page.write(text.encode())
        except (OSError, ValueError) as error:
            self._tell(f"alerts cannot be kept in memory: {error}")
        self._loop.start()
        self._loop.wake()

    def obstacle(self) -> str:
        """Say why the file is not to be written, for what stands there is not ours, or nothing. Raises OSError."""
        try:
            refuse_foreign(self._path, Beginning(_BEGINS))
        except ForeignFileError as error:
            return str(error.strerror)
        return ""

    def close(self) -> None:
        """Write what is not written yet, waiting a moment for the disk."""
        self._loop.close()

    def _write_file(self) -> float:
        text = self._text
        if text == self._written:
            return _IDLE
        self._written = text
        try:
            replace_file(self._path, text.encode(), begins=_BEGINS)
        except OSError as error:
            why_not = error.strerror or str(error)
            self._tell(f"{self._path} cannot be written: {why_not}: after a restart, what was told is told again")
        return _IDLE

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            _log.warning("%s", problem)
        self._told = problem


def _state(content: bytes) -> State:
    try:
        found = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("made_by") == _MADE_BY else {}
