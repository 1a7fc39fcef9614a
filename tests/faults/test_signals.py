"""Stopping, reloading and dying in the middle of calls."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.support.faults import extension_of, number
from tests.support.faulty_crm import FaultyCrms
from tests.support.load import Caller, Load, call
from tests.support.service import RunningService
from tests.support.trial import MAX_IN_FLIGHT, callers, environment, write_config

RATE = 30.0


@pytest.fixture
def crm():
    with FaultyCrms(1) as running:
        yield running


@pytest.fixture
def config(tmp_path, crm):
    file = write_config(tmp_path, crm.ports, ["well"])
    text = file.read_text(encoding="utf-8")  # who calls while a worker starts, is answered by it all at once
    file.write_text(text.replace(f"max_in_flight: {MAX_IN_FLIGHT}", "max_in_flight: 32"), encoding="utf-8")
    return file


def eventually(holds):
    end = time.monotonic() + 5.0
    while not holds() and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert holds()


def test_a_service_that_is_told_to_stop_finishes_the_calls_under_way(crm, config):
    crm.show(0, "latency 1 s")
    customers = [Caller(number(0, 1, serial), "02838120000", extension_of(number(0, 1, serial))) for serial in range(8)]
    with RunningService(config, environment=environment()) as service, ThreadPoolExecutor(8) as pool:
        under_way = [pool.submit(call, service, caller) for caller in customers]
        eventually(lambda: crm.requests() == [8])
        assert service.stop() == 0
        seen = [one.result() for one in under_way]
    assert [one for one in seen if one.late or not one.right] == []


def test_a_reload_under_load_loses_no_call_even_if_it_replaces_the_connector(config):
    with RunningService(config, environment=environment()) as service:
        with Load(service, callers(0).__next__, RATE) as load:
            for seconds in count(5):
                threading.Event().wait(0.7)
                config.write_text(config.read_text().replace(f"timeout: {seconds - 1}s", f"timeout: {seconds}s"))
                service.hang_up()
                eventually(lambda done=seconds - 4: sum("reloaded from" in line for line in service.log) == done)
                if seconds == 7:
                    break
            threading.Event().wait(1.0)
        assert len(load.seen) > RATE
        assert [one for one in load.seen if one.late or not one.right] == []


def test_only_calls_in_flight_are_lost_when_the_worker_is_killed(config):
    with RunningService(config, environment=environment()) as service:
        with Load(service, callers(0).__next__, RATE) as load:
            threading.Event().wait(1.0)
            (worker,) = service.begun
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: not Path(f"/proc/{worker}/fd/0").exists())
            dead = time.monotonic()
            threading.Event().wait(4.0)
        assert service.begun[-1] != worker
        assert len(list(load.between(dead))) > RATE
        assert [one for one in load.between(dead) if one.late or not one.right] == []
        assert [one for one in load.between(0, dead) if one.wrong] == []
