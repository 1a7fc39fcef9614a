"""Signing in by the request that the configuration describes, and putting the session into every other request."""

import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from functools import partial

from bridge.sdk import (
    AccessToken,
    Clock,
    Deadline,
    Redaction,
    Shared,
    SourceError,
    SourceRejected,
    TokenSupply,
    UnexpectedAnswer,
)
from bridge.sdk.http import Request, Response, is_broken, refuse_failure
from bridge.sdk.http.credentials import with_header, with_query
from connectors.rest.auth.authentication import Authentication, Sender
from connectors.rest.auth.login import Login, SignIn
from connectors.rest.mapping.error_words import refuse_busy, words
from connectors.rest.mapping.expression import Expression, is_none
from connectors.rest.misfit import misfit
from connectors.rest.templates.request import header_text

_REFUSED = range(300, 500)
_MEANS_MORE = {401, 403, 407, 408, 425, 429}
_SENT_ELSEWHERE = {302, 303}


class LoginAuthentication(Authentication):
    """Signs in when needed and puts the session into every request."""

    def __init__(
        self,
        settings: Login,
        client: Sender,
        base_url: str,
        names: Mapping[str, object],
        clock: Clock = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._client = client
        self._base_url = base_url
        self._names = names
        self._clock = clock
        self._wall_clock = wall_clock
        self._supply = TokenSupply(self._fetch, settings.timeout, clock)

    def share(self, shared: Shared) -> None:
        """Use the sessions of other instances, too."""
        self._supply.share(shared)

    def apply(self, request: Request, deadline: Deadline) -> Request:
        """Add the session's headers, parameters and cookies."""
        token = self._supply.get(deadline)
        names = {**self._names, "login": token.values}
        for name, template in self._settings.headers.items():
            request = with_header(request, name, header_text(name, template.render(names)))
        for name, parameter in self._settings.query.items():
            request = with_query(request, name, parameter.texts(names))
        return replace(request, cookies={**request.cookies, **token.cookies}).signed(token)

    def names(self, deadline: Deadline) -> Mapping[str, object]:
        """Return what the login yielded."""
        return self._supply.get(deadline).values

    def expired(self, response: Response) -> bool:
        """Tell whether the answer has a status, or holds what means that the session has ended."""
        if response.status in self._settings.expired_status:
            return True
        if self._settings.expired_when is None:
            return False
        try:
            return self._settings.expired_when.holds(response.json(broken_values=True))
        except UnexpectedAnswer:
            return False

    def renew(self, used: Request, deadline: Deadline) -> bool:  # noqa: ARG002 - part of the interface
        """Forget the session that has ended."""
        return self._supply.refuse(used.signed_with)

    def secrets(self) -> Iterable[str]:
        """Return the texts of the live session."""
        token = self._supply.current
        return (
            [text for text in (*token.values.values(), *token.cookies.values()) if isinstance(text, str)]
            if token
            else []
        )

    def close(self) -> None:
        """Begin no further logins."""
        self._supply.close()

    def _fetch(self, deadline: Deadline) -> AccessToken:
        asked_at = self._clock()
        settings, names = self._settings, dict(self._names)
        if settings.challenge:
            answer = self._send(settings.challenge, names, deadline)
            names["challenge"] = _taken(answer, settings.challenge.take, "the challenge")
        # a form for people answers a good login by sending the browser on
        allowed = _SENT_ELSEWHERE if settings.cookies else set[int]()
        response = self._send(settings.request, names, deadline, allowed)
        cookies = response.cookies if settings.cookies else {}
        if settings.cookies and not cookies:
            raise SourceRejected(f"the login at {response.host} set no cookie: are name and password right?")
        return AccessToken(_taken(response, settings.take, "the login"), asked_at, settings.lifetime, cookies)

    def _send(
        self,
        template: SignIn,
        names: Mapping[str, object],
        deadline: Deadline,
        allowed: Container[int] = (),
    ) -> Response:
        request = replace(template.build(self._base_url, names), once=True)
        response = self._client.send(request, deadline)
        try:
            _refuse(template, response, allowed, self._wall_clock)
        except SourceError as error:
            error.args = (f"{error}{self._words(template, response)}",)
            raise
        return response

    def _words(self, template: SignIn, response: Response) -> str:
        """Return the CRM's own words for its error, without what the login was made with."""
        secrets = self._names.get("secrets")
        hidden = Redaction(map(str, secrets.values()) if isinstance(secrets, Mapping) else ())
        return words(template.error_message, partial(response.json, broken_values=True), hidden)


def _refuse(template: SignIn, response: Response, allowed: Container[int], wall_clock: Callable[[], float]) -> None:
    """Raise the SourceError that an answer to the sign-in means."""
    refuse_busy(template.busy_when, response, partial(response.json, broken_values=True))
    if response.status in _REFUSED and response.status not in _MEANS_MORE and response.status not in allowed:
        raise SourceRejected(f"the login at {response.host} answered {response.status}")
    refuse_failure(response, allowed, wall_clock)
    if template.error_when and response.body and template.error_when.holds(response.json(broken_values=True)):
        raise SourceRejected(f"the login at {response.host} answered an error: {template.error_when.source}")


def _taken(response: Response, take: Mapping[str, Expression], what: str) -> dict[str, object]:
    data = response.json(broken_values=True) if take else None
    values = {name: expression.search(data) for name, expression in take.items()}
    for name, value in values.items():
        if is_none(value):
            where = "" if take[name].fits(data) else f" ({misfit([take[name]], data)})"
            raise SourceRejected(f"{what} at {response.host} yielded no {name}{where}: are name and password right?")
        if isinstance(value, str) and is_broken(value):
            raise UnexpectedAnswer(f"{what} at {response.host} yielded a {name} with bytes that are no characters")
    return values
