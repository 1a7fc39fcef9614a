"""docs/no-public-address.md between network namespaces: the office reaches the machine outside, never the other way.

The office is a namespace with nothing but a line to here; the machine outside is the one that the tests run on, with
sshd on that line's address, and nginx as deploy/ sets it up.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.documents import ROOT, blocks
from tests.support.proxies import RunningProxy, replaced
from tests.support.service import RunningService, free_port

SHOWN = "".join(one.text for one in blocks("sh", ROOT / "docs/no-public-address.md"))
UNIT = (ROOT / "deploy/omi-bridge-tunnel.service").read_text(encoding="utf-8")
OUTSIDE, OFFICE = "198.18.77.1", "198.18.77.2"  # of RFC 2544: nobody else has them
CALLER = "0901234567"
QUERY = f"phoneNumber={CALLER}&sipNumber=842499950291"


def run(command, *, inside=""):
    words = [*(["ip", "netns", "exec", inside] if inside else []), *shlex.split(command)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def office():
    """A namespace at the end of a line; gives its name."""
    for program in ("ip", "ssh", "ssh-keygen", "sshd"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"{program} is not installed")
    name = f"office-{os.getpid()}"
    try:
        run(f"ip netns add {name}")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespace can be made: {error.stderr.strip()}")
    try:
        ours, theirs = f"out{os.getpid() % 100000}", f"off{os.getpid() % 100000}"
        run(f"ip link add {ours} type veth peer name {theirs} netns {name}")
        run(f"ip address add {OUTSIDE}/30 dev {ours}")
        run(f"ip link set {ours} up")
        run("ip link set lo up", inside=name)
        run(f"ip address add {OFFICE}/30 dev {theirs}", inside=name)
        run(f"ip link set {theirs} up", inside=name)
        yield name
    finally:
        run(f"ip netns delete {name}")


class Outside:
    """sshd as the page sets it up, with the unit's key allowed; `folder` holds its files and the tunnel's."""

    def __init__(self, folder, port):
        self.folder, self.port, self.listens = folder, port, free_port()
        for name in ("host", "key"):
            run(f"ssh-keygen -q -t ed25519 -N '' -f {folder}/{name}")
        (line,) = re.findall(r"^restrict,\S+", SHOWN, re.MULTILINE)
        public = (folder / "key.pub").read_text()
        (folder / "authorized_keys").write_text(f"{replaced(line, {'8080': str(port)})} {public}", encoding="utf-8")
        host = (folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[{OUTSIDE}]:{self.listens} {host}", encoding="utf-8")
        (told,) = re.findall(r"^Match User .*\n(?: +.*\n)+", SHOWN, re.MULTILINE)
        settings = f"""\
Port {self.listens}
ListenAddress {OUTSIDE}
HostKey {folder}/host
PidFile none
StrictModes no
AuthorizedKeysFile {folder}/authorized_keys
{replaced(told, {"omi-tunnel": os.environ.get("USER") or "root"})}"""
        (folder / "sshd_config").write_text(settings, encoding="utf-8")
        Path("/run/sshd").mkdir(exist_ok=True)

    def __enter__(self):
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
        command = [program, "-D", "-f", f"{self.folder}/sshd_config", "-E", f"{self.folder}/sshd.log"]
        self._sshd = subprocess.Popen(command)
        end = time.monotonic() + 20
        while not (log := self.folder / "sshd.log").exists() or "listening" not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < end
            threading.Event().wait(0.02)
        return self

    def __exit__(self, *_):
        self._sshd.terminate()
        self._sshd.wait(20)


class Tunnel:
    """What the unit starts, in the office, started again as systemd does."""

    def __init__(self, office, outside):
        words = re.search(r"^ExecStart=((?:.*\\\n)*.*)", UNIT, re.MULTILINE)[1].replace("\\\n", "")
        here = {
            "8080": str(outside.port),
            "/etc/omi-bridge-tunnel": str(outside.folder),
            "omi-tunnel@bridge.example": f"-p {outside.listens} {os.environ.get('USER') or 'root'}@{OUTSIDE}",
        }
        self.command = ["ip", "netns", "exec", office, *shlex.split(replaced(words, here))]

    def __enter__(self):
        self.process = subprocess.Popen(self.command)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(20)


def test_a_call_reaches_an_office_that_nobody_can_reach(office, tmp_path):
    (tmp_path / "customers.csv").write_text(f"phone,extension\n{CALLER},101\n", encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text(
        "api_keys: [change-me]\nconnectors:\n  customers: {type: csv, path: customers.csv}\n", encoding="utf-8"
    )
    port = free_port()
    in_the_office = ("ip", "netns", "exec", office, sys.executable, "-m", "bridge")
    with Outside(tmp_path, port) as outside, RunningProxy("nginx", tmp_path, make_certificate(tmp_path), port) as front:
        with Tunnel(office, outside), RunningService(config, command=in_the_office, port=port) as service:
            reply = front.ask(QUERY)
            assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (200, b"101", "found")
        reply = front.ask(QUERY)
        assert (reply.status, reply.body, reply.headers["X-Bridge-Outcome"]) == (200, b"", "unavailable")
        assert reply.seconds < 2
        assert service.log


def test_the_key_of_the_tunnel_opens_nothing_else(office, tmp_path):
    with Outside(tmp_path, free_port()) as outside:
        other = free_port()
        tunnel = Tunnel(office, outside)
        words = [word.replace(f"127.0.0.1:{outside.port}:", f"127.0.0.1:{other}:") for word in tunnel.command]
        refused = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
        assert "remote port forwarding failed" in refused.stderr
        shell = [word for word in tunnel.command if word != "-N"]
        at = shell.index("-R")
        said = subprocess.run(
            [*shell[:at], *shell[at + 2 :], "id"], capture_output=True, text=True, check=False, timeout=20
        )
        assert said.returncode != 0
        assert "uid=" not in said.stdout


def test_systemd_finds_nothing_wrong_with_the_unit():
    program = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is not installed")
    command = [program, "verify", "--man=no", "--recursive-errors=no", str(ROOT / "deploy/omi-bridge-tunnel.service")]
    verdict = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (verdict.returncode, verdict.stderr) == (0, "")
