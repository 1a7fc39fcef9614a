"""A preset: what connecting one CRM takes, as data. It is a file, `presets/<type>.yaml`, and holds no code.

A preset says what an admin has to write (`needs`), and gives the configuration of the rest connector for the rest of
it. `${need}` stands for what he wrote, and only where no template is: so no value of his can become a template.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from bridge.sdk import Credential, Text
from connectors.rest.config.config import Address
from connectors.rest.config.request_settings import Name

Proven = Literal["real server", "API description", "documents", "unverified"]
"""Against what a preset was tried: the real thing; what its vendor publishes for machines, or for people; nothing."""

_PAGES = ("login", "signin", "sign-in", "index.php", "index.html", "dashboard", "home")
_SHORT_PATH = 2
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z_.-]{1,20}", re.ASCII)
_REFERENCE = re.compile(r"\$\{([^{}]*)\}")


def _plain(text: str) -> str:
    if "{{" in text:
        raise ValueError("is sent as it is written: {{ … }} has no meaning here")
    return text


_Site = Annotated[Address, AfterValidator(lambda address: address.rstrip("/"))]
_Plain = Annotated[Text, AfterValidator(_plain)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Need(_Part):
    """Something that an admin has to write, or may write if it has a default.

    `no_path` is told to whoever writes a whole path behind the host of an address, and `pages` are what an address that
    was copied from the browser may go on with; `form` is the whole of what a text looks like (a regular expression);
    `choices` are all that may be written.
    """

    help: Text
    example: Text
    secret: bool = False
    address: bool = False
    no_path: str = ""
    pages: list[str] = []
    form: str = ""
    choices: list[str] = []
    default: str | None = None

    @property
    def kind(self) -> Any:  # noqa: ANN401 - annotations are of any kind
        """The annotation of a setting for it."""
        if self.choices:
            return Literal[tuple(self.choices)]
        if self.no_path:
            return Annotated[_Site, AfterValidator(self._without_path)]
        if self.secret:
            return Annotated[Credential, AfterValidator(self._alone)]
        return _Site if self.address else Annotated[_Plain, AfterValidator(self._formed)]

    def _without_path(self, address: str) -> str:
        if path := urlsplit(address).path:
            few = path.count("/") <= _SHORT_PATH
            raise ValueError(f"only https://HOST belongs here: {_leave_out(path) if few else self.no_path}")
        return address

    def _alone(self, secret: SecretStr) -> SecretStr:
        if _ADDRESS.match(secret.get_secret_value()):
            raise ValueError(f"is a whole address: only a part of it belongs here: {self.help}")
        return secret

    def _formed(self, text: str) -> str:
        if self.form and not re.fullmatch(self.form, text):
            raise ValueError(f"does not look like {self.example}: {self.help}")
        return text

    def without_page(self, address: object, added: Container[str]) -> object:
        """Return what is written of an address; raises ValueError if it is a page's, or goes on as `added` does."""
        try:
            parts = urlsplit(address) if isinstance(address, str) else None
        except ValueError:
            return address
        first = parts.path.strip("/").partition("/")[0].lower() if parts else ""
        if parts and parts.netloc and (first in {*_PAGES, *self.pages} or (first in added and not self.no_path)):
            raise ValueError(f"only the beginning of it belongs here: {_leave_out(parts.path)}")
        if parts and parts.netloc and (parts.query or parts.fragment):
            raise ValueError("is the address of a page: leave out what stands from '?' or '#' on")
        return address

    def read(self, written: object) -> str:
        """Return what is written as text. Raises ValidationError if it is not what is needed."""
        found = TypeAdapter(self.kind, config=ConfigDict(coerce_numbers_to_str=True)).validate_python(written)
        return found.get_secret_value() if isinstance(found, SecretStr) else str(found)


class Preset(_Part):
    """One file of `presets`: the CRM as its vendor writes it, how far proven, what is needed, what is given."""

    name: Text
    proven: Proven
    needs: dict[Name, Need] = Field(min_length=1)
    connector: dict[str, Any]

    @model_validator(mode="after")
    def _puts_needs_where_values_stand(self) -> Self:
        used = {name for need in self.needs.values() for name in _REFERENCE.findall(need.default or "")}
        values = {"base_url", "settings", "secrets", *(() if self._signs_in() else ("auth",))}
        for place, text in _texts(self.connector, ()):
            names = _REFERENCE.findall(text)
            if names and place[0] not in values:
                raise ValueError(
                    f"{'.'.join(place)} is a template: use {{{{ settings.… }}}} or {{{{ secrets.… }}}} there"
                )
            if place[0] in {"base_url", "settings"} and any(self.needs[n].secret for n in names if n in self.needs):
                raise ValueError(f"{'.'.join(place)} is shown to people: a secret goes under 'secrets' or 'auth'")
            used.update(names)
        if used != set(self.needs):
            raise ValueError(f"needs and ${{…}} differ: {', '.join(sorted(used ^ set(self.needs)))}")
        return self

    @property
    def base_url(self) -> str:
        """What the preset asks, with the needs in it."""
        return str(self.connector.get("base_url", ""))

    def added_to(self, name: str) -> frozenset[str]:
        """Return with what the preset itself goes on behind the address that is written for a need."""
        behind = re.compile(rf"\$\{{{name}\}}/([\w.-]+)")
        return frozenset(found.lower() for _, text in _texts(self.connector, ()) for found in behind.findall(text))

    def _signs_in(self) -> bool:
        """Tell whether `auth` is a login, which consists of templates."""
        auth = self.connector.get("auth")
        return isinstance(auth, dict) and auth.get("type") == "login"

    def complete(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole configuration: what an admin wrote, and the preset's own where he wrote nothing.

        Where a need is missing or wrong, its example stands in: so nothing but that need is complained about.
        """
        values: dict[str, str] = {}
        for name, need in self.needs.items():
            try:
                values[name] = need.read(written[name])
            except (KeyError, ValidationError):
                replaced = need.example if name in written or need.default is None else need.default
                values[name] = _filled(replaced, values)
        own = {key: value for key, value in written.items() if key in self.needs}
        rest = {key: value for key, value in written.items() if key not in self.needs}
        given = {key: value for key, value in self.connector.items() if key != "list" or "steps" not in rest}
        return {**own, **_merged(_filled(given, values), rest)}  # a list finds whom these steps find, and no others

    def need_at(self, place: Iterable[str | int]) -> str | None:
        """Return the need whose value stands at a place of the configuration; None if there is none."""
        found: Any = self.connector
        for part in place:
            if isinstance(found, dict) and part in found:
                found = found[part]
        return next(iter(_REFERENCE.findall(found)), None) if isinstance(found, str) else None


def read_preset(file: Path) -> Preset:
    """Read a preset. Raises ValueError, which pydantic's is too, if the file is not what a preset has to be."""
    return Preset.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def _leave_out(path: str) -> str:
    """Say what of a path is too much, without the rest, which may hold a secret."""
    first = path.strip("/").partition("/")[0]
    return f"leave out /{first} and what follows" if _WORD.fullmatch(first) else "leave out what stands behind the host"


def _texts(data: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find every text, keys included, and where it stands."""
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*place, str(key)), str(key)
            yield from _texts(value, (*place, str(key)))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, (*place, str(number)))


def _filled(data: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(data, str):
        return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), data)
    if isinstance(data, dict):
        return {key: _filled(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(value, values) for value in data]
    return data


def _merged(ours: Any, theirs: Any) -> Any:  # noqa: ANN401 - any YAML
    """Put what an admin wrote over what a preset gives: key by key, but whole where he chose another `type`."""
    if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
        return theirs
    if theirs.get("type", ours.get("type")) != ours.get("type"):
        return theirs
    return {**ours, **{key: _merged(ours[key], value) if key in ours else value for key, value in theirs.items()}}
