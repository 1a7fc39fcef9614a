"""A record's own numbers, out of the fields that `match` names: they say whether it is the caller's.

A text without its country's code is somebody else's number in another country. So what the CRM itself knows of it, its
international form or its country, is asked before the text is read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bridge.sdk import PhoneNumber, UnexpectedAnswer, give_way, is_nothing
from bridge.sdk.phone import read_field, unread_told_to
from connectors.rest.config.match import PhoneFields
from connectors.rest.mapping.expression import Expression, scalar_of
from connectors.rest.misfit import misfit

MOST_TEXTS = 1000
"""How many values one expression may find in one record: a company with all its people has a few hundred."""


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """Reads the numbers of records. `region` is the country of those that come without one."""

    region: str
    say: Callable[[str], None]

    def of(self, match: Sequence[Expression | PhoneFields], record: object) -> list[PhoneNumber]:
        """Return the numbers that a record holds. Raises UnexpectedAnswer if its fields are not there."""
        missing: list[Expression] = []
        numbers: list[PhoneNumber] = []
        for entry in match:
            if isinstance(entry, PhoneFields):
                numbers += self._described(entry, record)
            elif entry.fits(record):
                numbers += self._read(self._texts(entry, record), "", entry.source)
            else:
                missing.append(entry)
        if len(missing) == len(match):
            raise UnexpectedAnswer(f"match: {misfit(missing, record)}")
        return numbers

    def _described(self, entry: PhoneFields, record: object) -> Iterator[PhoneNumber]:
        for item in _items(entry, record):
            known = list(self._international(entry.international, item))
            yield from known
            named = _filled(entry.country, item) if entry.country else ""
            fields = entry.fields or []
            fitting = [field for field in fields if field.fits(item)]
            if fields and not fitting and not known:
                raise UnexpectedAnswer(f"match: {misfit(fields, item)}")
            for field in fitting:
                for text in self._texts(field, item):
                    yield from self._typed(text, known, named, field.source)

    def _international(self, field: Expression | None, item: object) -> Iterator[PhoneNumber]:
        if field is None:
            return
        if not field.fits(item):
            raise UnexpectedAnswer(f"match: international: {misfit([field], item)}")
        for text in self._texts(field, item):
            if text.startswith("0") and not text.startswith("00"):
                self.say(f"{field.source}: a number without its country's code, which does not count here")
            else:
                yield from self._read([text if text.startswith(("+", "00")) else f"+{text}"], "", field.source)

    def _typed(self, text: str, known: Sequence[PhoneNumber], named: str, source: str) -> Sequence[PhoneNumber]:
        """Return the numbers of a text beside what the CRM knows: the same in the country of its international form."""
        tried: dict[str, Sequence[PhoneNumber]] = {}
        for number in known:
            if number.country not in tried:
                give_way()
                with unread_told_to(lambda _unread: None):  # it is only tried
                    tried[number.country] = read_field(text, self.region, number.country).numbers
            if number in tried[number.country]:
                return tried[number.country]
        return self._read([text], named or (known[0].country if known else ""), source)

    def _read(self, texts: Sequence[str], country: str, source: str) -> list[PhoneNumber]:
        numbers: list[PhoneNumber] = []
        for text in texts:
            give_way()
            reading = read_field(text, self.region, country)
            numbers += reading.numbers
            if reading.lack:
                self.say(f"{source}: a text that is no number")
        return numbers

    def _texts(self, field: Expression, item: object) -> list[str]:
        """Return the texts of a field, as people typed them: with line breaks, no-break blanks and remarks."""
        values = [
            value if isinstance(value, str) else scalar_of(value, field.source) for value in _bounded(field, item)
        ]
        return [_whole(str(value)) for value in values if value is not None and not is_nothing(str(value))]


def _bounded(field: Expression, item: object) -> list[object]:
    """Return what stands in a field, and in the lists there. Raises UnexpectedAnswer if that is countless."""
    found = list(islice(_leaves(field.search(item)), MOST_TEXTS + 1))
    if len(found) > MOST_TEXTS:
        raise UnexpectedAnswer(f"match: `{field.source}` found more than {MOST_TEXTS} values in one record")
    return found


def _items(entry: PhoneFields, record: object) -> Sequence[object]:
    """Return the objects in which the fields are."""
    if entry.within is None:
        return [record]
    if not entry.within.fits(record):
        raise UnexpectedAnswer(f"match: within: {misfit([entry.within], record)}")
    return [item for item in _bounded(entry.within, record) if isinstance(item, dict)]


def _filled(field: Expression, item: object) -> str:
    """Return what stands in a field, nothing if it is empty. Raises UnexpectedAnswer if it is not there."""
    if not field.fits(item):
        raise UnexpectedAnswer(f"match: country: {misfit([field], item)}")
    value = scalar_of(field.search(item), field.source)
    return "" if value is None else str(value)


def _whole(text: str) -> str:
    """Return a text that can be written down: bytes that were no characters are signs that no number has."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for element in value:
            yield from _leaves(element)
    else:
        yield value
