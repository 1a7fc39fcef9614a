"""The steps that list a CRM's customers ahead of their calls, as the configuration writes them under `list`.

They are steps without a caller: their records are told by their numbers, and so each step that begins needs `match`
with phone fields. What one of them takes, later ones use, as with `steps`; and what `start` means is the same.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, PydanticKnownError

from bridge.sdk import located
from connectors.rest.config.steps import Step
from connectors.rest.mapping.expression import JmesPath
from connectors.rest.templates.request import ParameterTemplate
from connectors.rest.templates.scope import known_names, names_of

SINCE = ("iso", "sql", "unix", "compact")
"""What templates read of the time since which changes are asked for: `since.iso`."""

_NOT_OF_A_LIST = ("forms", "once", "full_page")
_OF_A_REQUEST = {"path", "query", "headers", "json", "form", "body"}
_OF_A_CALL = re.compile(r"\{[{%][^{}]*\b((?:caller|hotline)\.\w+|form)\b")


class ListStep(Step):
    """A step that lists customers, or tells more of those who were listed."""

    like: int | None = Field(
        default=None,
        ge=1,
        description="The number of a step under `steps` whose keys count where none is written here: where the records "
        "are, what a record's numbers are, what is taken of it.",
    )
    changed_since: dict[str, ParameterTemplate] = Field(
        default={},
        description="Parameters in the URL that are added when only changes are asked for: {{ since.iso }}, "
        "{{ since.sql }} (2026-03-01 07:00:00), {{ since.compact }} (20260301070000) or {{ since.unix }}, in UTC.",
    )
    total: JmesPath | None = Field(
        default=None, description="Finds in an answer how many customers there are (JMESPath)."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _belongs_to_a_list(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        written = data if isinstance(data, Mapping) else {}
        for key in _NOT_OF_A_LIST:
            if written.get(key) is not None:
                raise located((key,), "means nothing in a list, which is read without a caller: leave it out")
        return handler(data)

    @model_validator(mode="after")
    def _knows_records(self) -> Self:
        if self.match == "exact":
            raise located(("match",), "a list has no caller who could be compared: write the records' phone fields")
        if self.tells_changes and self.record is None:
            raise located(("record",), "is missing: without a record's id nobody knows what a change replaces")
        read = self.names.union(*(parameter.names for parameter in self.changed_since.values()))
        if self.changed_since and "since" not in read:
            why = "no request would say since when, and so would ask for all customers"
            raise located(("changed_since",), f"{why}: write for example {{{{ since.iso }}}}")
        return self

    @property
    def tells_changes(self) -> bool:
        """Whether the request can ask for changes alone."""
        return bool(self.changed_since) or any(name.partition(".")[0] == "since" for name in self.names)


class _Completed(dict[str, Any]):
    """A step of the list with what it has from the step that it is like, and the keys that stand in it itself."""

    def __init__(self, model: Mapping[str, Any], step: Mapping[str, Any]) -> None:
        super().__init__({**model, **step})
        self.written = frozenset(step)


def completed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a connector's settings with what each step of its list has from the step that it is like."""
    steps, listed = data.get("steps"), data.get("list")
    if not isinstance(steps, list) or not isinstance(listed, list):
        return data
    return {**data, "list": [_completed(steps, number, step) for number, step in enumerate(listed)]}


def _completed(steps: Sequence[Any], number: int, step: Any) -> Any:  # noqa: ANN401 - unchecked
    like = step.get("like") if isinstance(step, Mapping) else None
    if not isinstance(like, int) or isinstance(like, bool) or like < 1:
        return step
    if like > len(steps):
        raise located(("list", number, "like"), f"there is no step {like}: there are {len(steps)} under 'steps'")
    model = steps[like - 1] if isinstance(steps[like - 1], Mapping) else {}
    for key in _OF_A_REQUEST & model.keys() - step.keys():
        if found := _OF_A_CALL.search(str(model[key])):
            what = f"step {like} asks for {{{{ {found[1]} }}}} in its '{key}', and a list has no call"
            raise located(("list", number, "like"), f"{what}: write a '{key}' of its own here")
    return _Completed({key: value for key, value in model.items() if key not in _NOT_OF_A_LIST}, step)


def _without_a_call(data: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:  # noqa: ANN401
    names = names_of("settings", "secrets", "login") | {"since", *(f"since.{form}" for form in SINCE)}
    with known_names(names):
        if "steps" not in info.data:  # which is told there
            return _of_its_own(data, handler)
        steps = handler(data)
    _begin_with_numbers(steps)
    return steps


def _of_its_own(data: Any, handler: ValidatorFunctionWrapHandler) -> list[ListStep]:  # noqa: ANN401 - unchecked
    """Complain of what the list itself says alone, and not a second time of the steps that it is like."""
    try:
        handler(data)
    except ValidationError as error:
        told = [detail for detail in error.errors(include_url=False) if _is_its_own(data, detail["loc"])]
        if len(told) == error.error_count():
            raise
        if told:
            raise _of(told) from None
    return []


def _is_its_own(data: Any, place: Sequence[str | int]) -> bool:  # noqa: ANN401 - unchecked
    step = data[place[0]] if isinstance(data, list) and place and isinstance(place[0], int) else None
    return not isinstance(step, _Completed) or (len(place) > 1 and place[1] in step.written)


def _of(told: Sequence[ErrorDetails]) -> ValidationError:
    lines = []
    for detail in told:
        kind: str | PydanticCustomError = detail["type"]
        try:
            PydanticKnownError(kind, detail.get("ctx"))  # type: ignore[arg-type]  # a KeyError if it is none of those
        except KeyError:
            kind = PydanticCustomError("located", "{problem}", {"problem": detail["msg"]})
        lines.append(InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {})))
    return ValidationError.from_exception_data("list", lines, hide_input=True)


def _begin_with_numbers(steps: Sequence[ListStep]) -> None:
    for number, step in enumerate(steps):
        begins = number == 0 or step.start is not None
        if begins and step.match is None:
            raise located((number, "match"), "is missing: the records' own phone fields say whose number it is")
        if number == 0 and step.start:
            raise located((number, "start"), "the first step starts anyhow: leave it out")
        if not begins and step.tells_changes:
            raise located((number, "changed_since"), "belongs to the steps that begin, which list the customers")


ListSteps = Annotated[list[ListStep], WrapValidator(_without_a_call)]
"""The setting `list`."""
