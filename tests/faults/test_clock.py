"""The clock on the wall is put forward and back: nothing that is remembered may die or live for ever of it.

Python's `time.time` in the service's process reads its offset from a file; the system's own clock is left alone.
"""

import threading
import time
from datetime import datetime

import pytest

from tests.support.faulty_crm import FaultyCrms
from tests.support.load import Load, call
from tests.support.service import RunningService
from tests.support.trial import callers, environment, known, write_config

_STEPPED = """
import time
_real, _real_ns = time.time, time.time_ns
def _offset():
    try:
        with open({file!r}) as file:
            return int(file.read() or 0)
    except OSError:
        return 0
time.time = lambda: _real() + _offset()
time.time_ns = lambda: _real_ns() + _offset() * 10**9
"""
DAY = 86400


def ahead(line):
    """Return by how many seconds the time of a log line differs from the time here."""
    try:
        told = datetime.fromisoformat(line.split()[0])
    except (ValueError, IndexError):
        return 0.0
    return told.timestamp() - time.time() if told.tzinfo else 0.0


@pytest.mark.parametrize("step", [3 * DAY, -3 * DAY, 400], ids=["three days on", "three days back", "minutes on"])
def test_a_clock_that_is_put(step, tmp_path, record_figures):
    offset = tmp_path / "offset"
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(_STEPPED.format(file=str(offset)))
    settings = environment()
    settings["PYTHONPATH"] = f"{shim}:{settings['PYTHONPATH']}"
    with FaultyCrms(1) as crm:
        config = write_config(tmp_path, crm.ports, ["well"])
        with RunningService(config, environment=settings) as service:
            assert all(call(service, caller).right for caller in known(0))
            with Load(service, callers(0).__next__, 20.0) as load:
                threading.Event().wait(1.0)
                offset.write_text(str(step))
                call(service, known(0)[0])
                threading.Event().wait(1.5)
                well = list(load.seen)
                crm.show(0, "refused")
                threading.Event().wait(1.5)
                offset.write_text("0")
                threading.Event().wait(1.5)
            assert any(abs(ahead(line) - step) < 60 for line in service.log), "the clock has not been put"
    known_ones = [one for one in load.seen if one.caller.known]
    right = sum(one.right for one in known_ones)
    late, wrong = sum(one.late for one in load.seen), sum(one.wrong for one in load.seen)
    record_figures(f"{f'clock put by {step} s, and back again':57} {late:4} {wrong:5} {right:5}/{len(known_ones):<5}")
    assert [one for one in load.seen if one.late or one.wrong] == []
    assert [one for one in known_ones if not one.right] == []
    assert [one for one in well if not one.right] == []
