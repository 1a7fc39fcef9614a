"""The address of a Redis or a Valkey, judged when the configuration is read; it may hold a password.

Of the options that redis-py reads from an address only these may stand in it: limits of time are ours.
Source: https://redis.readthedocs.io/en/stable/connections.html#redis.Redis.from_url
"""

import re
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, SecretStr

_DATABASE = re.compile(r"(/[0-9]{0,5})?", re.ASCII)
_OPTIONS = {"redis": set[str](), "rediss": {"ssl_ca_certs"}, "unix": {"db"}}


def _address(secret: SecretStr) -> SecretStr:
    try:
        url = urlsplit(secret.get_secret_value())
        complete: object = bool(url.hostname) and url.port != 0 and _DATABASE.fullmatch(url.path)
    except ValueError:  # no port is that
        raise ValueError("its port is no number") from None
    if url.scheme == "unix":
        complete = not url.netloc and url.path.startswith("/")
    if url.scheme not in _OPTIONS or not complete or url.fragment:
        raise ValueError(
            "has to be redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER], or rediss:// for TLS, or unix:///PATH"
        )
    if set(parse_qs(url.query, keep_blank_values=True)) - _OPTIONS[url.scheme]:
        raise ValueError("knows one option only: ?ssl_ca_certs=FILE with rediss://, ?db=NUMBER with unix://")
    return secret


RedisUrl = Annotated[SecretStr, AfterValidator(_address)]
"""Where a Redis or a Valkey is: `redis://`, `rediss://` (TLS) or `unix://`."""
