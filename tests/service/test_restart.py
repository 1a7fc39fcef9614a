"""What the whole service remembers when it is stopped, killed, or given another configuration."""

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from tests.support.crm import Crm, Says
from tests.support.kept import rows, until
from tests.support.service import RunningService

SECRET = "planted-secret-0123456789"
CRM = {"contacts": {"id": 7, "phone": "0901234567"}}


def write_config(folder, crm, *, ttl="10m", token=SECRET):
    config = folder / "config.yaml"
    config.write_text(
        f"""
api_keys: [change-me]
cache: {{path: answers.db, ttl: {ttl}}}
connectors:
  crm:
    type: rest
    base_url: {crm.url}
    auth: {{type: bearer, token: {token}}}
    secrets: {{name: {SECRET}-2}}
    steps: [{{path: contacts, query: {{q: "{{{{ caller.e164 }}}}"}}, take: {{owner_id: id}}, match: phone}}]
extensions: {{inline: {{"7": 101}}}}
""",
        encoding="utf-8",
    )
    return config


def kill_worker(service):
    found = re.search(r"Booting worker with pid: ([0-9]+)", service.wait_for_log("Booting worker"))
    os.kill(int(found[1]), signal.SIGKILL)


@pytest.mark.parametrize(("ttl", "said"), [("10m", "cached"), ("1ms", "stale")])
@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_known_callers_are_answered_after_a_restart_while_the_crm_is_down(tmp_path, ttl, said, end):
    with Crm(CRM) as crm:
        config = write_config(tmp_path, crm, ttl=ttl)
        with RunningService(config) as service:
            assert service.ask().body == b"101"
            if end == "killed":
                until(lambda: rows(tmp_path / "answers.db") == 1)
                service.process.kill()
                kill_worker(service)
        crm.script(Says(status=500))
        with RunningService(config) as service:
            reply = service.ask()
            assert (reply.body, reply.headers["X-Bridge-Answer"]) == (b"101", said)
            assert service.ask("0912345678").headers["X-Bridge-Outcome"] == "unavailable"


def test_a_worker_s_death_loses_nothing_that_is_remembered(tmp_path):
    with Crm(CRM) as crm, RunningService(write_config(tmp_path, crm)) as service:
        assert service.ask().body == b"101"
        until(lambda: rows(tmp_path / "answers.db") == 1)
        crm.script(Says(status=500))
        kill_worker(service)
        service.wait_for_log("1 callers remembered")
        assert service.ask().headers["X-Bridge-Answer"] == "cached"


def test_a_changed_source_does_not_get_what_was_remembered_of_another(tmp_path):
    with Crm(CRM) as crm:
        with RunningService(write_config(tmp_path, crm)) as service:
            assert service.ask().body == b"101"
        crm.script(Says(status=500))
        with RunningService(write_config(tmp_path, crm, token="another-customers")) as service:
            assert service.ask().headers["X-Bridge-Outcome"] == "unavailable"


def test_other_settings_of_the_memory_do_not_empty_it(tmp_path):
    with Crm(CRM) as crm, RunningService(write_config(tmp_path, crm)) as service:
        assert service.ask().body == b"101"
        crm.script(Says(status=500))
        write_config(tmp_path, crm, ttl="20m")
        service.hang_up()
        service.wait_for_log("configuration reloaded")
        reply = service.ask()
        assert (reply.body, reply.headers["X-Bridge-Answer"]) == (b"101", "cached")


def test_no_secret_is_in_the_file(tmp_path):
    with Crm(CRM) as crm, RunningService(write_config(tmp_path, crm)) as service:
        assert service.ask().body == b"101"
        until(lambda: rows(tmp_path / "answers.db") == 1)
        files = [file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("answers.db")]
    files += [(tmp_path / "answers.db").read_bytes()]
    assert any(b"+84901234567" in content for content in files)
    assert not any(b"planted-secret" in content or b"change-me" in content for content in files)


def test_a_file_that_cannot_be_used_is_said_and_costs_no_answer(tmp_path):
    with Crm(CRM) as crm:
        config = write_config(tmp_path, crm)
        config.write_text(config.read_text().replace("answers.db", "missing/answers.db"))
        with RunningService(config) as service:
            service.wait_for_log("will not survive a restart: .*answers.db: No such file or directory")
            assert service.ask().body == b"101"
            assert service.ask().headers["X-Bridge-Answer"] == "cached"


def test_every_worker_forgets_a_caller_and_none_brings_him_back(tmp_path):
    with Crm(CRM) as crm:
        config = write_config(tmp_path, crm)
        config.write_text(config.read_text().replace("cache:", "server: {workers: 2}\ncache:"))
        with RunningService(config) as service:
            for _ in range(40):  # so that both have been asked
                assert service.ask().body == b"101"
            until(lambda: rows(tmp_path / "answers.db") == 1)
            crm.script(Says(status=500))
            command = [sys.executable, "-m", "bridge", "forget", "-c", str(config), "0901234567"]
            told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
            assert "1 answer(s) deleted" in told
            until(lambda: service.ask().headers["X-Bridge-Outcome"] == "unavailable")
            threading.Event().wait(2)  # what the command says
            asked = {service.ask().headers["X-Bridge-Outcome"] for _ in range(40)}
            assert asked == {"unavailable"}
        everything = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
        assert b"901234567" not in everything
