"""What a reload waits for, and that one that is refused leaves no trace."""

import threading
from contextlib import closing

import pytest

from bridge.config.loading import load_config
from bridge.sdk import Call, Owner, PhoneNumber, SourceRejected, SourceUnavailable
from bridge.testing.fakes import FakeConnector
from bridge.web.app import Bridge, ReloadRefused, Service
from tests.support.kept import rows, until

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


class Telling(FakeConnector):
    """Knows one owner of every caller."""

    def __init__(self, config):
        super().__init__(config, lambda _call, _deadline: [Owner(id="7")])


class Away(FakeConnector):
    """Cannot be opened."""

    def open(self):
        raise SourceUnavailable("is away")


def ask(bridge, number):
    pending = bridge.service.guards["crm"].begin(Call(PhoneNumber(f"+849012345{number:02}")))
    pending.wait(10)
    return pending.answer().owners


def test_a_reload_that_is_refused_leaves_what_is_in_force_as_it_was_and_its_answers_kept(tmp_path):
    file = tmp_path / "config.yaml"
    kept = f"cache: {{path: {tmp_path}/answers.sqlite}}\n"
    file.write_text(kept + FILE.replace("Slow", "Telling"), encoding="utf-8")
    with closing(Bridge(load_config(file, {}))) as bridge:
        before = bridge.service
        text = FILE.replace("Slow", "Away").replace("101", "102") + "server: {deadline: 1s}\n"
        file.write_text(kept + text, encoding="utf-8")
        with pytest.raises(ReloadRefused, match="connector crm: is away"):
            bridge.prepare(load_config(file, {}))
        assert bridge.service is before
        assert bridge.service.guards["crm"].patience == 1.8
        assert ask(bridge, 0) == (Owner(id="7"),)
        until(lambda: rows(tmp_path / "answers.sqlite") == 1)
        assert ask(bridge, 1) == (Owner(id="7"),)
        until(lambda: rows(tmp_path / "answers.sqlite") == 2)


def test_a_guard_that_is_kept_follows_the_new_configuration_when_it_is_in_force_and_not_before(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(FILE.replace("Slow", "Telling"), encoding="utf-8")
    with closing(Bridge(load_config(file, {}))) as bridge:
        guard = bridge.service.guards["crm"]
        file.write_text(FILE.replace("Slow", "Telling") + "server: {deadline: 1s}\n", encoding="utf-8")
        prepared = bridge.prepare(load_config(file, {}))
        assert (prepared.service.guards["crm"], guard.patience) == (guard, 1.8)
        bridge.put_in_force(prepared)
        assert (bridge.service.guards["crm"], guard.patience) == (guard, 1.0)
