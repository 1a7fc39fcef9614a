"""The program ends when its work is done, whatever a connector has left behind."""

import subprocess
import sys

CONNECTOR = """
import threading
from bridge.sdk import Connector, ConnectorConfig, Owner

class Clinging(Connector[ConnectorConfig]):
    Config = ConnectorConfig
    def find_owners(self, call, deadline):
        threading.Thread(target=threading.Event().wait).start()
        return [Owner(extension="101")]
"""
CONFIG = """
api_keys: [change-me]
connectors: {theirs: {type: "clinging:Clinging"}}
"""


def run(folder, *arguments):
    (folder / "clinging.py").write_text(CONNECTOR)
    (folder / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "bridge", arguments[0], "-c", folder / "config.yaml", *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_thread_that_a_connector_leaves_behind_does_not_keep_a_command_from_ending(tmp_path):
    ended = run(tmp_path, "lookup", "0901234567")
    assert (ended.returncode, ended.stdout) == (0, "101\n")


def test_the_exit_status_is_the_commands(tmp_path):
    assert run(tmp_path, "lookup").returncode == 2
    assert run(tmp_path, "--nonsense").returncode == 2
