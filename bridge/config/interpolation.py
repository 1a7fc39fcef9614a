"""What `${…}` in the configuration stands for: environment variables and files, mostly secrets.

`${NAME}` is a variable that must be set, `${NAME:-default}` one that may be missing or empty, `${file:/run/secrets/x}`
the text of a file without the line break at its end; `$${` writes a plain `${`. What was put in is not filled in again.
"""

import re

from bridge.config.content import LARGEST_SECRET, ContentReader
from bridge.sdk.disk.unreadable_file import why_unreadable

_REFERENCE = re.compile(r"\$(?P<escaped>\$(?=\{))|\$\{(?P<inner>[^{}]*)\}|\$\{")
_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
SECRET_NAME = re.compile(r"key|secret|token|pass|pwd|credential|auth|webhook", re.IGNORECASE)
"""What a name of something has in it that is a secret."""
_ASSIGNED = re.compile(r"(?:export\s+)?[A-Z][A-Z0-9_]*\s?=[^=]")


class Interpolation:
    """Fills in references and remembers the secrets among what it put in.

    A value counts as a secret if it came from a file or from a variable whose name says so.
    """

    def __init__(self, reader: ContentReader) -> None:
        self._reader = reader
        self.secrets: set[str] = set()

    def fill(self, text: str) -> str:
        """Return `text` with every reference replaced; raises ValueError with what to mend, never with a value."""
        return _REFERENCE.sub(self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        if found["inner"] is None:
            raise ValueError("'${' without its '}': close it, or write '$${' for a plain '${'")
        if found["inner"].startswith("file:"):
            name = found["inner"].removeprefix("file:")
            value = self._file(name)
            self.secrets.add(value)
            _refuse_wrapped(value, f"the file {name}")
            return value
        parts = _NAME.fullmatch(found["inner"])
        if parts is None:
            raise ValueError("after '${' comes a variable's name, NAME:-default or file:PATH")
        value = self._variable(parts["name"], parts["default"])
        if SECRET_NAME.search(parts["name"]):
            self.secrets.add(value)
            _refuse_wrapped(value, f"the environment variable {parts['name']}")
        return value

    def _variable(self, name: str, default: str | None) -> str:
        value = self._reader.variable(name)
        if default is not None:
            return value or default
        if value is None:
            raise ValueError(f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}")
        return value

    def _file(self, name: str) -> str:
        try:
            raw = self._reader.file(name)
        except OSError as error:
            why = why_unreadable(self._reader.directory / name, error)
            raise ValueError(f"the file {name} cannot be read: {why}") from None
        except ValueError:
            raise ValueError(f"the file {name} cannot be read: not a usable name") from None
        if len(raw) > LARGEST_SECRET:
            raise ValueError(f"the file {name} is larger than 64 KiB: this is no secret")
        try:
            return raw.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError(f"the file {name} is not UTF-8 text") from None


def variables_in(text: str) -> set[str]:
    """Return the names of the environment variables that a text takes values from."""
    inner = (found["inner"] or "" for found in _REFERENCE.finditer(text))
    return {parts["name"] for one in inner if (parts := _NAME.fullmatch(one))}


def sources_of(text: str) -> list[str]:
    """Return what a text takes its values from, without defaults, which may be secrets: `$NAME`, `the file PATH`."""
    inner = [found["inner"] for found in _REFERENCE.finditer(text) if found["inner"]]
    return [f"the file {name[5:]}" if name.startswith("file:") else f"${name.partition(':-')[0]}" for name in inner]


def _refuse_wrapped(secret: str, where: str) -> None:
    """Raise ValueError if a secret stands as other programs want it: within quotes, or behind its name."""
    if len(secret) > 1 and secret[0] == secret[-1] and secret[0] in "\"'":
        raise ValueError(f"{where} holds quotes around the secret, which would belong to it: take them out")
    if _ASSIGNED.match(secret):
        raise ValueError(f"{where} holds NAME=SECRET: write the secret alone")
