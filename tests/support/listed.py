"""A source of extensions that says what a test tells it to."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from bridge.config.loading import ConfiguredList
from bridge.sdk import Deadline, ExtensionEntry, ExtensionSource, ExtensionSourceConfig

Said = object


class Listed(ExtensionSource[ExtensionSourceConfig]):
    """Answers `says`: entries, an error to raise, or a function of the deadline."""

    Config = ExtensionSourceConfig
    made: ClassVar[list["Listed"]] = []
    says: Said = ()

    def __init__(self, config: ExtensionSourceConfig) -> None:
        super().__init__(config)
        self.readings = 0
        self.closed = 0
        self.made.append(self)

    def read(self, deadline: Deadline) -> Iterable[ExtensionEntry]:
        self.readings += 1
        said = type(self).says
        if isinstance(said, BaseException):
            raise said
        return said(deadline) if callable(said) else said  # type: ignore[return-value]

    def close(self) -> None:
        self.closed += 1


def listed(said: Said, keep: Path | None = None, *, of_the_pbx: bool = False, **settings: object) -> ConfiguredList:
    """Return a source of a class of its own, so that each test scripts only its own."""
    kind = type("Scripted", (Listed,), {"says": said, "made": [], "of_the_pbx": of_the_pbx})
    written = {"keep": keep, **settings}
    return ConfiguredList("scripted", kind, ExtensionSourceConfig.model_validate(written), written)


def entries(**extensions: str) -> list[ExtensionEntry]:
    """Return an entry for each login and its extension."""
    return [ExtensionEntry(logins=(name,), extensions=(extension,)) for name, extension in extensions.items()]
