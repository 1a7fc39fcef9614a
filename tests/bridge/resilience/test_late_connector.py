"""A connector whose constructor waits: what stands in for it, until it is made, and from then on."""

import re
import threading

import pytest

from bridge.lookup.opening import Opening
from bridge.resilience import late_connector
from bridge.resilience.late_connector import make_in_time
from bridge.sdk import Deadline, Owner, SourceUnavailable
from bridge.sdk.disk.list_state import ListState
from bridge.testing import FakeConnector
from tests.support.kept import call, until


class Waiting(FakeConnector):
    may_be_made = threading.Event()

    def __init__(self):
        assert Waiting.may_be_made.wait(10)
        super().__init__(answer=lambda _call, _deadline: [Owner(extension="101")])


@pytest.fixture
def late(monkeypatch):
    monkeypatch.setattr(late_connector, "CONSTRUCTOR_PATIENCE", 0.05)
    Waiting.may_be_made.clear()
    yield make_in_time("crm", Waiting, FakeConnector().config, Waiting)
    Waiting.may_be_made.set()


def test_it_is_told_with_its_place_and_no_call_waits_for_it(late, caplog):
    opening = Opening("crm", late)
    assert opening.is_tried
    assert re.fullmatch(
        r"its constructor waits, which it may not, and stands in test_late_connector\.py:\d+", late.waits
    )
    assert opening.trouble == late.trouble() == late.waits
    assert f"connector crm has a bug: {late.waits}; the others answer meanwhile" in [
        record.getMessage() for record in caplog.get_records("setup")
    ]
    with pytest.raises(SourceUnavailable, match="its constructor waits"):
        late.find_owners(call(), Deadline.after(1))


def test_it_is_made_in_the_background_and_then_answers_as_any_other(late):
    late.kept = ListState()
    opening = Opening("crm", late)
    opening.start()
    Waiting.may_be_made.set()
    until(lambda: not opening.trouble)
    assert late.find_owners(call(), Deadline.after(1)) == [Owner(extension="101")]
    assert late.trouble() == ""


def test_one_that_has_waited_before_is_not_waited_for_again(monkeypatch):
    Waiting.may_be_made.clear()
    monkeypatch.setattr(late_connector, "CONSTRUCTOR_PATIENCE", 60)
    late = make_in_time("crm", Waiting, FakeConnector().config, Waiting, "crm.py:12")
    assert late.trouble() == "its constructor waits, which it may not, and stands in crm.py:12"
    Waiting.may_be_made.set()
