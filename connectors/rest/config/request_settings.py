"""A request and what to take from its answer, as it is configured: what steps and the list of users share."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bridge.sdk import OneOrMore, UnexpectedAnswer, located
from bridge.sdk.http import Response
from connectors.rest.config.paging import Pages
from connectors.rest.mapping.expression import Expression, JmesPath
from connectors.rest.mapping.xml_answer import is_xml, repeated, xml_data
from connectors.rest.templates.request import RequestTemplate

OWNER_FIELDS = {"owner_id": "id", "email": "email", "login": "login", "name": "name", "extension": "extension"}
"""The names under `take` that make an owner, and the owner's fields that they fill."""

_RESERVED = {"caller", "hotline", "form", "page", "settings", "secrets", "all"}

Status = Annotated[int, Field(ge=200, le=599)]


def _name(name: str) -> str:
    if not (name.isidentifier() and name.isascii()):
        raise ValueError("a name has letters, digits and _, and does not begin with a digit")
    if name in _RESERVED:
        raise ValueError(f"{name!r} has a meaning of its own in templates; choose another name")
    return name


Name = Annotated[str, AfterValidator(_name)]
"""A name of the configuration's own, for templates."""


class RequestSettings(RequestTemplate):
    """One request, what its answers mean, and what to take from them."""

    pages: Pages | None = Field(
        default=None,
        description="The answer comes in pages: how to ask for the next one, as {{ page }}. All records count.",
    )
    answer: Literal["json", "xml"] = Field(default="json", description="What the CRM answers in: json or xml.")
    nobody_status: Annotated[list[Status], OneOrMore()] = Field(
        default=[],
        description="Statuses by which the CRM says that nobody is found, such as 404. With 'nobody_when', only if "
        "that holds on their answer, too; 204 has none.",
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

    def data_of(self, response: Response) -> object:
        """Return what an answer holds, see `Response.json` and `xml_data`. Raises UnexpectedAnswer."""
        if self.answer == "xml":
            return xml_data(response, self._repeated)
        if is_xml(response.body):
            raise UnexpectedAnswer(f"{response.host} answered {response.status} with XML, not JSON: write answer: xml")
        return response.json(broken_values=True)

    @cached_property
    def _repeated(self) -> frozenset[str]:
        return repeated(_expressions(self))

    def may_repeat(self, method: str) -> bool:  # noqa: ARG002 - for steps
        """Tell whether a request by this method may be made once more; what is read ahead has time to be read again."""
        return False

    @model_validator(mode="after")
    def _asks_for_each_page(self) -> Self:
        if self.pages and "page" not in self.names:
            raise located(("pages",), "the request does not use {{ page }}, so it would be the same for each page")
        if not self.pages and "page" in self.names:
            raise ValueError("{{ page }} needs 'pages', for example pages: {next: paging.next}")
        return self

    @model_validator(mode="after")
    def _takes_no_good_answer_for_nobody(self) -> Self:
        if HTTPStatus.OK in self.nobody_status and self.nobody_when is None:
            raise located(
                ("nobody_status",),
                "200 is the status of good answers, so everybody would be nobody: leave it out, or write what tells "
                "nobody apart under 'nobody_when'",
            )
        return self


def _expressions(written: object) -> Iterator[Expression]:
    """Give the expressions in a part of the configuration, however deep."""
    if isinstance(written, Expression):
        yield written
    elif isinstance(written, BaseModel):
        yield from _expressions([value for _, value in written])
    elif isinstance(written, Mapping):
        yield from _expressions([*written.values()])
    elif isinstance(written, Sequence) and not isinstance(written, str):
        for one in written:
            yield from _expressions(one)
