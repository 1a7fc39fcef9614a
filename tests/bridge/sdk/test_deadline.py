"""A deadline gives a library its time limit."""

import pytest

from bridge.sdk import Deadline
from bridge.testing import FakeClock


def test_a_time_limit_is_never_nothing():
    clock = FakeClock()
    deadline = Deadline.after(2, clock)
    clock.advance(0.5)
    assert deadline.seconds() == 1.5
    clock.advance(1.5)
    with pytest.raises(TimeoutError):
        deadline.seconds()
