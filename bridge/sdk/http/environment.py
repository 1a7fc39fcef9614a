"""Which proxy the environment names for an address, and by which variable: what fails there fails for its sake."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """The proxies as requests takes them, and what people are told of the one that counts, without its credentials."""

    by_scheme: Mapping[str, str]
    name: str = ""
    variable: str = ""

    @property
    def through(self) -> str:
        """What is added to the name of a host that is asked through a proxy."""
        return f" (through the proxy {self.name} of {self.variable})" if self.name else ""


def proxy_choice(url: str) -> ProxyChoice:
    """Return what the environment says about proxies for this address."""
    by_scheme = dict(requests.utils.get_environ_proxies(url))
    chosen = requests.utils.select_proxy(url, by_scheme)
    if not chosen:
        return ProxyChoice(by_scheme)
    names = [f"{urlsplit(url).scheme}_proxy", "all_proxy"]
    variables = [spelling for name in names for spelling in (name, name.upper()) if os.environ.get(spelling)]
    return ProxyChoice(by_scheme, _bare(chosen), variables[0] if variables else "the environment")


def _bare(proxy: str) -> str:
    """Return host and port."""
    return proxy.rpartition("://")[2].rpartition("@")[2].partition("/")[0]
