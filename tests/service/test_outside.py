"""What the outside does to the processes: nothing of it stops the service."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.kept import until
from tests.support.scripted import ScriptedServer
from tests.support.service import RunningService

PROGRAM = (sys.executable, "-m", "bridge")
ORDINARY_USER = 40_000 + os.getpid() % 20_000
"""Somebody for whom nothing else runs, and whom limits hold for; he may read what root may."""
AS_ORDINARY_USER = ("setpriv", "--ruid", str(ORDINARY_USER), "--bounding-set", "-sys_resource,-sys_admin", *PROGRAM)
CROWD = """
import threading
for _ in range(40):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("there", flush=True)
input()
"""
NOTHING_WRITABLE = """
mount --make-rprivate / && mount -o bind / / && mount -o remount,bind,ro / || exit 9
for place in /tmp /var/tmp /dev /dev/shm; do
    if mountpoint -q $place; then mount -o remount,bind,ro $place || exit 9; fi
done
umount -l /proc
exec "$@"
"""
BEGINNING = "api_keys: [change-me]\nconnectors:\n"
CUSTOMERS = "  customers: {type: csv, path: customers.csv}\n"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make such surroundings")


def write_config(folder, connectors=CUSTOMERS, extra=""):
    (folder / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(BEGINNING + connectors + extra, encoding="utf-8")
    return config


def has_ended(pid: int) -> bool:
    """Tell whether a process is over; whoever inherits it may not look after it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def answer(service: RunningService) -> bytes | None:
    with suppress(OSError):
        return service.ask().body
    return None


def test_a_log_that_nobody_reads_stops_neither_calls_nor_reloads_nor_new_workers_nor_the_end(tmp_path):
    """A pipe holds 64 KiB, then whoever writes into it waits for ever."""
    with RunningService(write_config(tmp_path)) as service:
        service.stop_reading_the_log()
        replies = [service.ask(headers={"X-Request-ID": "x" * 64}) for _ in range(1000)]
        assert {(reply.status, reply.body) for reply in replies} == {(200, b"101")}
        assert max(reply.seconds for reply in replies) < 2
        for _ in range(5):
            service.hang_up()
        (before,) = service.workers
        os.kill(before, signal.SIGKILL)
        until(lambda: service.workers not in ([], [before]) and answer(service) == b"101")
        service.process.terminate()
        assert service.process.wait(15) == 0


@pytest.fixture
def folder_of_his():
    """A folder of the ordinary user's, who may not look into those of the tests."""
    with TemporaryDirectory() as folder:
        os.chown(folder, ORDINARY_USER, -1)
        yield Path(folder)


@needs_root
def test_with_few_threads_it_answers_and_a_worker_for_which_there_is_no_process_is_tried_again(folder_of_his):
    config = write_config(folder_of_his, extra="cache: {path: cache.sqlite}\n")
    with RunningService(config, command=("prlimit", "--nproc=30", *AS_ORDINARY_USER)) as service:
        assert "asked for 64 threads to answer calls, got 8" in service.wait_for_log("threads")
        assert service.ask().body == b"101"
        assert service.troubles == {}
        others = [*AS_ORDINARY_USER[:-2], "-c", CROWD]
        with subprocess.Popen(others, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as crowd:
            assert crowd.stdout
            assert crowd.stdout.readline() == b"there\n"
            os.kill(service.workers[0], signal.SIGKILL)
            service.wait_for_log("no worker can be started: .*; 0 are there")
            crowd.kill()
        until(lambda: answer(service) == b"101")


def test_with_little_address_space_it_answers(tmp_path):
    with RunningService(write_config(tmp_path), command=("prlimit", f"--as={300 * 1024**2}", *PROGRAM)) as service:
        assert service.ask().body == b"101"


@needs_root
def test_with_no_folder_that_can_be_written_and_no_proc_it_answers(tmp_path):
    command = ("unshare", "--mount", "sh", "-c", NOTHING_WRITABLE, "sh", *PROGRAM)
    config = write_config(tmp_path, extra="cache: {path: cache.sqlite}\nserver: {workers: 2}\n")
    with RunningService(config, command=command) as service:
        service.wait_for_log("no folder can be made")
        assert service.ask().body == b"101"
        assert "Read-only file system" in service.troubles["cache.path"]
        assert "omi_bridge_answers_total" in service.page("/metrics").text


def test_the_master_s_sudden_death_leaves_no_worker_and_no_file_though_a_source_hangs(tmp_path):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    with ScriptedServer(lambda connection: connection.stopped()) as crm:
        steps = "steps: [{path: contacts, match: phone, take: {extension: owner}}]"
        config = write_config(tmp_path, f"  crm: {{type: rest, base_url: 'http://127.0.0.1:{crm.port}', {steps}}}\n")
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(runtime)}
        with RunningService(config, "--workers", "2", environment=environment) as service:
            until(lambda: len(service.workers) == 2)
            assert list(runtime.iterdir())
            left = service.workers
            with service.connect(b"GET /get_owner_contact_by_phone?phoneNumber=0901234567 HTTP/1.1\r\nHost: x\r\n"):
                service.process.kill()
                until(lambda: all(has_ended(pid) for pid in left), 10)
            assert not list(runtime.iterdir())


def test_with_few_open_files_too_many_connections_wait_and_no_worker_dies(tmp_path):
    with ExitStack() as stack:
        service = stack.enter_context(
            RunningService(write_config(tmp_path), command=("prlimit", "--nofile=64", *PROGRAM))
        )
        before = service.workers
        for _ in range(100):
            held = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=5))
            held.sendall(b"GET /get_owner")
        until(lambda: answer(service) == b"101")
        assert service.workers == before


def test_closed_descriptors_a_deleted_folder_and_another_locale_are_no_obstacle(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    name = "khách hàng.csv"
    config = write_config(tmp_path, CUSTOMERS.replace("customers.csv", name), "cache: {path: cache.sqlite}\n")
    shutil.move(tmp_path / "customers.csv", tmp_path / name)
    start = f'cd "{gone}" && rmdir "{gone}" && exec "$@" <&- >&- 2>&-'
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": os.environ["PATH"]}
    service = RunningService(config, command=("sh", "-c", start, "sh", *PROGRAM), environment=bare)
    try:
        until(lambda: answer(service) == b"101")
        assert (tmp_path / "cache.sqlite").read_bytes()[:6] == b"SQLite"
    finally:
        assert service.stop() == 0


def test_a_reload_that_comes_before_the_service_is_there_does_not_end_it():
    show = "import signal; from bridge.__main__ import _stand_on_firm_ground as stand; stand();"
    show += "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    for command, ignored in (("serve", b"True\n"), ("check", b"False\n")):
        asked = subprocess.run([sys.executable, "-c", show, command], capture_output=True, timeout=60, check=True)
        assert asked.stdout == ignored


WAITING = """
import pathlib, time
from bridge.sdk import Connector, ConnectorConfig, Owner

class Waiting(Connector[ConnectorConfig]):
    Config = ConnectorConfig

    def __init__(self, config):
        super().__init__(config)
        while not pathlib.Path({go!r}).exists():
            time.sleep(0.05)

    def find_owners(self, call, deadline):
        return [Owner(extension="107")]
"""


def test_a_constructor_that_waits_is_named_and_the_others_answer_until_it_is_there(tmp_path):
    go = tmp_path / "go"
    (tmp_path / "waiting.py").write_text(WAITING.format(go=str(go)), encoding="utf-8")
    config = write_config(tmp_path, "  mine: {type: 'waiting:Waiting'}\n" + CUSTOMERS)
    with RunningService(config, "--workers", "2") as service:
        reply = service.ask()
        assert (reply.body, reply.seconds < 1) == (b"101", True)
        told = "its constructor waits, which it may not, and stands in waiting.py:11"
        assert service.troubles == {"connector mine": told}
        assert told in service.wait_for_log("connector mine has a bug")
        go.touch()
        assert service.ask_until("0901234567", b"107").body == b"107"


def test_an_import_that_waits_during_a_reload_holds_up_neither_calls_nor_the_end(tmp_path):
    config = write_config(tmp_path)
    (tmp_path / "waiting.py").write_text("import time\n\ntime.sleep(1000)\n", encoding="utf-8")
    with RunningService(config) as service:
        config.write_text(BEGINNING + "  mine: {type: 'waiting:Waiting'}\n" + CUSTOMERS, encoding="utf-8")
        service.hang_up()
        service.wait_for_log("hup")
        assert service.ask().body == b"101"
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 5
