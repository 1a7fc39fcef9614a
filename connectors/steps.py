"""A step of the rest connector as the configuration writes it: ask, keep the records that count, take values.

The names that a step takes are known to the templates of the steps behind it, which is checked while the file is
loaded: fields are validated from top to bottom.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    Tag,
    model_validator,
)

from bridge.settings import OneOrMore, Switch
from connectors.located import located
from connectors.mapping import JmesPath
from connectors.request_template import RequestTemplate
from connectors.template import known_names, scope

FORMS = ("e164", "digits", "national", "nsn", "legacy", "interleaved", "forms")
"""What templates read of a number: `caller.national`; `forms` is the list of all useful spellings."""

OWNER_FIELDS = {"owner_id": "id", "email": "email", "login": "login", "name": "name", "extension": "extension"}
"""The names under `take` that make an owner, and the owner's fields that they fill."""

_RESERVED = {"caller", "hotline", "form", "settings", "secrets", "all"}

Form = Literal["e164", "digits", "national", "nsn", "legacy", "interleaved", "all"]
Status = Annotated[int, Field(ge=200, le=599)]


def _no_field_but_exact(value: object) -> object:
    if isinstance(value, str) and value.strip().casefold() == "exact":
        raise ValueError("did you mean 'exact'?")
    return value


def _kind_of_match(value: object) -> str:
    return "exact" if value == "exact" else "fields"


def _name(name: str) -> str:
    if not (name.isidentifier() and name.isascii()):
        raise ValueError("a name has letters, digits and _, and does not begin with a digit")
    if name in _RESERVED:
        raise ValueError(f"{name!r} has a meaning of its own in templates; choose another name")
    return name


Name = Annotated[str, AfterValidator(_name)]
Match = Annotated[
    Annotated[Literal["exact"], Tag("exact")]
    | Annotated[
        list[JmesPath],
        Field(min_length=1),
        OneOrMore(),
        BeforeValidator(_no_field_but_exact),
        Tag("fields"),
    ],
    Discriminator(_kind_of_match),
]


class Step(RequestTemplate):
    """One request, made once for each row that the step before it found, and what to take from its answer."""

    for_each: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(
        default={},
        max_length=1,
        description="A name and texts: the request is made for each in turn as {{ name }}, and all records count.",
    )
    forms: Annotated[list[Form], OneOrMore(), Field(min_length=1)] | None = Field(
        default=None,
        description="Spellings of the caller's number: the request is made with each in turn as {{ form }} until one "
        "yields a record that counts. Any of e164, digits, national, nsn, legacy, interleaved, all.",
    )
    once: Switch = Field(
        default=False,
        description="Make the request once for all rows instead of once for each; {{ all.NAME }} is the list of what "
        "they took. Only what this step takes goes on from here.",
    )
    nobody_status: Annotated[list[Status], OneOrMore()] = Field(
        default=[], description="Statuses by which the CRM says that nobody is found, such as 404."
    )
    nobody_when: JmesPath | None = Field(
        default=None, description="Holds on the answer if it means that nobody is found (JMESPath)."
    )
    error_when: JmesPath | None = Field(
        default=None, description="Holds on the answer if it is an error in spite of its status (JMESPath)."
    )
    busy_when: JmesPath | None = Field(
        default=None,
        description="Holds on the answer, whatever its status, if asking again later may work (JMESPath).",
    )
    error_message: JmesPath | None = Field(
        default=None,
        description="Finds the CRM's own words in an answer that is an error, whatever its status (JMESPath).",
    )
    records: JmesPath | None = Field(
        default=None, description="Finds the record or the list of records (JMESPath); without it the whole answer."
    )
    match: Match | None = Field(
        default=None,
        description="The record's own phone fields (JMESPath): it counts only if one of them holds the caller's "
        "number. 'exact' if the CRM itself compares whole numbers. Needed where the request holds the number.",
    )
    each: JmesPath | None = Field(
        default=None, description="Finds several items within a record, such as its owners (JMESPath)."
    )
    where: JmesPath | None = Field(
        default=None, description="A record, or an item of 'each', counts only if this holds on it (JMESPath)."
    )
    take: dict[Name, JmesPath] = Field(
        default={},
        description="Names and where their values are (JMESPath) in a record, or in an item of 'each'. owner_id, "
        "email, login, name and extension make the owner; others are for the templates of later steps.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _within_scope(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        written = data if isinstance(data, Mapping) else {}
        outer = scope()
        lists = {name for name in outer if name.startswith("all.")}
        taken = {name.removeprefix("all.") for name in lists}
        once = written.get("once") is True or written.get("once") == "true"
        inner = outer - (taken if once else lists) | {"form"} | _keys(written.get("for_each"))
        try:
            with known_names(inner):
                return handler(data)
        finally:
            if once:
                outer -= taken | lists
            # `login` is what signing in yielded, also where an owner's login is taken
            outer |= _keys(written.get("take")) - {"login"}
            outer |= {f"all.{name}" for name in _keys(written.get("take")) - {"login"}}

    @model_validator(mode="after")
    def _asks_for_each_form(self) -> Self:
        if self.forms and "form" not in self.names:
            raise located(("forms",), "the request does not use {{ form }}, so it would be the same for each")
        if not self.forms and "form" in self.names:
            raise ValueError("{{ form }} needs 'forms', for example forms: [national, e164, legacy]")
        for name in self.for_each:
            if name not in self.names:
                raise located(
                    ("for_each",), f"the request does not use {{{{ {name} }}}}, so it would be the same for each"
                )
        return self

    @model_validator(mode="after")
    def _checks_the_number(self) -> Self:
        if self.match is None and self.names & {"caller", "form"}:
            raise ValueError(
                "needs 'match': the fields of a record that hold its numbers, so that another customer's record never "
                "counts; or match: exact if the CRM itself compares whole numbers"
            )
        return self


def _keys(value: object) -> set[str]:
    return {str(key) for key in value} if isinstance(value, Mapping) else set()
