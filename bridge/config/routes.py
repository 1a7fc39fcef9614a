"""Routes: which connectors answer for which hotlines, read from the configuration and checked for sense."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.config.sections import Route
from bridge.config.yaml_document import Document
from bridge.sdk.errors import InvalidNumber, Problem
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.suggestion import did_you_mean


@dataclass(frozen=True, slots=True)
class RouteRule:
    """A route with its hotlines read; no hotline means every one."""

    hotlines: frozenset[PhoneNumber]
    connectors: tuple[str, ...]


def read_routes(
    routes: Sequence[Route], connectors: Sequence[str], region: str, document: Document
) -> tuple[tuple[RouteRule, ...], list[Problem]]:
    """Return the rules in order, and what is wrong with them. Without routes every connector answers for everything."""
    if not routes:
        return (RouteRule(frozenset(), tuple(connectors)),), []
    reader = _Reader(connectors, region, document)
    rules = tuple(reader.rule(index, route) for index, route in enumerate(routes))
    return rules, reader.problems


class _Reader:
    def __init__(self, connectors: Sequence[str], region: str, document: Document) -> None:
        self.problems: list[Problem] = []
        self._connectors = connectors
        self._region = region
        self._document = document
        self._taken: dict[PhoneNumber | None, int] = {}

    def rule(self, index: int, route: Route) -> RouteRule:
        if None in self._taken:
            self._complain(
                f"is never reached: routes[{self._taken[None]}] answers for every hotline; put it last", index
            )
        hotlines = frozenset(self._hotlines(index, route))
        if not route.hotlines:
            self._taken.setdefault(None, index)
        for position, name in enumerate(route.connectors):
            if self._connectors and name not in self._connectors:  # that there are none is told elsewhere
                guess = did_you_mean(name, self._connectors) or f"; known: {', '.join(self._connectors)}"
                self._complain(f"there is no connector of this name{guess}", index, "connectors", position)
        return RouteRule(hotlines, tuple(dict.fromkeys(route.connectors)))

    def _hotlines(self, index: int, route: Route) -> Iterator[PhoneNumber]:
        for position, text in enumerate(route.hotlines):
            try:
                hotline = PhoneNumber.parse(text, self._region)
            except InvalidNumber as error:
                self._complain(f"is no telephone number: {error}", index, "hotlines", position)
                continue
            if hotline in self._taken:
                message = f"this hotline stands in routes[{self._taken[hotline]}] already"
                self._complain(message, index, "hotlines", position)
            self._taken.setdefault(hotline, index)
            yield hotline

    def _complain(self, message: str, *path: str | int) -> None:
        self.problems.append(self._document.problem(("routes", *path), message))
