"""What an answer says of an error: the CRM's own words, quoted without what is secret, and whether it is busy."""

from collections.abc import Callable

from bridge.sdk import SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import Response, retry_after
from connectors.rest.mapping.expression import Expression

_MOST_WORDS = 200  # characters
_MOST_READ = 20_000


def words(where: Expression | None, read: Callable[[], object], without: Callable[[str], str]) -> str:
    """Return the CRM's own words for its error, in brackets, if there are any; `without` takes out what is secret.

    `read` gives what the answer holds, or raises UnexpectedAnswer.
    """
    try:
        found = where.search(read()) if where else None
    except UnexpectedAnswer:
        return ""  # nothing that can be read, or of another shape: nothing that could be quoted
    texts = found if isinstance(found, list) else [found]
    told = "; ".join(str(text) for text in texts if isinstance(text, (str, int)) and text != "")[:_MOST_READ]
    told = without(told)  # before it is cut: half a secret would not be known as one
    told = "".join(character if character.isprintable() else " " for character in told[:_MOST_WORDS])
    return f" ({told})" if told else ""


def refuse_busy(busy_when: Expression | None, response: Response, read: Callable[[], object]) -> None:
    """Raise SourceUnavailable if the answer, whatever its status, says that asking again later may work."""
    try:
        is_busy = busy_when is not None and busy_when.holds(read())
    except UnexpectedAnswer:
        return  # it cannot be read, so it does not say so; what it is then is judged by its status
    if is_busy:
        raise SourceUnavailable(f"{response.host} asks to try again later", retry_after=retry_after(response.headers))
