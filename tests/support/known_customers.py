"""A CRM in the test's own process that knows customers, and configurations that expect what it answers."""

import threading
from pathlib import Path
from typing import ClassVar

from bridge.config.loading import Config, load_config
from bridge.sdk.connector import Connector, ConnectorConfig, Owner
from bridge.sdk.errors import SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.settings import Text

FILE = """
api_keys: [change-me]
server: {{deadline: 1s, hedge_after: 100ms}}
connectors:
  crm: {{type: 'tests.support.known_customers:KnownCrm', owner: '{owner}', {more}}}
extensions:
  inline: {{lan@congty.example: 101, 7: 102, minh@congty.example: 102, nghi@congty.example: []}}
{expect}
"""


_HANGS = 30.0


class KnownCrm(Connector[ConnectorConfig]):
    """Names for every caller the owner of its settings, whom `instead` may replace: `nobody`, `down`, `refused`, …."""

    class Config(ConnectorConfig):
        owner: Text
        fails: bool = False
        hangs: bool = False

    instead: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []
    let_go: ClassVar[threading.Event] = threading.Event()

    def find_owners(self, call, _deadline):
        self.asked.append(call.caller.national)
        if self.config.hangs:
            self.let_go.wait(_HANGS)
        name = self.instead or self.config.owner
        if self.config.fails or name == "down":
            raise SourceUnavailable("the CRM is down")
        if name == "refused":
            raise SourceRejected("401 Unauthorized")
        if name == "misread":
            raise UnexpectedAnswer("no 'owner_idd' in the record")
        if name == "nobody":
            return ()
        return [Owner(id=name) if name.isdigit() else Owner(email=name)]


def expecting(
    folder: Path, *expect: str, owner: str = "lan@congty.example", more: str = "timeout: 2s", deputies: str = ""
) -> Config:
    """Write and read a configuration that expects so much."""
    listed = "expect:\n" + "".join(f"  - {{{entry}}}\n" for entry in expect) if expect else ""
    file = folder / "config.yaml"
    file.write_text(FILE.format(owner=owner, more=more, expect=deputies + listed), encoding="utf-8")
    return load_config(file)
