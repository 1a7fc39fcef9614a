import logging

from bridge.observability.log_throttle import LogThrottle
from tests.support.fakes import FakeClock


class Log:
    """A logger behind the filter, its lines, and what was put off until later."""

    def __init__(self):
        self.lines = []
        self.clock = FakeClock()
        self.logger = logging.Logger("bridge.test")  # noqa: LOG001 - one of its own, unknown to the rest
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(record.getMessage())
        handler.addFilter(LogThrottle(handler.emit, self.clock))
        self.logger.addHandler(handler)

    def a_minute_later(self):
        self.clock.advance(60)
        self.logger.info("any line")
        self.lines.remove("any line")


def test_the_first_of_a_kind_are_written_and_the_rest_is_counted_once_a_minute():
    log = Log()
    for number in range(47):
        log.logger.warning("connector %s: caller %d", "crm", number)
    assert log.lines == [f"connector crm: caller {number}" for number in range(5)]
    log.a_minute_later()
    assert log.lines[5:] == ["connector crm: caller 46 (and 41 more like it in a minute)"]
    log.a_minute_later()
    log.logger.warning("connector %s: caller %d", "crm", 48)
    assert log.lines[6:] == ["connector crm: caller 48"]


def test_kinds_are_told_apart_by_their_first_argument_and_by_their_place():
    log = Log()
    for _ in range(10):
        log.logger.warning("connector %s: down", "crm")
        log.logger.warning("connector %s: down", "file")
        log.logger.error("connector %s: down", "crm")
    assert len(log.lines) == 15


def test_lines_of_calls_are_never_summed_up():
    log = Log()
    for _ in range(20):
        log.logger.info("found")
    assert log.lines == ["found"] * 20


def test_a_summed_up_traceback_is_not_repeated_and_a_percent_sign_does_no_harm():
    log = Log()
    for _ in range(8):
        try:
            raise ValueError("100%")
        except ValueError:
            log.logger.exception("a bug: %s", "100%s")
    log.a_minute_later()
    assert log.lines[-1] == "a bug: 100%s (and 2 more like it in a minute)"


def test_more_kinds_than_can_be_remembered_are_written():
    log = Log()
    for number in range(1500):
        log.logger.warning("connector %s: down", f"c{number}")
        log.logger.warning("connector %s: down", f"c{number}")
    assert len(log.lines) == 3000


def test_a_number_in_front_does_not_make_a_line_new():
    log = Log()
    for number in range(100):
        log.logger.warning("a slow call, %.2f s", number)
    assert len(log.lines) == 5
