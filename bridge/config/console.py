"""The section `console` as an admin writes it, and how the console reads it: that section alone.

The console needs none of the CRM's secrets, so it does not even look at what the rest of the file stands for.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError

from bridge.config.content import ContentReader
from bridge.config.error_messages import problems_of
from bridge.config.interpolation import Interpolation
from bridge.config.values import Bind, Section
from bridge.config.yaml_document import Document, read_document
from bridge.sdk.errors import ConfigError
from bridge.sdk.settings import Duration, OneOrMore, Text, refuse_unfilled

_HASHED = re.compile(r"(?:scrypt|pbkdf2):[a-z0-9:]+\$[A-Za-z0-9]+\$[0-9a-f]+", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]", re.ASCII)


def _hashed(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    refuse_unfilled(text)
    if not _HASHED.fullmatch(text):
        raise ValueError("is no hashed password: `omi-bridge console --set-password` asks for one and prints this line")
    return secret


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(
            "has to be a name or an address alone, such as console.example: without https://, port or path"
        )
    return text.lower()


class Console(Section):
    """The pages for admins: `omi-bridge console`."""

    bind: Bind = Field(default="127.0.0.1:8081", description="Address and port that the console listens on.")
    password: Annotated[SecretStr, AfterValidator(_hashed)] = Field(
        description="The console's own password, hashed: the line that `omi-bridge console --set-password` prints."
    )
    hosts: Annotated[list[Annotated[Text, AfterValidator(_host)]], OneOrMore()] = Field(
        default=["127.0.0.1", "localhost", "[::1]"],
        description="Names and addresses by which browsers may ask for it; no other is answered.",
    )
    session: Duration = Field(default=8 * 3600.0, ge=60.0, description="How long somebody stays signed in.")
    proxy: bool = Field(
        default=False,
        description="Whether the proxy in front sets X-Forwarded-For, -Proto and -Prefix itself: then they count.",
    )


def load_console(file: Path, environment: Mapping[str, str] = os.environ) -> Console:
    """Read the section `console` of the configuration. Raises ConfigError with every problem in it.

    What is wrong elsewhere in the file does not count here, as long as it can be read as YAML.
    """
    reader = ContentReader(file, environment)
    document = read_document(file, lambda text: text, reader.document)
    if not document.holds(("console",)):
        raise ConfigError([document.problem(("console",), "is missing: docs/console.md tells how to write it")])
    filled = _filled(document, Interpolation(reader))
    try:
        return Console.model_validate(filled)
    except ValidationError as error:
        raise ConfigError(problems_of(error, Console, document, ("console",))) from None


def _filled(document: Document, interpolation: Interpolation) -> object:
    written: Any = document.value(("console",))
    if not isinstance(written, dict):
        return written
    try:
        return {key: interpolation.fill(one) if isinstance(one, str) else one for key, one in written.items()}
    except ValueError as error:
        raise ConfigError([document.problem(("console",), str(error))]) from None
