"""Where the copy of a file at an address stands, and what is known of it: one of this process alone, or one of all."""

import hashlib
import json
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bridge.sdk.disk.claim import Claim
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.disk.own_file import WithFacts
from bridge.sdk.disk.replaced_file import replacing
from bridge.sdk.errors import SourceUnavailable

_KIND, _FACTS, _LOCK = "downloaded", "downloaded.json", "downloaded.lock"


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What is known of a copy: `of` which address, when (in seconds since 1970) it changed and was last asked for.

    `digest` is that of the content, nothing if there is none; `etag` and `modified` are what the server calls it. A
    copy is `begun` unless nothing was ever written where it is to stand: then what stands there is somebody else's.
    """

    of: str
    digest: str = ""
    etag: str = ""
    modified: str = ""
    changed_at: float = 0.0
    asked_at: float = 0.0
    trouble: str = ""
    begun: bool = True


class OwnCopy:
    """A copy of this process alone, in a folder that goes with it. Raises SourceUnavailable if none can be made."""

    def __init__(self, name: str, of: str) -> None:
        self.facts = CopyFacts(of)
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="omi-bridge-")
        except OSError as error:
            raise SourceUnavailable(f"there is no room for a copy: {error.strerror or error}") from None
        self.path = Path(self._folder.name) / f"{name or 'list'}.{_KIND}"

    def store(self, content: bytes, facts: CopyFacts) -> None:
        """Replace the content. Raises SourceUnavailable if the disk does not take it."""
        _write(self.path, content, WithFacts(known=True))
        self.facts = facts

    def tell(self, facts: CopyFacts) -> None:
        """Take note of what is known now of the content that is there."""
        self.facts = facts

    def close(self) -> None:
        """Delete it."""
        self._folder.cleanup()


class SharedCopy:
    """The copy that all processes read and one writes, in the folder of what is kept of lists."""

    def __init__(self, kept: ListState, path: Path, of: str) -> None:
        self._kept = kept
        self._claim = Claim(path.with_suffix(f".{_LOCK}"))
        self.path = path
        self.facts = CopyFacts(of)

    @classmethod
    def of_list(cls, kept: ListState, of: str) -> "SharedCopy | None":
        """Return that of a list, None if nothing may be kept of it."""
        path = kept.path(_KIND)
        return cls(kept, path, of) if path and kept.writes else None

    def may_ask(self) -> bool:
        """Tell whether this process is the one that asks for all; it is until it ends, or until `close`."""
        return self._claim.take()

    @property
    def is_asked_for_elsewhere(self) -> bool:
        """Whether another process was the one."""
        return self._claim.is_elsewhere

    def holds_it(self) -> bool:
        """Tell whether there is a copy of this very address, and a whole one."""
        self.look()
        try:
            return self.facts.digest == hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            return False

    def look(self) -> None:
        """Learn what another process has told of the same address."""
        with suppress(TypeError):  # where there is nothing, or nothing that is ours
            told = CopyFacts(**(self._kept.read(_FACTS) or {}))
            self.facts = told if told.of == self.facts.of else self.facts

    def store(self, content: bytes, facts: CopyFacts) -> None:
        """Replace the content, and then what is known of it: of half a writing nothing is known.

        Raises SourceUnavailable if the disk does not take it, or what stands there is not ours.
        """
        with suppress(OSError):  # which the writing tells
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._is_begun():  # from now on what stands there is ours, also if this ends half-way
            _write(self.path, b"", WithFacts(known=False))
            self.tell(CopyFacts(facts.of))
        _write(self.path, content, WithFacts(known=True))
        self.tell(facts)

    def tell(self, facts: CopyFacts) -> None:
        """Let all know what is known now of the content that is there."""
        self.facts = facts
        self._kept.write(_FACTS, json.dumps(asdict(facts)))

    def tell_trouble(self, trouble: str) -> None:
        """Let all know why there is no copy."""
        self.tell(CopyFacts(self.facts.of, trouble=trouble, begun=self._is_begun()))

    def _is_begun(self) -> bool:
        known = self._kept.read(_FACTS)
        return known is not None and known.get("begun", True) is True

    def close(self) -> None:
        """Let another process ask."""
        self._claim.let_go()


def _write(path: Path, content: bytes, mark: WithFacts) -> None:
    try:
        with replacing(path, mark) as new:
            new.write(content)
    except OSError as error:
        raise SourceUnavailable(f"{path} cannot be written: {error.strerror or error}") from None
