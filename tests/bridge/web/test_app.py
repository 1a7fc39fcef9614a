"""What a reload waits for."""

import threading

from bridge.config.loading import load_config
from bridge.sdk import SourceRejected
from bridge.testing.fakes import FakeConnector
from bridge.web.app import Bridge, Service

FILE = """
api_keys: [change-me]
connectors:
  crm: {type: "tests.bridge.web.test_app:Slow"}
extensions:
  inline: {lan@congty.example: 101}
"""


class Slow(FakeConnector):
    """Opens when somebody asks how long that may take, which is who waits for it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.may_open = threading.Event()

    @property
    def opening_takes(self):
        self.may_open.set()
        return 60.0

    def open(self):
        assert self.may_open.wait(60)


class Refused(FakeConnector):
    def open(self):
        raise SourceRejected("the key has ended")


def test_a_reload_waits_for_a_connector_that_has_much_to_read_first(tmp_path):
    (tmp_path / "config.yaml").write_text(FILE, encoding="utf-8")
    config = load_config(tmp_path / "config.yaml", {})
    old, new = Service(config), Service(config)
    for guard in old.guards.values():
        guard.connector.may_open.set()
    old.open(60)
    new.open(0)
    assert new.lost_since(old) == ""
    new.close()
    old.close()


def test_an_alarm_says_when_nothing_changes_until_somebody_acts(tmp_path):
    (tmp_path / "config.yaml").write_text(FILE.replace("test_app:Slow", "test_app:Refused"), encoding="utf-8")
    bridge = Bridge(load_config(tmp_path / "config.yaml", {}))
    assert bridge.troubles() == {"connector crm": "the key has ended"}
    assert bridge.alarms() == {"connector crm": "rejected: the key has ended"}
    bridge.service.guards["crm"].opening.trouble = ""
    assert bridge.alarms() == {}
    bridge.close()
