"""Sending the requests of steps and of the list of users: signed, counted, each different one once, page by page."""

import copy
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from bridge.sdk import Deadline, SourceError, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import HttpClient, Repeats, Request, Response
from connectors.rest.answer_rules import NOBODY, AnswerRules
from connectors.rest.auth.choices import Authentication
from connectors.rest.config.config import RestConfig
from connectors.rest.config.request_settings import RequestSettings
from connectors.rest.masking import Mask
from connectors.rest.templates.request import header_text

_MOST_OF_BODY = 500
_LARGE = 100_000
"""Bytes of an answer from which on parsing it takes longer than a moment."""


@dataclass(frozen=True, slots=True)
class RestContext:
    """The CRM, as everything that asks it needs it."""

    config: RestConfig
    client: HttpClient
    repeats: Repeats
    auth: Authentication
    mask: Mask


@dataclass(frozen=True, slots=True)
class ExplainedSender:
    """The door to the network for signing in, which says what is sent and what comes, as a step does.

    `mask` gives what hides secrets, which knows the sign-in's and so comes after it.
    """

    client: HttpClient
    mask: Callable[[], Mask]
    say: Callable[[str], None]

    def send(self, request: Request, deadline: Deadline) -> Response:
        """Send the request as the client does. Raises SourceError."""
        mask = self.mask().signing_in()
        return _told(request, request, mask, self.say, partial(self.client.send, request, deadline))


@dataclass(slots=True)
class RequestSender:
    """What is asked for one call, or for one reading of the users; safe to use from many threads.

    `names` are those that every template knows, unless a request has its own; `most` is the limit of requests, `limit`
    what the configuration calls it. `explained` tells that somebody listens to the explanations. `in_background` tells
    that no call waits for the answer.
    """

    context: RestContext
    names: Mapping[str, object]
    deadline: Deadline
    most: int
    limit: str
    explained: bool = False
    in_background: bool = False
    _sent: int = 0
    _asked: dict[Hashable, Future[Response]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answers(self, settings: RequestSettings, names: Mapping[str, object], rules: AnswerRules) -> Iterator[object]:
        """Ask, and return the answer, page after page; nothing if the CRM says that nobody is found.

        `rules` judge the answers, and hear of each request, if anybody listens. Raises SourceError.
        """
        pages = settings.pages
        page = pages.beginning if pages else None
        seen = {page}
        while True:
            answer = self.answer(settings, {**names, "page": page}, rules)
            if answer is NOBODY:
                return
            yield answer
            if pages is None:
                return
            with self.turn():
                page = pages.following(page, answer)
            if page is None:
                return
            if page in seen:
                raise UnexpectedAnswer("pages.next: leads to a page that was read before, so reading would never end")
            seen.add(page)
            if len(seen) > self.most:  # also if they are all one request, which is not sent again
                raise self._too_many()

    def answer(self, settings: RequestSettings, names: Mapping[str, object], rules: AnswerRules) -> object:
        """Ask for one page, and return the answer; NOBODY if the CRM says so. Raises SourceError."""
        response = self._ask(settings, names, rules)
        with self.turn(long=len(response.body) > _LARGE):
            return rules.data(settings, response)

    def turn(self, *, long: bool = False) -> AbstractContextManager[None]:
        """Work in the source's lane on what came, as `Lane.turn` does."""
        return self.context.client.lane.turn(self.deadline, long=long)

    def check_time(self) -> None:
        """Raise SourceUnavailable if no time is left."""
        if self.deadline.expired():
            raise SourceUnavailable("no time is left")

    def _ask(self, settings: RequestSettings, names: Mapping[str, object], rules: AnswerRules) -> Response:
        """Send the request, or wait for the answer to the same one; what came of it is the same for all who ask."""
        request = self._request(settings, names)
        key = (request.method, request.url, request.query, tuple(sorted(request.headers.items())), request.body)
        with self._lock:
            asked = self._asked.get(key)
            mine = asked is None
            result = self._asked[key] = asked or Future()
        if mine:
            try:
                result.set_result(self._asked_anew(request, settings, names, rules))
            except BaseException as error:
                result.set_exception(error)
                raise
        try:
            return result.result(self.deadline.remaining() if not result.done() else None)
        except TimeoutError:
            raise SourceUnavailable("no time is left") from None
        except SourceError as error:
            raise copy.copy(error) from None  # for each who asks: whoever passes it on adds his own words

    def _asked_anew(
        self, request: Request, settings: RequestSettings, names: Mapping[str, object], rules: AnswerRules
    ) -> Response:
        """Send the request; if the answer says that the sign-in has ended, sign in and ask once more."""
        auth = self.context.auth
        signed = auth.apply(request, self.deadline)
        response = self._send(settings, signed, request, rules)
        if auth.expired(response) and auth.renew(signed, self.deadline):
            self._say(rules, "signed in again")
            request = self._request(settings, names)
            response = self._send(settings, auth.apply(request, self.deadline), request, rules)
        return response

    def _request(self, settings: RequestSettings, names: Mapping[str, object]) -> Request:
        config = self.context.config
        known = {**self.names, **names}
        if "login" in settings.names or any("login" in header.names for header in config.headers.values()):
            known["login"] = self.context.auth.names(self.deadline)
        headers = {name: header_text(name, header.render(known)) for name, header in config.headers.items()}
        if "accept" not in map(str.lower, headers):
            headers["Accept"] = "application/json"
        return settings.build(config.base_url, known, headers)

    def _send(self, settings: RequestSettings, signed: Request, shown: Request, rules: AnswerRules) -> Response:
        with self._lock:
            if self._sent >= self.most:
                raise self._too_many()
            self._sent += 1
        if settings.may_repeat(signed.method):
            send = partial(self.context.repeats.send, signed, self.deadline, partial(self._say, rules))
        else:
            send = partial(self.context.client.send, signed, self.deadline, in_background=self.in_background)
        if not self.explained:
            self.check_time()
            return send()
        mask = self.context.mask
        if self.deadline.expired():
            rules.say(f"not asked, for no time is left: {signed.method} {mask.url(signed, shown)}")
        self.check_time()
        return _told(signed, shown, mask, rules.say, send)

    def _too_many(self) -> UnexpectedAnswer:
        return UnexpectedAnswer(f"more than {self.limit} would be needed")

    def _say(self, rules: AnswerRules, line: str) -> None:
        if self.explained:
            rules.say(line)


def _told(
    signed: Request, shown: Request, mask: Mask, say: Callable[[str], None], send: Callable[[], Response]
) -> Response:
    """Say what is sent, before it is, for an answer may never come; send it, and say what came."""
    say(f"{signed.method} {mask.url(signed, shown)}")
    if signed.body:
        body = mask.body(signed)
        say(f"with {body[:_MOST_OF_BODY]}{'…' if len(body) > _MOST_OF_BODY else ''}")
    start = time.monotonic()
    response = send()
    took = (time.monotonic() - start) * 1000
    for place in response.redirects:
        say(f"redirected to {mask.address(place)}")
    say(f"{response.status} after {took:.0f} ms")
    return response
