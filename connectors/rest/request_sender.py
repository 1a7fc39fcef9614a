"""Sending the requests of steps and of the list of users: signed, counted, each different one once, page by page."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bridge.sdk import Deadline, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import HttpClient, Request, Response
from connectors.rest.answer_rules import NOBODY, AnswerRules
from connectors.rest.auth.choices import Authentication
from connectors.rest.config.config import RestConfig
from connectors.rest.config.request_settings import RequestSettings
from connectors.rest.masking import Mask
from connectors.rest.templates.request import header_text

_MOST_OF_BODY = 500


@dataclass(frozen=True, slots=True)
class RestContext:
    """The CRM, as everything that asks it needs it."""

    config: RestConfig
    client: HttpClient
    auth: Authentication
    mask: Mask


@dataclass(slots=True)
class RequestSender:
    """What is asked for one call, or for one reading of the users.

    `names` are those that every template knows, unless a request has its own; `most` is the limit of requests, `limit`
    what the configuration calls it. `explain` hears of each request, if anybody listens. `in_background` tells that no
    call waits for the answer.
    """

    context: RestContext
    rules: AnswerRules
    names: Mapping[str, object]
    deadline: Deadline
    most: int
    limit: str
    explain: Callable[[str], None] | None = None
    in_background: bool = False
    _sent: int = 0
    _asked: dict[object, Response] = field(default_factory=dict)

    def answers(self, settings: RequestSettings, names: Mapping[str, object]) -> Iterator[object]:
        """Ask, and return the answer, page after page; nothing if the CRM says that nobody is found.

        Raises SourceError.
        """
        pages = settings.pages
        page = pages.beginning if pages else None
        seen = {page}
        while True:
            answer = self.rules.data(settings, self._ask(settings, {**names, "page": page}))
            if answer is NOBODY:
                return
            yield answer
            page = pages.following(page, answer) if pages else None
            if page is None:
                return
            if page in seen:
                raise UnexpectedAnswer("pages.next: leads to a page that was read before, so reading would never end")
            seen.add(page)
            if len(seen) > self.most:  # also if they are all one request, which is not sent again
                raise self._too_many()

    def check_time(self) -> None:
        """Raise SourceUnavailable if no time is left."""
        if self.deadline.expired():
            raise SourceUnavailable("no time is left")

    def _ask(self, settings: RequestSettings, names: Mapping[str, object]) -> Response:
        """Send the request; if the answer says that the sign-in has ended, sign in and ask once more."""
        request = self._request(settings, names)
        key = (request.method, request.url, request.query, tuple(sorted(request.headers.items())), request.body)
        if key not in self._asked:
            auth = self.context.auth
            signed = auth.apply(request, self.deadline)
            response = self._send(signed, request)
            if auth.expired(response) and auth.renew(signed, self.deadline):
                self._say("signed in again")
                request = self._request(settings, names)
                response = self._send(auth.apply(request, self.deadline), request)
            self._asked[key] = response
        return self._asked[key]

    def _request(self, settings: RequestSettings, names: Mapping[str, object]) -> Request:
        config = self.context.config
        known = {**self.names, **names}
        if "login" in settings.names or any("login" in header.names for header in config.headers.values()):
            known["login"] = self.context.auth.names(self.deadline)
        headers = {name: header_text(name, header.render(known)) for name, header in config.headers.items()}
        if "accept" not in map(str.lower, headers):
            headers["Accept"] = "application/json"
        return settings.build(config.base_url, known, headers)

    def _send(self, signed: Request, shown: Request) -> Response:
        self._sent += 1
        if self._sent > self.most:
            raise self._too_many()
        mask = self.context.mask
        asked = f"{signed.method} {mask.url(signed, shown)}" if self.explain else ""
        if self.deadline.expired():
            self._say(f"not asked, for no time is left: {asked}")
        self.check_time()
        self._say(asked)  # before it is sent: an answer may never come
        if self.explain and signed.body:
            body = mask.body(signed)
            self._say(f"with {body[:_MOST_OF_BODY]}{'…' if len(body) > _MOST_OF_BODY else ''}")
        start = time.monotonic()
        response = self.context.client.send(signed, self.deadline, in_background=self.in_background)
        took = (time.monotonic() - start) * 1000
        for place in response.redirects:
            self._say(f"redirected to {mask.address(place)}")
        self._say(f"{response.status} after {took:.0f} ms")
        return response

    def _too_many(self) -> UnexpectedAnswer:
        return UnexpectedAnswer(f"more than {self.limit} would be needed")

    def _say(self, line: str) -> None:
        if self.explain:
            self.explain(line)
