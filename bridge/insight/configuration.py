"""The configuration as it stands in its file, with its problems in place, and what differs from what is in force.

It is read as a reload reads it, and nothing is opened. What a reader finds is found anew once in ten seconds at most:
reading costs about what a reload costs.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from bridge.config.content import LARGEST_DOCUMENT
from bridge.config.loading import Config, load_again
from bridge.config.shown_file import ReadFile, changed_keys, shown_lines
from bridge.insight.kept_view import KeptView
from bridge.insight.line_mask import LineMask
from bridge.sdk.deadline import Clock
from bridge.sdk.errors import ConfigError, Problem
from bridge.service import Service

KEPT_FOR = 10.0
"""Seconds for which the same is told again."""

MOST_LINES, _MOST_PROBLEMS, _MOST_CHANGES = 2_000, 50, 50


class ConfigurationView(KeptView):
    """Tells of the file of the service in force: its lines, what is wrong with them, and what a reload would change."""

    def __init__(self, current: Callable[[], Service], mask: LineMask, clock: Clock = time.monotonic) -> None:
        super().__init__(current, mask, KEPT_FOR, clock)

    def _found(self, service: Service) -> Mapping[str, object]:
        in_force = service.config
        before = ReadFile(in_force.content.document, in_force.secrets)
        problems: Iterable[Problem] = ()
        try:
            config = load_again(in_force)
        except ConfigError as error:
            problems, document, secrets = error.problems[:_MOST_PROBLEMS], _bytes_of(in_force), None
            beside: list[str] = []
        else:
            document, secrets = config.content.document, config.secrets | in_force.secrets
            beside = config.content.differences(in_force.content, in_force.file)
        lines = shown_lines(document, secrets, before)
        changes = changed_keys(document, before.document)
        return {
            "file": in_force.file.name,
            "lines": [{"number": number, "text": self._mask(text)} for number, text in lines[:MOST_LINES]],
            "more_lines": max(0, len(lines) - MOST_LINES),
            "problems": [self._told(one, in_force) for one in problems],
            "changes": [self._mask(key) for key in changes[:_MOST_CHANGES]],
            "more_changes": max(0, len(changes) - _MOST_CHANGES),
            "beside": [self._mask(one) for one in beside if one != in_force.file.name],
            "same": not problems and not beside,
        }

    def _told(self, problem: Problem, in_force: Config) -> Mapping[str, object]:
        is_here = problem.file == str(in_force.file)
        return {
            "line": problem.line if is_here else 0,
            "column": problem.column if is_here else 0,
            "text": self._mask(f"{problem.key}: {problem.message}" if problem.key else problem.message),
        }


def _bytes_of(config: Config) -> bytes:
    try:
        with config.file.open("rb") as file:
            return file.read(LARGEST_DOCUMENT)
    except OSError:  # which the problems tell
        return b""
