"""The CRM's own words for an error, quoted without what is secret."""

from collections.abc import Callable

from bridge.sdk import UnexpectedAnswer
from bridge.sdk.http import Response
from connectors.rest.mapping.expression import Expression

_MOST_WORDS = 200  # characters
_MOST_READ = 20_000


def words(where: Expression | None, response: Response, without: Callable[[str], str]) -> str:
    """Return the CRM's own words for its error, in brackets, if there are any; `without` takes out what is secret."""
    try:
        found = where.search(response.json()) if where else None
    except UnexpectedAnswer:
        return ""  # no JSON, or of another shape: nothing that could be quoted
    texts = found if isinstance(found, list) else [found]
    told = "; ".join(str(text) for text in texts if isinstance(text, (str, int)) and text != "")[:_MOST_READ]
    told = without(told)  # before it is cut: half a secret would not be known as one
    told = "".join(character if character.isprintable() else " " for character in told[:_MOST_WORDS])
    return f" ({told})" if told else ""
