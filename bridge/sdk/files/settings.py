"""What may be said of a file that is read as a whole: on this machine, or at an address."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from bridge.sdk.errors import UnexpectedAnswer
from bridge.sdk.files.share_links import download_address
from bridge.sdk.http.address import origin
from bridge.sdk.http.client import Tls
from bridge.sdk.http.credentials import FixedAuth, NoAuth
from bridge.sdk.secrets import Credential
from bridge.sdk.settings import Duration, LocalPath, Size, located

_OF_AN_ADDRESS = ("refresh", "auth", "download_timeout", "max_response_size", "tls")
_SCHEMES = ("http://", "https://")


def _checked(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no address: write https://HOST/PATH, or path: with a file of this machine")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials do not stand in the address: write auth: {type: basic, …}")
    try:
        origin(download_address(text, "csv"))
    except UnexpectedAnswer as error:
        raise ValueError(str(error)) from None
    return url


FileAddress = Annotated[Credential, AfterValidator(_checked)]
"""The address of a file, or a link to it as the browser shows it; it may hold what gives access, and so is a secret."""


def _no_address(path: object) -> object:
    if isinstance(path, str) and path.lower().startswith(_SCHEMES):
        raise ValueError("is an address: write it as url: instead of path:")
    return path


class FileSettings(BaseModel):
    """The settings of whatever reads a file; subclass it, beside what else is set there."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        json_schema_extra={"anyOf": [{"required": ["path"]}, {"required": ["url"]}]},
    )

    path: Annotated[LocalPath | None, BeforeValidator(_no_address)] = Field(
        default=None,
        description="The file on this machine, or else `url`; changes are picked up while the service runs.",
    )
    url: FileAddress | None = Field(
        default=None,
        description="Address of the file, instead of `path`; a link to a Google Sheet, OneDrive, SharePoint, Dropbox "
        "or Nextcloud as the browser shows it will do, if the file is shared with whoever has the link.",
    )
    refresh: Annotated[Duration, Field(ge=30)] = Field(
        default=300.0, description="How often the file at `url` is asked for; 30s at least."
    )
    auth: FixedAuth = Field(
        default=NoAuth(),
        description="How the bridge proves who it is at `url`: its 'type' is none, basic, bearer, header or query, and "
        "says which keys belong to it.",
    )
    download_timeout: Duration = Field(default=60.0, description="How long downloading from `url` may take as a whole.")
    max_response_size: Size = Field(default=50_000_000, description="The largest file that is taken from `url`.")
    tls: Tls = Field(default=Tls(), description="Whom to trust when `url` is asked over https: ca_file, verify.")
    max_age: Duration | None = Field(
        default=None,
        description="How old the file may become before /healthz says that it is not written any more.",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_more_than_a_text(cls, written: object) -> object:
        if isinstance(written, str):
            key = "url" if written.lower().startswith(_SCHEMES) else "path"
            raise ValueError(f"has to hold keys with values: did you mean {{{key}: …}}?")  # noqa: TRY004 - pydantic's
        return written

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        if self.path is None and self.url is None:
            raise ValueError("write path: with a file of this machine, or url: with an address")
        if self.path is not None and self.url is not None:
            raise located(("url",), "a file is in one place: write path or url")
        if self.url is None and (vain := next((key for key in _OF_AN_ADDRESS if key in self.model_fields_set), None)):
            raise located((vain,), "goes with url alone: the file at path is read by itself when it changes")
        return self
