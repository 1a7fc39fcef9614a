"""What has to be answered to known customers: read from the configuration, or from a YAML file of its own.

Each expectation knows where it is written, so that whoever is told of it finds the line. Whether an extension or an
owner exists at all is not known here: sources and lists say so, and `omi-bridge check` compares.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field, ValidationError

from bridge.config.content import ContentReader
from bridge.config.error_messages import problems_of
from bridge.config.interpolation import Interpolation
from bridge.config.sections import KnownCustomer
from bridge.config.values import Section
from bridge.config.yaml_document import Document, KeyPath, dotted, read_document
from bridge.sdk.errors import ConfigError, InvalidNumber, Problem
from bridge.sdk.phone.number import PhoneNumber
from bridge.sdk.secrets import Redaction

_SECTION = "expect"
_HOLDS = ("'expect:' and below it a list of known customers", "'expect: [{caller: 0901234567, extensions: [101]}]'")


@dataclass(frozen=True, slots=True)
class Expectation:
    """A caller, the hotline that they dial if it matters, and what has to come.

    That is `extensions`, none for nobody, or else `owners`, or else anybody at all. `key` and `place` say where it is
    written: `expect[0]`, `config.yaml:12`.
    """

    key: str
    place: str
    caller: str
    hotline: str = ""
    extensions: tuple[str, ...] | None = None
    owners: tuple[str, ...] = ()

    @property
    def wanted(self) -> str:
        """What has to come, in words."""
        if self.extensions is None:
            return f"owner {', '.join(self.owners)}" if self.owners else "somebody"
        return f"extension {', '.join(self.extensions)}" if self.extensions else "nobody"


class _ExpectationFile(Section):
    """A file that holds expectations and nothing else."""

    expect: list[KnownCustomer] = Field(min_length=1, description="a list of {caller: …, extensions: […]}")


def read_expectations(document: Document, region: str) -> tuple[tuple[Expectation, ...], list[Problem]]:
    """Return what the section `expect` of a document holds, and what of its numbers is wrong.

    What is not well-formed is left out: the model of the whole file says why.
    """
    written = document.data.get(_SECTION) if isinstance(document.data, dict) else None
    reader = _ExpectationReader(document, region)
    return tuple(reader.expectations(written if isinstance(written, list) else [])), reader.problems


def load_expectations(file: Path, region: str, environment: Mapping[str, str] = os.environ) -> tuple[Expectation, ...]:
    """Read a YAML file of expectations, written as in the configuration. Raises ConfigError with every problem."""
    reader = ContentReader(file, environment)
    interpolation = Interpolation(reader)
    document = read_document(file, interpolation.fill, reader.document, _HOLDS)
    expectations, problems = read_expectations(document, region)
    try:
        _ExpectationFile.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(error, _ExpectationFile, document, ())
    if problems := [*document.problems, *problems]:
        masked = Redaction(interpolation.secrets)
        raise ConfigError([replace(one, message=masked(one.message)) for one in problems])
    return expectations


class _ExpectationReader:
    def __init__(self, document: Document, region: str) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._region = region

    def expectations(self, written: Sequence[object]) -> Iterator[Expectation]:
        """Give those that are well-formed, and note which of their numbers cannot be read or stand there twice."""
        known: dict[tuple[PhoneNumber | None, PhoneNumber | None], str] = {}
        for index, entry in enumerate(written):
            with suppress(ValidationError):
                yield self._expectation((_SECTION, index), KnownCustomer.model_validate(entry), known)

    def _expectation(
        self, path: KeyPath, customer: KnownCustomer, known: dict[tuple[PhoneNumber | None, PhoneNumber | None], str]
    ) -> Expectation:
        key, dialled = dotted(path), customer.hotline or ""
        caller = self._number(customer.caller, (*path, "caller"), "write the customer's, such as 0901234567")
        hotline = self._number(dialled, (*path, "hotline"), "write it as a route does") if dialled else None
        first = known.setdefault((caller, hotline), key)
        if caller and first != key:
            self._complain((*path, "caller"), f"this caller stands in {first} already: keep one of them")
        line = self._document.problem(path, "").line
        place = f"{Path(self._document.file).name}:{line}"
        extensions = None if customer.extensions is None else tuple(customer.extensions)
        return Expectation(key, place, customer.caller, dialled, extensions, tuple(customer.owners or ()))

    def _number(self, text: str, path: KeyPath, advice: str) -> PhoneNumber | None:
        try:
            return PhoneNumber.parse(text, self._region)
        except InvalidNumber as error:
            self._complain(path, f"is no telephone number: {error}: {advice}")
            return None

    def _complain(self, path: KeyPath, message: str) -> None:
        self.problems.append(self._document.problem(path, message))
