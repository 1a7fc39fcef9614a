"""A worker's part in a reload: it makes ready what the master names, says whether it could follow, and does as told.

Each preparation has a thread of its own: one that hangs keeps neither the next word of the master from being heard, nor
calls from being answered. What is made ready after the master has given it up is released at once.
"""

import json
import logging
import threading
from collections.abc import Sequence
from functools import partial

from bridge.config.content import Content
from bridge.config.identity import changed_modules
from bridge.config.loading import Config, load_again, load_config
from bridge.local.packets import Line, Packet
from bridge.sdk.errors import ConfigError
from bridge.sdk.threads.background import BackgroundLoop
from bridge.service import ReloadRefused
from bridge.web.app import Bridge, Prepared

_log = logging.getLogger(__name__)

_MOST_TOLD = 50


class Follower:
    """What hears the master at the other end of `line`, on behalf of the process's application."""

    def __init__(self, line: Line, bridge: Bridge) -> None:
        self._line = line
        self._bridge = bridge
        self._lock = threading.Lock()
        self._number = 0
        self._prepared: Prepared | None = None

    def start(self) -> None:
        """Hear and do, in a thread of its own, until the master hangs up."""
        BackgroundLoop("reload", self._hear).start()

    def _hear(self) -> None:
        while message := self._line.receive():
            match message.said:
                case {"do": "read" | "prepare", "number": int(number)}:
                    self._give_up(number)
                    BackgroundLoop(f"reload-{number}", partial(self._prepare, number, message)).start()
                case {"do": "commit", "number": int(number)}:
                    self._commit(number)
                case {"do": "drop", "number": int(number), "refused": str(refused)}:
                    self._bridge.stay(refused)
                    self._say("done", number)
                    self._give_up(0)

    def _prepare(self, number: int, message: Packet) -> None:
        """Make ready what is named, and say yes, no, or that nothing differs."""
        try:
            reads = message.said["do"] == "read"
            config = self._read(message.beside) if reads else self._told(message.beside)
            in_force = self._bridge.service.config
            differs = config.content.differences(in_force.content, config.file)
            if reads and not differs:
                self._say("same", number, remarks=changed_modules(config))
                return
            prepared = self._bridge.prepare(config, judges=reads)
        except ConfigError as error:
            self._say("no", number, problems=list(map(str, error.problems[:_MOST_TOLD])))
        except ReloadRefused as error:
            self._say("no", number, problems=error.problems)
        except Exception as error:  # noqa: BLE001 - a reload may fail, the service may not
            _log.exception("a bug of omi-bridge in a reload")
            self._say("no", number, problems=[f"a bug of omi-bridge: {type(error).__name__}"])
        else:
            self._offer(number, prepared, differs)

    def _offer(self, number: int, prepared: Prepared, differs: Sequence[str]) -> None:
        with self._lock:
            wanted = number == self._number
            if wanted:
                self._prepared = prepared
        if not wanted:
            self._bridge.drop(prepared)
            return
        config = prepared.service.config
        remarks = [*prepared.remarks, *changed_modules(config)]
        self._say("yes", number, config.content.to_bytes(), differs=differs, remarks=remarks)

    def _commit(self, number: int) -> None:
        with self._lock:
            prepared, self._prepared = self._prepared, None
        if prepared and number == self._number:
            self._bridge.put_in_force(prepared)
            self._say("done", number)

    def _give_up(self, number: int) -> None:
        """Release what waits for a word, and want nothing but what has this number from now on."""
        with self._lock:
            prepared, self._prepared, self._number = self._prepared, None, number
        if prepared:
            self._bridge.drop(prepared)

    def _read(self, variables: bytes) -> Config:
        """Read the configuration from the disk; of the environment, what came with the request counts first."""
        return load_again(self._bridge.service.config, json.loads(variables) if variables else {})

    def _told(self, content: bytes) -> Config:
        in_force = self._bridge.service.config
        return load_config(in_force.file, overrides=in_force.overrides, content=Content.from_bytes(content))

    def _say(self, word: str, number: int, beside: bytes = b"", **more: object) -> None:
        self._line.send({"say": word, "number": number, **more}, beside)
