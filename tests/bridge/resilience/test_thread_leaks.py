import subprocess
import sys
import threading

import pytest

from bridge.config.sections import Cache
from bridge.lookup.guard import Guard
from bridge.resilience.thread_leaks import leaked_threads
from bridge.storage.cache import AnswerCache
from bridge.testing import FakeConnector

ENDING = """
import threading
from bridge.resilience.thread_leaks import end_process
threading.Thread(target=threading.Event().wait, daemon={daemon}).start()
print("answered")
end_process(3)
"""


class Leaving(FakeConnector):
    def __init__(self):
        super().__init__()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.linger, name="refresh", daemon=True)

    def open(self):
        self.thread.start()

    def linger(self):
        self.ending.wait(10)


@pytest.fixture
def leaving():
    connector = Leaving()
    connector.open()
    yield connector
    connector.ending.set()
    connector.thread.join()


def test_a_thread_that_goes_on_after_close_is_told_as_a_bug_of_its_connector(leaving, caplog):
    Guard("crm", leaving, AnswerCache(Cache())).close()
    assert "connector crm has a bug: after close its code goes on in the thread refresh" in caplog.text


def test_another_connector_of_the_same_kind_is_not_taken_for_it(leaving):
    assert leaked_threads(leaving) == ["refresh"]
    assert leaked_threads(Leaving()) == []


def test_a_connector_that_ends_its_thread_is_not_complained_of(caplog):
    class Tidy(Leaving):
        def close(self):
            self.ending.set()

    connector = Tidy()
    connector.open()
    Guard("crm", connector, AnswerCache(Cache())).close()
    connector.thread.join()
    assert caplog.text == ""


@pytest.mark.parametrize("daemon", [False, True])
def test_a_process_ends_although_a_thread_does_not(daemon):
    code = ENDING.format(daemon=daemon)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.returncode) == ("answered\n", 3)
