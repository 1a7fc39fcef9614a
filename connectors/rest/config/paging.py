"""Answers that come in pages: which page a request asks for, and whether another one follows.

A source tells either what to ask for next (a cursor, an offset), or merely that there is more: then pages are counted.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.sdk import UnexpectedAnswer, located
from connectors.rest.mapping.expression import JmesPath, is_none, kind_of
from connectors.rest.templates.sandbox import ABSENT

Page = object
"""What `{{ page }}` stands for: a number, a text that the source gave, or `ABSENT` on the first request."""


class Pages(BaseModel):
    """How to ask for the next page."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    next: JmesPath | None = Field(
        default=None,
        description="Finds in an answer what {{ page }} is in the next request (JMESPath); nothing there ends it. In "
        "the first request a parameter that is {{ page }} is left out.",
    )
    more: JmesPath | None = Field(
        default=None,
        description="Holds on an answer behind which there is another page (JMESPath); {{ page }} counts. Either this "
        "or 'next'.",
    )
    first: Annotated[int, Field(ge=0)] = Field(default=1, description="What {{ page }} begins with, with 'more'.")
    by: Annotated[int, Field(ge=1)] = Field(
        default=1, description="What {{ page }} grows by, with 'more': 1, or the size of a page."
    )

    @model_validator(mode="after")
    def _goes_on_in_one_way(self) -> Self:
        if (self.next is None) == (self.more is None):
            raise ValueError("write either 'next' or 'more': what the next page is, or whether there is one")
        for name in ("first", "by"):
            if self.next is not None and name in self.model_fields_set:
                raise located((name,), "belongs to 'more'; with 'next' the answer says what {{ page }} is")
        return self

    @property
    def beginning(self) -> Page:
        """What stands for the first page."""
        return self.first if self.next is None else ABSENT

    def following(self, page: Page, answer: object) -> Page | None:
        """Return what stands for the page behind this one, None if this is the last.

        Raises UnexpectedAnswer if the answer does not tell.
        """
        if self.more is not None:
            return self._counted(self.more, page, answer)
        found = self.next.search(answer) if self.next is not None else None
        if is_none(found):
            return None
        if isinstance(found, bool) or not isinstance(found, (str, int)):
            raise UnexpectedAnswer(f"pages.next: found {kind_of(found)} where one text or whole number is needed")
        return found

    def _counted(self, more: JmesPath, page: Page, answer: object) -> Page | None:
        if more.holds(answer):
            return page + self.by if isinstance(page, int) else None
        if not more.fits(answer):
            raise UnexpectedAnswer(f"pages.more: there is no `{more.source}` in the answer")
        return None
