"""Taking values out of a CRM's JSON: JMESPath expressions, and what counts as a value.

CRMs say "no owner" in many ways: null, false, "", 0, "None", "Unassigned". All of them are no value here; an answer of
another shape than the configured one is an error, never an owner and never "nobody" by accident.
"""

import math
import re
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import PlainValidator, WithJsonSchema

from bridge.sdk import SourceError, UnexpectedAnswer, is_no_value, is_nothing
from bridge.sdk.http import is_broken
from connectors.rest.mapping.check import check, what_is_wrong
from connectors.rest.mapping.fit import fits, is_path, names_in_brackets, reached
from connectors.rest.mapping.interpreter import found_in

_LONGEST_VALUE = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Expression:
    """One JMESPath expression, compiled when the configuration is loaded. Raises ValueError if it is none."""

    def __init__(self, source: str) -> None:
        if source.lstrip().startswith("$"):
            raise ValueError("JMESPath, not JSONPath: leave '$.' out")
        try:
            self._tree: Any = jmespath.compile(source).parsed
        except JMESPathError as error:
            raise ValueError(f"not a JMESPath expression: {what_is_wrong(source, error)}") from None
        check(source, self._tree)
        self.source = source

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    @property
    def is_path(self) -> bool:
        """Whether it is a plain path, such as `phones[].number`, of which `fits` judges."""
        return is_path(self._tree)

    @property
    def lists(self) -> frozenset[str]:
        """The names of the fields that the expression goes through as lists, such as `Phone` of `Phone[].Number`."""
        return names_in_brackets(self._tree)

    def search(self, data: object) -> object:
        """Return what the expression finds in the data, None if that is nothing.

        Raises UnexpectedAnswer if a function in it cannot work on what is there, and as `give_way` does.
        """
        try:
            return found_in(data, self._tree)
        except SourceError:
            raise
        except Exception:  # noqa: BLE001 - the library lets Python's own errors out too, and its messages quote values
            raise UnexpectedAnswer(f"`{self.source}` cannot be applied to this answer") from None

    def holds(self, data: object) -> bool:
        """Tell whether the expression finds something that means yes; 0, "false", [] and the like mean no.

        Raises UnexpectedAnswer for what is no number, such as NaN, which means neither.
        """
        found = self.search(data)
        if isinstance(found, float) and not math.isfinite(found):
            raise UnexpectedAnswer(f"`{self.source}` found {kind_of(found)} where yes or no is needed")
        return not is_none(found) and found not in ([], {})

    def fits(self, data: object) -> bool:
        """Tell whether the fields that the expression names exist in the data, be they filled or empty.

        That is what tells a misspelt field from an empty one. Only plain paths such as `phones[].number` are judged.
        """
        try:
            return fits(self._tree, data)
        except SourceError:
            raise
        except Exception:  # noqa: BLE001 - as in search
            raise UnexpectedAnswer(f"`{self.source}` cannot be applied to this answer") from None

    def reached(self, data: object) -> object:
        """Return how far into the data the expression fits: the object in which its next field is not there."""
        try:
            return reached(self._tree, data)
        except SourceError:
            raise
        except Exception:  # noqa: BLE001 - as in search
            return data


def is_none(value: object) -> bool:
    """Tell whether a CRM means "none" by it: null, false, 0, "", and the words that programs write for them."""
    if isinstance(value, str):
        return is_no_value(value)
    return value is None or value is False or (isinstance(value, (int, float)) and value == 0)


def scalar_of(value: object, source: str) -> str | int | None:
    """Return an id, an address, a name with its type, None if there is none. `source` is the expression that found it.

    A word for nobody, such as "Unassigned", is none as well.

    Raises UnexpectedAnswer for a list, an object, `true` and a number with a fraction: they name nobody.
    """
    if is_nothing(value) if isinstance(value, str) else is_none(value):
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnexpectedAnswer(f"`{source}` found {kind_of(value)} where one text or whole number is needed")
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST_VALUE or _CONTROL.search(value):
            raise UnexpectedAnswer(f"`{source}` found a text that is too long or holds control characters")
        if is_broken(value):
            raise UnexpectedAnswer(f"`{source}` found a text with bytes that are not UTF-8, nor of a declared charset")
    return value


def kind_of(value: object) -> str:
    """Return what JSON calls the value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "a number with a fraction" if math.isfinite(value) else "no number"
    return {type(None): "null", str: "a text", int: "a number", list: "a list"}.get(type(value), "an object")


def _expression(value: object) -> Expression:
    if not isinstance(value, str):
        raise ValueError("write a JMESPath expression here, in quotes if it looks like a number")  # noqa: TRY004
    return Expression(value)


JmesPath = Annotated[Expression, PlainValidator(_expression), WithJsonSchema({"type": "string", "format": "jmespath"})]
"""A JMESPath expression in the configuration."""
