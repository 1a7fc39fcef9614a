"""What the service tells of its configuration's file."""

from bridge.config.console import load_console
from bridge.insight.configuration import KEPT_FOR, ConfigurationView
from bridge.insight.line_mask import LineMask
from bridge.sdk.secrets import Redaction
from bridge.testing.fakes import FakeClock
from tests.support.application import opened, reload
from tests.support.consoled import HASHED, with_console
from tests.support.known_customers import expecting


def viewed(app, clock=None):
    bridge = app.extensions["omi_bridge"]
    return ConfigurationView(lambda: bridge.service, LineMask(Redaction(["change-me"])), clock or FakeClock())


def line(found, number):
    return next(one["text"] for one in found["lines"] if one["number"] == number)


def test_a_file_that_is_in_force_differs_in_nothing(tmp_path):
    with opened(with_console(expecting(tmp_path).file)[0]) as app:
        found = viewed(app).answer({})
    assert (found["same"], found["problems"], found["changes"], found["beside"]) == (True, [], [], [])
    assert line(found, 2) == "api_keys: [•••]"
    assert HASHED not in str(found)
    assert load_console(tmp_path / "config.yaml").password.get_secret_value() == HASHED


def test_a_change_is_named_by_its_key_until_it_is_in_force(tmp_path, monkeypatch):
    monkeypatch.setenv("THE_OWNER", "lan@congty.example")
    file, clock = expecting(tmp_path).file, FakeClock()
    file.write_text(file.read_text().replace("'lan@congty.example'", "'${THE_OWNER}'"))
    with opened(with_console(file)[0]) as app:
        view = viewed(app, clock)
        file.write_text(file.read_text().replace("deadline: 1s", "deadline: 1.2s"))
        changed = view.answer({})
        assert reload(app.extensions["omi_bridge"])
        after = view.answer({})
    assert (changed["same"], changed["changes"]) == (False, ["server.deadline"])
    assert (after["same"], after["changes"]) == (True, [])
    assert "••• $THE_OWNER" in line(changed, 5)


def test_problems_have_their_place_and_remedy_and_no_value(tmp_path):
    with opened(with_console(expecting(tmp_path).file)[0]) as app:
        file = tmp_path / "config.yaml"
        file.write_text(file.read_text().replace("hedge_after: 100ms", "hedge_aftr: hunter2"))
        found = viewed(app).answer({})
    (problem,) = found["problems"]
    assert (problem["line"], problem["column"]) == (3, 24)
    assert problem["text"] == "server.hedge_aftr: unknown key, did you mean 'hedge_after'?"
    assert line(found, 3) == "server: {deadline: 1s, hedge_aftr: •••}"
    assert "hunter2" not in str(found)


def test_a_file_that_is_gone_is_told_as_that(tmp_path):
    with opened(with_console(expecting(tmp_path).file)[0]) as app:
        (tmp_path / "config.yaml").unlink()
        found = viewed(app).answer({})
    assert "cannot be read" in found["problems"][0]["text"]
    assert (found["problems"][0]["line"], found["same"]) == (0, False)


def test_it_is_read_anew_after_seconds(tmp_path):
    clock = FakeClock()
    with opened(with_console(expecting(tmp_path).file)[0]) as app:
        view = viewed(app, clock)
        first = view.answer({})
        clock.advance(KEPT_FOR - 1)
        assert view.answer({}) is first
        clock.advance(1)
        assert view.answer({}) is not first
