"""What an answer means before its records are read: data, nobody, or an error, told in the CRM's own words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bridge.errors import SourceError, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.phone import PhoneNumber
from connectors.http import Response, refuse_failure, retry_after
from connectors.steps import Step

NOBODY = object()
"""Stands for an answer by which the CRM says that nobody is found."""

_NO_CONTENT = 204
_MOST_WORDS = 200  # characters
_MOST_READ = 20_000
_BETWEEN_DIGITS = r"(?:%25|%20|\W){0,4}"


@dataclass(frozen=True, slots=True)
class Judging:
    """How the answers of one call are judged: what hides secrets in the CRM's words, and who hears what came out."""

    caller: PhoneNumber
    mask: Callable[[str], str]
    say: Callable[[str], None]

    def data(self, step: Step, response: Response) -> object:
        """Return the answer's JSON, or NOBODY if it says so. Raises SourceError if it is an error."""
        if response.status in step.nobody_status:
            self.say(f"{response.status} means nobody")
            return NOBODY
        try:
            return self._data(step, response)
        except SourceError as error:
            error.args = (f"{error}{self._words(step, response)}",)
            raise

    def _data(self, step: Step, response: Response) -> object:
        if step.busy_when and _is_busy(step, response):
            pause = retry_after(response.headers)
            raise SourceUnavailable(f"{response.host} asks to try again later", retry_after=pause)
        refuse_failure(response, tells_why=step.error_message is not None)
        if response.status == _NO_CONTENT:
            raise UnexpectedAnswer("204 No Content: if this means that nobody is found, add nobody_status: [204]")
        data = response.json()
        if step.error_when and step.error_when.holds(data):
            raise SourceRejected(f"the answer is an error: {step.error_when.source}")
        if step.nobody_when and step.nobody_when.holds(data):
            self.say(f"{step.nobody_when.source}: nobody")
            return NOBODY
        return data

    def _words(self, step: Step, response: Response) -> str:
        """Return the CRM's own words for its error, without secrets and the caller's number."""
        try:
            found = step.error_message.search(response.json()) if step.error_message else None
        except UnexpectedAnswer:
            return ""  # no JSON, or of another shape: nothing that could be quoted
        texts = found if isinstance(found, list) else [found]
        words = "; ".join(str(text) for text in texts if isinstance(text, (str, int)) and text != "")[:_MOST_READ]
        words = _without(self.caller, self.mask(words))  # before it is cut: half a secret would not be known as one
        words = "".join(character if character.isprintable() else " " for character in words[:_MOST_WORDS])
        return f" ({words})" if words else ""


def _is_busy(step: Step, response: Response) -> bool:
    try:
        return bool(step.busy_when and step.busy_when.holds(response.json()))
    except UnexpectedAnswer:
        return False  # no JSON, so it does not say so; what it is then is judged by its status


def _without(caller: PhoneNumber, text: str) -> str:
    """Return the text with the caller's number masked, however its digits are grouped."""
    for digits in _cores(caller):
        text = re.sub(r"\+?\d{0,5}" + _BETWEEN_DIGITS.join(digits), caller.masked, text)
    return text


def _cores(caller: PhoneNumber) -> Iterator[str]:
    yield caller.nsn
    if caller.legacy:
        yield caller.legacy.removeprefix("0")
