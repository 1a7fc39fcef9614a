"""Reloads of the whole service: all processes or none, `omi-bridge reload`, and what is in the middle of something."""

import os
import re
import signal
import subprocess
import sys
import threading

from tests.support.service import RunningService

PLUGIN = """
import os
from bridge.testing.fakes import FakeConnector

class OfOneProcess(FakeConnector):
    '''A source that lets in whoever comes first.'''
    def open(self):
        try:
            os.close(os.open({folder!r} + "/taken", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            from bridge.sdk import SourceUnavailable
            raise SourceUnavailable("somebody else is signed in") from None

class Hanging(FakeConnector):
    opening_takes = 60.0
    def open(self):
        import threading
        open({folder!r} + "/hangs", "w").close()
        threading.Event().wait()
"""


def write_config(folder, *, key="change-me", connector="type: csv, path: customers.csv", more=""):
    config = folder / "config.yaml"
    if not config.exists():  # a process that is just starting may be reading the others
        (folder / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
        (folder / "plugin_of_reload.py").write_text(PLUGIN.format(folder=str(folder)), encoding="utf-8")
    config.write_text(f'api_keys: ["{key}"]\nconnectors:\n  customers: {{{connector}}}\n{more}', encoding="utf-8")
    return config


def start_reload(config, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "reload", "-c", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def reload(config, **environment):
    """Return the exit status of the command, and what it said on its output and as an error."""
    process = start_reload(config, **environment)
    said, complained = process.communicate(timeout=60)
    return process.returncode, said.strip(), complained.strip()


def kill_worker(service):
    """Kill the last worker, and wait until another one has taken its place."""
    before = service.begun
    os.kill(before[-1], signal.SIGKILL)
    service.wait_for_log(f"Booting worker with pid: (?!{'|'.join(map(str, before))})")


def statuses(service, key):
    """Return what the machine's processes say to this key: asked often enough that each of them was."""
    return {service.ask(headers={"X-API-KEY": key}).status for _ in range(40)}


def test_the_command_brings_new_values_of_the_environment_to_all_processes_and_those_to_come(tmp_path):
    config = write_config(tmp_path, key="${OMICALL_KEY}")
    with RunningService(config, "--workers", "2", environment={**os.environ, "OMICALL_KEY": "change-me"}) as service:
        service.wait_for_workers(2)
        status, said, _ = reload(config, OMICALL_KEY="second-key")
        assert (status, said) == (0, f"configuration reloaded from {config}; changed: $OMICALL_KEY")
        assert (statuses(service, "second-key"), statuses(service, "change-me")) == ({200}, {401})
        kill_worker(service)
        assert statuses(service, "second-key") == {200}
        service.hang_up()
        told = service.wait_for_log("nothing differs from what is in force")
        assert "$OMICALL_KEY as since the start: omi-bridge reload or a restart brings new values" in told


def test_the_command_fails_with_what_is_wrong_or_if_there_is_nobody_to_ask(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config) as service:
        config.write_text(config.read_text() + "servre: {}\n", encoding="utf-8")
        status, said, why = reload(config)
        problem = f"{config}:4:1: servre: unknown key, did you mean 'server'?"
        assert (status, said) == (1, "")
        assert why == f"not reloaded, the old configuration stays in force: {problem}"
        service.wait_for_log("not reloaded, the old configuration stays in force")
    status, _, why = reload(config)
    assert (status, why.partition(":")[0]) == (1, f"no service with the configuration {config} runs on this machine")


def test_a_list_that_only_one_process_can_read_is_put_in_force_by_none_and_by_none_that_is_started_anew(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config, "--workers", "2") as service:
        service.wait_for_workers(2)
        write_config(tmp_path, key="second-key", connector="type: 'plugin_of_reload:OfOneProcess'")
        status, said, why = reload(config)
        assert status == 1, said
        assert re.search(r"connector customers: somebody else is signed in \(in process \d+ alone\)", why)
        assert "somebody else is signed in" in service.page("/healthz").text
        assert (statuses(service, "second-key"), statuses(service, "change-me")) == ({401}, {200})
        kill_worker(service)
        assert (statuses(service, "second-key"), statuses(service, "change-me")) == ({401}, {200})
        assert {service.ask().body for _ in range(40)} == {b"101"}


def test_a_service_that_is_told_to_stop_in_the_middle_of_a_reload_stops_at_once(tmp_path):
    config = write_config(tmp_path)
    with RunningService(config) as service:
        write_config(tmp_path, connector="type: 'plugin_of_reload:Hanging'")
        asking = start_reload(config)
        while not (tmp_path / "hangs").exists():
            threading.Event().wait(0.01)
        service.process.terminate()
        assert service.process.wait(5) == 0
        _, why = asking.communicate(timeout=5)
        assert asking.returncode == 1
        assert why == "not reloaded, the old configuration stays in force: the service is being stopped\n"


def test_a_reload_waits_for_a_file_that_is_just_being_written(tmp_path):
    config = write_config(tmp_path)
    other = tmp_path / "other.csv"
    begun, enough = threading.Event(), threading.Event()

    def write():
        with other.open("w", encoding="utf-8") as file:
            for part in ("phone,ext", "ension\n0912345678,1", "02\n0912345679,103", "\n0912345670,104\n"):
                file.write(part)
                file.flush()
                begun.set()
                enough.wait(0.4)

    with RunningService(config, "--workers", "2") as service:
        config.write_text(config.read_text().replace("customers.csv", "other.csv"), encoding="utf-8")
        writing = threading.Thread(target=write)
        writing.start()
        begun.wait()
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        service.wait_for_log(r"waited [\d.]+ s for other.csv, which was being written")
        writing.join()
        assert {service.ask("0912345670").body for _ in range(20)} == {b"104"}
