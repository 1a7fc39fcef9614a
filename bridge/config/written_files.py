"""No path that the service writes may be a file of the admin's: told of before anything is opened.

Whether a path names another one's file is asked of the disk as well as of the text: links, `..` and a file with two
names lead to the same. Two names that differ by capitals alone are one name on a share of Windows. What stands at the
path by now has to be ours; whoever writes looks again, see `bridge.sdk.disk.own_file`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from bridge.config.sections import READ_AHEAD, Settings
from bridge.config.yaml_document import Document, KeyPath, dotted
from bridge.sdk.disk.own_file import DatabaseOf, ForeignFileError, refuse_foreign
from bridge.sdk.errors import Problem
from bridge.sdk.settings import Written

_KEPT_OF_A_LIST = (
    *(".good", ".good.json", ".doubted", ".confirmed"),
    *(".downloaded", ".downloaded.json", ".downloaded.lock"),
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that the service reads, or writes if `written` says how; `key` is where it is named, or `what` it is."""

    path: Path
    key: KeyPath = ()
    what: str = ""
    written: Written | None = None
    shared: object = None
    """Two may be written to one file if this is equal, and there."""
    use: str = "read"

    def places(self) -> frozenset[object]:
        """Return what all names of it, and of what is written beside it, have in common."""
        endings = ("", *(self.written.beside if self.written else ()))
        return frozenset(place for ending in endings for place in _places(Path(f"{self.path}{ending}")))

    def __str__(self) -> str:
        """Say what it is."""
        return self.what or dotted(self.key)


def _places(path: Path) -> Iterator[object]:
    try:
        yield str(path.resolve()).casefold()
        status = path.stat()
        yield status.st_dev, status.st_ino
    except (OSError, RuntimeError):  # it is not there, or may not be looked at
        return


@dataclass(frozen=True, slots=True)
class FileNames:
    """All files that a configuration names."""

    document: Document
    found: list[NamedFile] = field(default_factory=list)

    def read(self, path: Path, what: str) -> None:
        """Add a file that is read, named by no key of its own."""
        self.found.append(NamedFile(path, what=what))

    def written(self, path: Path, key: KeyPath, what: str, how: Written) -> None:
        """Add a file that is written, where the configuration leaves its place open."""
        self.found.append(NamedFile(path, key, what, how, use="written too"))

    def kept_of(self, names: Sequence[str], folder: Path) -> None:
        """Add what is kept of these lists; whether it is ours is judged when it is written."""
        for name, ending in ((name, ending) for name in names for ending in _KEPT_OF_A_LIST):
            self.found.append(NamedFile(folder / f"{name}{ending}", what=f"what is kept of {name}", use="written too"))

    def snapshot_of(self, name: str, folder: Path) -> None:
        """Add where a connector's customers are kept that are read ahead."""
        how = Written(DatabaseOf(READ_AHEAD), beside=("-reading", "-checked", "-lock", "-locked"))
        self.written(folder / f"{name}.snapshot", ("connectors", name, "snapshot"), f"the customers of {name}", how)

    def of(self, settings: object, key: KeyPath) -> None:
        """Add what a model of settings names, however deep."""
        if isinstance(settings, Path):
            self.found.append(NamedFile(settings, key))
        elif isinstance(settings, BaseModel):
            for name, info in type(settings).model_fields.items():
                inner, value = (*key, info.alias or name), getattr(settings, name)
                how = next((mark for mark in info.metadata if isinstance(mark, Written)), None)
                if how and isinstance(value, Path):
                    shared = getattr(settings, how.shared_by) if how.shared_by else None
                    self.found.append(NamedFile(value, inner, "", how, shared, "written too"))
                elif not isinstance(settings, Settings) or name != "connectors":
                    self.of(value, inner)
        elif isinstance(settings, Mapping):
            for name, item in settings.items():
                self.of(item, (*key, name))
        elif isinstance(settings, (list, tuple)):
            for number, item in enumerate(settings):
                self.of(item, (*key, number))

    def problems(self) -> Iterator[Problem]:
        """Give what is wrong with each file that is written."""
        taken: dict[object, NamedFile] = {}
        for one in sorted(self.found, key=lambda one: one.written is not None):  # those that are read come first
            other = next((taken[place] for place in one.places() if place in taken), None)
            for place in one.places():
                taken.setdefault(place, one)
            if one.written and (told := _why_not(one, one.written, other)):
                yield self.document.problem(one.key, f"{one.path} {told}")


def _why_not(one: NamedFile, how: Written, other: NamedFile | None) -> str:
    """Say why a file may not be written, or nothing."""
    if other and not (other.written and other.written.mark == how.mark and one.shared and one.shared == other.shared):
        return f"is {other}, which is {other.use}: the service writes here, and needs a file of its own"
    try:
        refuse_foreign(one.path, how.mark)
    except ForeignFileError as error:
        return f"cannot be written: {error.strerror}"
    except OSError:  # told by whoever opens it, who may have other rights
        pass
    return ""
