"""Which proxy the environment names for an address, and by which variable: what fails there fails for its sake."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """The proxy with its credentials, and what people are told of it, without them; nothing if there is none."""

    address: str = field(default="", repr=False)
    name: str = ""
    variable: str = ""

    @property
    def through(self) -> str:
        """What is added to the name of a host that is asked through a proxy."""
        return f" (through the proxy {self.name} of {self.variable})" if self.name else ""


def proxy_choice(url: str) -> ProxyChoice:
    """Return what the environment says about proxies for this address."""
    chosen = select_proxy(url, get_environ_proxies(url))
    if not chosen:
        return ProxyChoice()
    names = [f"{urlsplit(url).scheme}_proxy", "all_proxy"]
    variables = [spelling for name in names for spelling in (name, name.upper()) if os.environ.get(spelling)]
    return ProxyChoice(chosen, _bare(chosen), variables[0] if variables else "the environment")


def _bare(proxy: str) -> str:
    """Return host and port."""
    return proxy.rpartition("://")[2].rpartition("@")[2].partition("/")[0]
