"""The settings of the rest connector."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, model_validator

from bridge.sdk import Credential, SourceRegion, Text, did_you_mean, located
from bridge.sdk.http import HttpSettings
from bridge.sdk.http.credentials import HeaderName
from connectors.rest.auth.choices import Auth, NoAuth
from connectors.rest.config.listing import ListSteps, completed
from connectors.rest.config.request_settings import OWNER_FIELDS, Name
from connectors.rest.config.steps import FORMS, Step
from connectors.rest.config.users import Users
from connectors.rest.templates.scope import group_of, keys_of, known_names
from connectors.rest.templates.template import TextTemplate

_NO_NUMBER = (
    "the request does not hold the caller's number, so everybody who calls would get these owners: write for example "
    "{{ caller.national }}, or 'match' with the records' own phone fields"
)
_NO_ROW = (
    "the request uses nothing that was found before, so everybody who is found would get these owners: write for "
    "example {{ owner_id }}, or {{ caller.national }}"
)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("not an address: write https://HOST/PATH") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an address: write https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials do not stand in the address: write auth: {type: basic, …}")
    if "?" in text or "#" in text:
        raise ValueError("an address has no '?' and no '#'; parameters stand under 'query' of each step")
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text or "{{" in text:
        raise ValueError("not an address: write https://HOST/PATH, without blanks, accents and placeholders")
    return text


Address = Annotated[str, AfterValidator(_address)]


class RestConfig(HttpSettings):
    """How to find the owners of a caller in a CRM with a JSON API over HTTP."""

    base_url: Address = Field(description="Address of the CRM's API, such as https://crm.example/api/v1.")
    headers: dict[HeaderName, TextTemplate] = Field(default={}, description="Headers of every request, templates.")
    auth: Auth = Field(
        default=NoAuth(),
        description="How the bridge proves who it is: its 'type' is none, basic, bearer, header, query, "
        "oauth2_client_credentials, oauth2_refresh_token or login, and says which keys belong to it.",
    )
    settings: dict[Name, Text] = Field(
        default={}, description="Names and texts of your own, for the templates: {{ settings.NAME }}."
    )
    secrets: dict[Name, Credential] = Field(
        default={}, description="The same for what nobody may see: {{ secrets.NAME }}, masked in logs."
    )
    region: SourceRegion = Field(
        default="", description="Country of numbers in the CRM that come without one; phone.region if left out."
    )
    max_requests: int = Field(
        default=10, ge=1, le=100, description="The most requests that one lookup may make, all steps together."
    )
    users: Users | None = Field(
        default=None,
        description="A request for all users, made in the background: only an owner_id in this list counts, and the "
        "list completes it.",
    )
    steps: list[Step] = Field(description="The requests, in order; see the keys of a step.")
    listing: ListSteps = Field(
        default=[],
        alias="list",
        description="Steps that list all customers, for `snapshot`: as `steps`, but without a caller, and with pages.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _with_names(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - unchecked
        with known_names(_names(data if isinstance(data, Mapping) else {})):
            return handler(completed(data) if isinstance(data, Mapping) else data)

    @model_validator(mode="after")
    def _asks_or_lists(self) -> Self:
        if not self.steps and not self.listing:
            raise located(("steps",), "needs at least one step, or 'list' for a CRM that has no search by number")
        if not self.steps and not (self.snapshot and self.snapshot.only):
            why = "without steps nobody is asked when a call comes"
            raise located(("steps",), f"{why}: write snapshot: {{every: 1h, only: true}}")
        return self

    @model_validator(mode="after")
    def _misspells_no_owner(self) -> Self:
        for place, name in self._unused():
            if guess := did_you_mean(name, OWNER_FIELDS):
                raise located(place, f"no later step uses {name!r}{guess}")
        return self

    @model_validator(mode="after")
    def _starts_once(self) -> Self:
        if self.steps and self.steps[0].start:
            raise located(("steps", 0, "start"), "the first step starts anyhow: leave it out")
        return self

    @model_validator(mode="after")
    def _knows_what_users_need(self) -> Self:
        if self.users is None:
            return self
        if not any("owner_id" in step.take for step in self.steps or self.listing):
            raise located(("users",), "no step takes an owner_id, which is what the list is compared with")
        for name, header in self.headers.items():
            if header.names & {"caller", "hotline"}:
                raise located(
                    ("headers", name), "goes with the list of users too, where there is no call: write it in the steps"
                )
        return self

    @model_validator(mode="after")
    def _finds_owners(self) -> Self:
        steps = self.steps or self.listing
        if not any(name in step.take for step in steps for name in OWNER_FIELDS):
            raise ValueError(f"no step takes an owner: one has to take {', '.join(OWNER_FIELDS)} or several of them")
        last = max((number for number, step in enumerate(self.steps) if step.once), default=0)
        if not any(name in step.take for step in steps[last:] for name in OWNER_FIELDS):
            raise ValueError("the step with 'once' has to take the owner again: what was taken before it ends there")
        return self

    @model_validator(mode="after")
    def _takes_nothing_in_vain(self) -> Self:
        for place, name in self._unused():
            raise located(place, f"no later step uses {name!r}; an owner has {', '.join(OWNER_FIELDS)}")
        return self

    @model_validator(mode="after")
    def _asks_for_the_caller(self) -> Self:
        everywhere = frozenset[str]().union(*(header.names for header in self.headers.values()))
        taken: set[str] = set()
        for number, step in enumerate(self.steps):
            read = step.names | everywhere
            begins = number == 0 or step.start is not None
            known = set[str]() if begins else taken | {f"all.{name}" for name in taken}
            holds = {"caller", "form"} & read
            if step.match == "exact" and not holds:
                raise located(("steps", number), f"match: exact compares nothing, and {_NO_NUMBER}")
            if step.match is None and not holds and not known & read:
                raise located(("steps", number), _NO_NUMBER if begins else _NO_ROW)
            taken |= step.take.keys() - {"login"}
        return self

    def _unused(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Find the names that are taken for nothing, and where."""
        for number, step in enumerate(self.steps):
            used = frozenset[str]().union(*(later.names for later in self.steps[number + 1 :]))
            for name in step.take:
                if name not in OWNER_FIELDS and not used & {name, f"all.{name}"}:
                    yield ("steps", number, "take", name), name

    def revealed_secrets(self) -> dict[str, str]:
        """Return the secrets for templates."""
        return {name: secret.get_secret_value() for name, secret in self.secrets.items()}

    def own_names(self) -> dict[str, object]:
        """Return what every template knows, those of a login too."""
        return {"settings": self.settings, "secrets": self.revealed_secrets()}


def _names(data: Mapping[Any, Any]) -> set[str]:
    """Return the names that every template of the connector may use."""
    names = {f"{number}.{form}" for number in ("caller", "hotline") for form in FORMS}
    for group in ("settings", "secrets"):
        names |= group_of(group, keys_of(data.get(group)))
    auth = data.get("auth")
    if isinstance(auth, Mapping) and auth.get("type") == "login":
        names |= group_of("login", keys_of(auth.get("take")))
    return names
