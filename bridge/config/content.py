"""What a configuration consists of: its file, the files and the variables that it names; read once, used by many.

Several processes put one configuration in force, and one that is started later takes the same: so what was read is kept
as it was, and whoever reads the configuration again from this content reads neither a file nor the environment.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_DOCUMENT = 1024 * 1024
LARGEST_SECRET = 64 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of the configuration file and of each `${file:…}`, by its name there, and each variable that is set."""

    document: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)

    def differences(self, before: "Content", file: Path) -> list[str]:
        """Name what is not as it was, without any value: `config.yaml`, `the file PATH`, `$NAME`."""
        found = [file.name] if self.document != before.document else []
        found += [f"the file {name}" for name in _changed(self.files, before.files)]
        return found + [f"${name}" for name in _changed(self.variables, before.variables)]

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads in another process."""
        files = {name: content.decode("latin-1") for name, content in self.files.items()}
        parts = [self.document.decode("latin-1"), files, dict(self.variables)]
        return json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")

    @classmethod
    def from_bytes(cls, written: bytes) -> "Content":
        """Return the content that `to_bytes` has written."""
        document, files, variables = json.loads(written.decode("utf-8", "surrogatepass"))
        return cls(
            document.encode("latin-1"), {name: text.encode("latin-1") for name, text in files.items()}, variables
        )


class ContentReader:
    """Gives each part of a configuration when it is asked for, and keeps what it gave.

    Parts come from the disk and the `environment` or, if it is given, from a `content` alone.
    """

    def __init__(self, file: Path, environment: Mapping[str, str], content: Content | None = None) -> None:
        self._file = file
        self._environment = content.variables if content else environment
        self._given = content
        self._document = b""
        self._files: dict[str, bytes] = {}
        self._variables: dict[str, str] = {}

    @property
    def directory(self) -> Path:
        """The folder to which paths are relative."""
        return self._file.absolute().parent

    @property
    def content(self) -> Content:
        """All that was given."""
        return Content(self._document, self._files, self._variables)

    def document(self) -> bytes:
        """Return the configuration file, a byte more than 1 MiB of it at most; raises OSError."""
        self._document = self._given.document if self._given else _start_of(self._file, LARGEST_DOCUMENT)
        return self._document

    def file(self, name: str) -> bytes:
        """Return the file of `${file:NAME}`, a byte more than 64 KiB of it at most; raises OSError, ValueError."""
        if self._given and name in self._given.files:
            self._files[name] = self._given.files[name]
        else:
            self._files[name] = _start_of(self.directory / name, LARGEST_SECRET)
        return self._files[name]

    def variable(self, name: str) -> str | None:
        """Return an environment variable, None if it is not set."""
        value = self._environment.get(name)
        if value is not None:
            self._variables[name] = value
        return value


def _start_of(file: Path, most: int) -> bytes:
    with file.open("rb") as stream:
        return stream.read(most + 1)


def _changed(now: Mapping[str, object], before: Mapping[str, object]) -> list[str]:
    return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
