"""A step of the rest connector as the configuration writes it: ask, keep the records that count, take values.

The names that a step takes are known to the templates of the steps behind it, which is checked while the file is
loaded: fields are validated from top to bottom.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from bridge.sdk import OneOrMore, Switch, located
from connectors.rest.config.match import Match
from connectors.rest.config.request_settings import Name, RequestSettings
from connectors.rest.mapping.expression import JmesPath
from connectors.rest.templates.scope import keys_of, known_names, scope

FORMS = (
    *("e164", "digits", "national", "nsn", "nsns", "legacy", "interleaved", "forms"),
    *("national_at_home", "nsn_at_home"),
)
"""What templates read of a number: `caller.national`; `forms` and `nsns` are lists."""

Form = Literal["e164", "digits", "national", "nsn", "legacy", "interleaved", "national_at_home", "nsn_at_home", "all"]


class Step(RequestSettings):
    """One request, made once for each row that the step before it found, and what to take from its answer."""

    start: Literal["also", "otherwise"] | None = Field(
        default=None,
        description="Begin anew here, with no row: 'also' adds what is found to what was found before, 'otherwise' "
        "asks only if no owner who counts has been found so far.",
    )
    for_each: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(
        default={},
        max_length=1,
        description="A name and texts: the request is made for each in turn as {{ name }}, and all records count.",
    )
    forms: Annotated[list[Form], OneOrMore(), Field(min_length=1)] | None = Field(
        default=None,
        description="Spellings of the caller's number: the request is made with each in turn as {{ form }} until one "
        "yields a record that counts and something to take. Any of e164, digits, national, nsn, legacy, interleaved, "
        "all.",
    )
    once: Switch = Field(
        default=False,
        description="Make the request once for all rows instead of once for each; {{ all.NAME }} is the list of what "
        "they took. Only what this step takes goes on from here.",
    )
    repeatable: Switch | None = Field(
        default=None,
        description="Whether the request may be made twice because it changes nothing in the CRM; if left out, if it "
        "is a GET. One that fails in passing is repeated, one that is silent doubled, within the same time.",
    )
    match: Match | None = Field(
        default=None,
        description="The record's own phone fields (JMESPath), or what describes them: it counts only if one of them "
        "holds the caller's number. 'exact' if the CRM itself compares whole numbers; then only spellings that are "
        "nobody else's are asked for. Needed where the request holds the number.",
    )
    record: JmesPath | None = Field(
        default=None,
        description="Finds a record's id (JMESPath), for when the CRM tells that this one has changed: docs/purge.md. "
        "Needed in a list where the CRM tells what has changed.",
    )
    full_page: int | None = Field(
        default=None,
        ge=1,
        description="How many records an answer holds at most. If so many came and none of them holds the caller's "
        "number, or none of the caller's has an owner who counts, that is an error: others may not have come.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _within_scope(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        written = data if isinstance(data, Mapping) else {}
        outer = scope()
        lists = {name for name in outer if name.startswith("all.")}
        taken = {name.removeprefix("all.") for name in lists}
        once = written.get("once") is True or written.get("once") == "true"
        hidden = lists | taken if written.get("start") else taken if once else lists
        inner = outer - hidden | {"form", "page"} | keys_of(written.get("for_each"))
        try:
            with known_names(inner):
                return handler(data)
        finally:
            if once:
                outer -= taken | lists
            # `login` is what signing in yielded, also where an owner's login is taken
            outer |= keys_of(written.get("take")) - {"login"}
            outer |= {f"all.{name}" for name in keys_of(written.get("take")) - {"login"}}

    def may_repeat(self, method: str) -> bool:
        """Tell whether a request by this method may be made once more."""
        return method == "GET" if self.repeatable is None else self.repeatable

    @model_validator(mode="after")
    def _starts_without_rows(self) -> Self:
        if self.start and self.once:
            raise located(("once",), "a step with 'start' is made once anyhow, for it has no rows: leave it out")
        return self

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
    def _knows_what_is_left_out(self) -> Self:
        if self.full_page and (self.match is None or self.match == "exact"):
            raise located(("full_page",), "needs 'match' with phone fields: without them every record counts")
        if self.full_page and self.pages:
            raise located(("full_page",), "with 'pages' all records come: leave it out")
        return self

    @model_validator(mode="after")
    def _checks_the_number(self) -> Self:
        if self.match is None and self.names & {"caller", "form"}:
            raise ValueError(
                "needs 'match': the fields of a record that hold its numbers, so that another customer's record never "
                "counts; or match: exact if the CRM itself compares whole numbers"
            )
        return self
