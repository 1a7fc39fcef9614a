"""All lists of extensions of one configuration, in their order, and the deputies: inline, in a file, others, the PBX's.

A reload keeps those whose settings did not change, with what they hold.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from bridge.config.extensions import Deputy
from bridge.config.loading import Config, ConfiguredList
from bridge.extensions.deputies import Clock, DeputyRules, Rule, named_in
from bridge.extensions.deputy_file import DeputyFileWatch
from bridge.extensions.directory import Directory
from bridge.extensions.extension_file import ExtensionFileWatch
from bridge.extensions.index import ExtensionMap, inline_map
from bridge.extensions.lost_owners import LostOwners
from bridge.extensions.polled_list import PolledList
from bridge.sdk.disk.list_state import ListState
from bridge.sdk.errors import SourceError
from bridge.sdk.http.certificates import in_the_name_of

_INLINE = "extensions.inline"


class ExtensionLists:
    """The lists, started and closed together; `directory` asks them. `now` gives the local time."""

    def __init__(self, config: Config, previous: "ExtensionLists | None" = None, *, now: Clock = datetime.now) -> None:
        self.settings = config.settings.extensions
        self.inline: Mapping[str, Sequence[str]] = self.settings.inline
        self._inline_map = inline_map(self.inline)
        self._lost: LostOwners = previous._lost if previous else LostOwners()  # noqa: SLF001 - another of us
        self.file = _file(config, previous)
        self.deputy_file = _deputy_file(config, previous)
        self.sources = tuple(_source(source, config, previous) for source in config.lists)
        own = [self.file.current] if self.file else []
        own += [source.current for source in self.sources if not source.of_the_pbx]
        of_the_pbx = [source.current for source in self.sources if source.of_the_pbx]
        written = tuple(map(_rules, self.settings.deputies.inline, range(len(self.settings.deputies.inline))))
        self._inline_rules = tuple(rule for rules in written for rule in rules)
        self._of_the_file: tuple[Rule, ...] = ()
        self._rules = self._inline_rules
        self.directory = Directory(self.inline, own, of_the_pbx, DeputyRules(self.rules, now))

    def start(self, *, writes: bool = True) -> None:
        """Read the file now, and let the sources be read in the background; `writes` keeps what they say on disk."""
        for file in self.files():
            file.kept.writes = file.kept.writes or writes
            file.start()
        for source in self.sources:
            source.kept.writes = source.kept.writes or writes
            source.start(writes=writes)

    def begin_writing(self) -> None:
        """Keep on disk what the lists say, if they were started without that."""
        for file in self.files():
            file.kept.writes = True
        for source in self.sources:
            source.begin_writing()

    def files(self) -> Iterator[ExtensionFileWatch | DeputyFileWatch]:
        """Give the files that are watched."""
        yield from filter(None, (self.file, self.deputy_file))

    def rules(self) -> tuple[Rule, ...]:
        """Return who answers for whom, those of the configuration first; the same tuple while nothing changes."""
        of_the_file = self.deputy_file.rules() if self.deputy_file else ()
        if of_the_file is not self._of_the_file:
            self._rules = (*self._inline_rules, *of_the_file)
            self._of_the_file = of_the_file
        return self._rules

    def wait_until_ready(self, end: float) -> None:
        """Wait for the file and the sources without a list, each until it was tried once, until `end` at most."""
        if self.file:
            self.file.wait(max(0.0, end - time.monotonic()))
        for source in self.sources:
            if not source.ready:
                source.wait(max(0.0, end - time.monotonic()))

    def missing_since(self, previous: "ExtensionLists") -> str:
        """Say why a list is not there at all, or nothing; of those that were missing before, no word is lost."""
        if self.file:
            try:
                self.file.current()
            except SourceError as error:
                return str(error)
        if self.deputy_file and self.deputy_file is not previous.deputy_file and self.deputy_file.content_age() is None:
            return self.deputy_file.trouble
        fresh = (source for source in self.sources if source not in previous.sources)
        return next((f"{source.name}: {source.failure}" for source in fresh if not source.ready), "")

    def troubles(self) -> Iterator[tuple[str, str]]:
        """Give each list's name with what is wrong with it."""
        if self.file:
            yield self.settings.file_name, self.file.trouble
        if self.deputy_file:
            yield self.settings.deputies_name, self.deputy_file.trouble
        yield from ((source.name, source.trouble) for source in self.sources)
        yield "extensions", self._who_is_lost()

    def _who_is_lost(self) -> str:
        lists = dict(self.own_maps()) | {
            source.name: source.current() for source in self.sources if source.ready and source.of_the_pbx
        }
        configured = {_INLINE, *(source.name for source in self.sources), *filter(None, [self.settings.file_name])}
        return self._lost.trouble(lists, configured, self.directory.leads_nowhere)

    def waited_for(self) -> dict[str, str]:
        """Say for each list that was not tried yet that it is being read."""
        waited_for = {source.name: source.failure for source in self.sources if not source.is_tried}
        return waited_for | (
            {} if self.file is None or self.file.is_tried else {self.settings.file_name: "is being read"}
        )

    def unsettled(self) -> Iterator[str]:
        """Give the names of the files that are just being written, and were never read as a whole."""
        yield from (file.unsettled for file in self.files() if file.unsettled)

    def content_ages(self) -> Iterator[tuple[str, float | None]]:
        """Give each list's name with how many seconds old its content is, None if it has none."""
        if self.file:
            yield self.settings.file_name, self.file.content_age()
        if self.deputy_file:
            yield self.settings.deputies_name, self.deputy_file.content_age()
        yield from ((source.name, source.content_age()) for source in self.sources)

    def doubted(self) -> Iterator[str]:
        """Give the names of the lists that have lost so much that they are doubted."""
        if self.file and self.file.kept.doubted:
            yield self.settings.file_name
        if self.deputy_file and self.deputy_file.kept.doubted:
            yield self.settings.deputies_name
        yield from (source.name for source in self.sources if source.kept.doubted)

    def close(self, successor: "ExtensionLists | None" = None) -> None:
        """Stop reading, except for the lists that `successor` goes on with."""
        kept = tuple(successor.files()) if successor else ()
        for file in self.files():
            if file not in kept:
                file.close()
        for source in self.sources:
            if not (successor and source in successor.sources):
                source.close()

    def own_maps(self) -> Iterator[tuple[str, ExtensionMap]]:
        """Give the lists that the company keeps, by name, those that could be read."""
        yield _INLINE, self._inline_map
        with suppress(SourceError):
            if self.file:
                yield self.settings.file_name, self.file.current()
        for source in self.sources:
            if source.ready and not source.of_the_pbx:
                yield source.name, source.current()


def _file(config: Config, previous: ExtensionLists | None) -> ExtensionFileWatch | None:
    settings = config.settings.extensions
    if previous and previous.settings.file == settings.file:
        return previous.file
    kept = ListState(config.lists_folder, settings.file_name)
    with in_the_name_of(settings.file_name or ""):
        return ExtensionFileWatch(settings.file, kept=kept) if settings.file else None


def _deputy_file(config: Config, previous: ExtensionLists | None) -> DeputyFileWatch | None:
    settings = config.settings.extensions
    chosen = settings.deputies.file
    if previous and previous.settings.deputies.file == chosen:
        return previous.deputy_file
    return DeputyFileWatch(chosen, kept=ListState(config.lists_folder, settings.deputies_name)) if chosen else None


def _rules(written: Deputy, at: int) -> tuple[Rule, ...]:
    place, beside = f"extensions.deputies.inline[{at}]", written.ring == "beside"
    deputies = tuple(deputy for text in written.deputy for deputy in named_in(text))
    owners = (owner for text in written.owner for owner in named_in(text))
    return tuple(Rule(owner, deputies, written.first, written.until, beside, place) for owner in owners)


def _source(chosen: ConfiguredList, config: Config, previous: ExtensionLists | None) -> PolledList:
    for known in previous.sources if previous else ():
        if known.settings == chosen:
            return known
    made = PolledList(chosen)
    made.kept = ListState(config.lists_folder, made.name)
    return made
