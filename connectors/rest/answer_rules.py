"""What an answer means before its records are read: data, nobody, or an error, told in the CRM's own words."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from bridge.sdk import PhoneNumber, SourceError, SourceRejected, UnexpectedAnswer
from bridge.sdk.http import Response, refuse_failure
from connectors.rest.config.request_settings import RequestSettings
from connectors.rest.mapping.error_words import refuse_busy, words
from connectors.rest.mapping.expression import Expression

NOBODY = object()
"""Stands for an answer by which the CRM says that nobody is found."""

_NO_CONTENT = 204
_WORDS_OF_GRAPHQL = Expression("errors[].message")


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How answers are judged: what hides secrets in the CRM's words, and who hears what came out.

    There is no caller when the list of users is read.
    """

    caller: PhoneNumber | None
    mask: Callable[[str], str]
    say: Callable[[str], None]

    def data(self, settings: RequestSettings, response: Response) -> object:
        """Return what the answer holds, or NOBODY if it says so. Raises SourceError if it is an error."""
        read = cache(partial(settings.data_of, response))
        if response.status in settings.nobody_status and _is_meant(settings, response, read):
            self.say(f"{response.status} means nobody")
            return NOBODY
        try:
            return self._data(settings, response, read)
        except SourceError as error:
            where = settings.error_message or (_WORDS_OF_GRAPHQL if settings.is_graphql else None)
            said = words(where, read, lambda text: _without(self.caller, self.mask(text)))
            error.args = (f"{error}{said}",)
            raise

    def _data(self, settings: RequestSettings, response: Response, read: Callable[[], object]) -> object:
        refuse_busy(settings.busy_when, response, read)
        refuse_failure(response, tells_why=settings.error_message is not None or settings.is_graphql)
        if response.status == _NO_CONTENT:
            raise UnexpectedAnswer("204 No Content: if this means that nobody is found, add nobody_status: [204]")
        data = read()
        if settings.error_when and settings.error_when.holds(data):
            raise SourceRejected(f"the answer is an error: {settings.error_when.source}")
        errors = _graphql_errors(settings, data)
        if settings.nobody_when and _says_nobody(settings.nobody_when, data, errors):
            self.say(f"{settings.nobody_when.source}: nobody")
            return NOBODY
        if errors:
            raise SourceRejected("the answer is an error of GraphQL, with or without data beside it: errors")
        return data


def _graphql_errors(settings: RequestSettings, data: object) -> object:
    """Return the errors that an answer in GraphQL holds, nothing if it is none or holds none."""
    return data.get("errors") if settings.is_graphql and isinstance(data, dict) else None


def _says_nobody(nobody_when: Expression, data: object, errors: object) -> bool:
    """Tell whether the answer means nobody: beside errors of GraphQL only because of what they say."""
    if not nobody_when.holds(data):
        return False
    return not (errors and isinstance(data, dict) and nobody_when.holds({**data, "errors": []}))


def _is_meant(settings: RequestSettings, response: Response, read: Callable[[], object]) -> bool:
    """Tell whether a status that means nobody really does: a web server says 404 of a wrong address, too.

    204 has no body that could say more.
    """
    if settings.nobody_when is None or response.status == _NO_CONTENT:
        return True
    try:
        return settings.nobody_when.holds(read())
    except UnexpectedAnswer:
        return False


def _without(caller: PhoneNumber | None, text: str) -> str:
    """Return the text with the caller's number masked, however its digits are grouped."""
    return caller.masked_in(text) if caller else text
