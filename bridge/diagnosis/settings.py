"""What of a valid configuration is probably not meant as it is written."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from bridge.config.loading import Config, ConfiguredConnector, ConfiguredList
from bridge.config.values import is_this_machine
from bridge.diagnosis.finding import Finding, Severity
from bridge.sdk.secrets import secrets_in

_UNFILLED = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_]*\)")
_UNVERIFIED = (
    "tls.verify is false: certificates are not checked, anybody in between can read and forge: write tls: {ca_file: "
    "…} instead"
)
_IN_THE_CLEAR = re.compile("http://", re.IGNORECASE)


def settings_to_look_at(config: Config) -> Iterator[Finding]:
    """Give a warning for each setting that is likely a slip."""
    keys = [key.get_secret_value() for key in config.settings.api_keys]
    if any(map(_UNFILLED.search, keys)):
        yield _warning("api_keys", _unfilled("a key"))
    sources: list[tuple[str, ConfiguredConnector | ConfiguredList]] = [*config.sources.items()]
    sources += [(f"extensions.{source.name}", source) for source in config.lists]
    for name, source in sources:
        texts = dict(_texts(source.written))
        yield from (_warning(name, _unfilled(key)) for key, text in texts.items() if _UNFILLED.search(text))
        yield from (_warning(name, told) for told in dict.fromkeys(_in_the_clear(source, texts)))
        if not getattr(getattr(source.config, "tls", None), "verify", True):
            yield _warning(name, _UNVERIFIED)


def _unfilled(key: str) -> str:
    return f"{key} holds $(NAME), which is not filled in: a variable of the environment is written ${{NAME}}"


def _in_the_clear(source: ConfiguredConnector | ConfiguredList, texts: Mapping[str, str]) -> Iterator[str]:
    """Tell of addresses to which credentials go without TLS, unless they stay on this machine."""
    if not any(secrets_in(source.config)):
        return
    for key, text in texts.items():
        if _IN_THE_CLEAR.match(text) and (host := _host(text)) and not is_this_machine(host):
            yield (
                f"{key}: credentials and customers' numbers go to {host} in the clear, and whoever is in between reads "
                "them: write https://"
            )


def _texts(written: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Give every text of what is written, by its key; not those of templates, which are no addresses of ours."""
    if isinstance(written, str):
        yield place, written
    elif isinstance(written, Mapping):
        for key, value in written.items():
            yield from _texts(value, f"{place}.{key}" if place else str(key))
    elif isinstance(written, list):
        for number, value in enumerate(written):
            yield from _texts(value, f"{place}[{number}]")


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _warning(subject: str, message: str) -> Finding:
    return Finding(subject, message, Severity.WARNING)
