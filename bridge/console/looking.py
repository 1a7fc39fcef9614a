"""Has a customers' file looked at by a process of its own, one at a time: `bridge.insight.look_child` says why.

Nothing of the file is read here, and nothing of it stays: neither a bomb nor a bug in a library reaches the console.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from bridge.insight.client import AnswerRefused
from bridge.insight.turns import take_turn
from bridge.sdk.shared import Turns

PER_MINUTE = 6
"""How many files may be looked at in a minute, by everybody together."""

_PATIENCE = 50.0  # seconds: its own clock ends it before that
_COMMAND = (sys.executable, "-P", "-m", "bridge.insight.look_child")
_ENDED_BY = {-signal.SIGALRM: "look-time", -signal.SIGKILL: "look-memory", -signal.SIGABRT: "look-memory"}
_log = logging.getLogger(__name__)


class FileLooker:
    """Looks at one file at a time; `turns` count how often, `patience` is for how many seconds.

    `command` is what looks, to which the descriptor is added.
    """

    def __init__(self, turns: Turns, *, patience: float = _PATIENCE, command: Sequence[str] = _COMMAND) -> None:
        self._turns = turns
        self._command = command
        self._patience = patience
        self._busy = threading.Lock()

    def look(self, file: IO[bytes], wanted: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        """Return what is found in the file, an open one with a descriptor.

        Raises AnswerRefused with `look-busy`, `look-often`, `look-time`, `look-memory` or `bug`.
        """
        if not self._busy.acquire(blocking=False):
            raise AnswerRefused("look-busy")
        try:
            take_turn(self._turns, PER_MINUTE, "look-often")
            file.flush()
            found = self._said(file.fileno(), json.dumps(wanted).encode())
        finally:
            self._busy.release()
        if failed := found.get("failed"):
            if told := found.get("bug"):
                _log.error("a bug of omi-bridge in looking at a file: %s", told)
            raise AnswerRefused(failed)
        return found

    def _said(self, descriptor: int, wanted: bytes) -> Any:  # noqa: ANN401 - any JSON
        with subprocess.Popen(  # noqa: S603 - our own
            [*self._command, str(descriptor)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(descriptor,),
            start_new_session=True,  # so that what it has started ends with it
        ) as child:
            try:
                said, _ = child.communicate(wanted, timeout=self._patience)
            except subprocess.TimeoutExpired:
                raise AnswerRefused("look-time") from None
            finally:
                if child.returncode != 0:
                    with suppress(ProcessLookupError):
                        os.killpg(child.pid, signal.SIGKILL)
        if child.returncode == 0:
            return json.loads(said)
        _log.warning("looking at a file ended with %d", child.returncode)
        raise AnswerRefused(_ENDED_BY.get(child.returncode, "bug"))
