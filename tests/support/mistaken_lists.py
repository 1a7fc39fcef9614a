"""Lists of extensions, each of which does one thing wrong; the first of them does everything right."""

import threading
from contextlib import contextmanager

from pydantic import ConfigDict

from bridge.sdk import (
    ExtensionEntry,
    ExtensionSource,
    ExtensionSourceConfig,
    LocalPath,
    SourceUnavailable,
    UnexpectedAnswer,
)
from bridge.testing import ExtensionsConformance

LAN = ExtensionEntry(emails=("lan@congty.example",), extensions=("101",))


class Settings(ExtensionSourceConfig):
    path: LocalPath


class RightList(ExtensionSource[Settings]):
    Config = Settings
    ended = threading.Event()

    def read(self, deadline):
        if self.config.path.with_name("locked").exists() and not self.ended.wait(deadline.remaining()):
            raise SourceUnavailable("the file is locked")
        try:
            lines = self.config.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            raise SourceUnavailable("there is no such file") from None
        return [self.entry(line) for line in lines]

    def entry(self, line):
        email, found, extension = line.partition(" ")
        if not found:
            raise UnexpectedAnswer("a line without an extension")
        return ExtensionEntry(emails=(email,), extensions=(extension,))


class TakesAnOutageForAnEmptyList(RightList):
    def read(self, deadline):
        try:
            return super().read(deadline)
        except SourceUnavailable:
            return []


class IsReadOnlyOnce(RightList):
    read_already = False

    def read(self, deadline):
        found = [] if self.read_already else super().read(deadline)
        self.read_already = True
        return found


class CrashesWithoutTheFile(RightList):
    def read(self, _deadline):
        return [self.entry(line) for line in self.config.path.read_text(encoding="utf-8").splitlines()]


class TellsWhatItRead(RightList):
    def entry(self, line):
        if " " not in line:
            raise UnexpectedAnswer(f"a line without an extension: {line}")
        return super().entry(line)


class WaitsForEver(RightList):
    def read(self, deadline):
        if self.config.path.with_name("locked").exists():
            self.ended.wait(30)
            raise SourceUnavailable("the file is locked")
        return super().read(deadline)


class KeepsAThread(RightList):
    def read(self, deadline):
        threading.Thread(target=self.ended.wait, args=(30,), daemon=True).start()
        return super().read(deadline)


class Lenient(Settings):
    model_config = ConfigDict(extra="ignore")


class IgnoresTypos(RightList):
    Config = Lenient


class ListInAFile(ExtensionsConformance):
    """What an integrator fills in for such a list."""

    enough, moment, margin = 2, 0.05, 0.3
    entries = (LAN,)
    made_of: type[RightList]

    def source(self, place):
        (place / "list").write_text("lan@congty.example 101\n", encoding="utf-8")
        return self.made_of(self.made_of.Config(path=place / "list"))

    def breakages(self):
        return {
            "there is no such file": lambda place: (place / "list").unlink(),
            "there is something else": lambda place: (place / "list").write_text(f"password={self.secret}\n"),
        }

    def hangs(self):
        return {"the file is locked": locked}


@contextmanager
def locked(place):
    (place / "locked").touch()
    try:
        yield
    finally:
        RightList.ended.set()
        RightList.ended.clear()
