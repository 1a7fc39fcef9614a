"""The systemd unit: judged by systemd itself, and the service within what can be tried of the unit's bounds.

There is no systemd to start it where the tests run. What the service asks of the system, and where it writes, is seen
by strace and compared with what the unit allows.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys

import pytest

from bridge.commands.main import main
from tests.support.documents import ROOT
from tests.support.proxies import replaced
from tests.support.service import RunningService

UNIT = (ROOT / "deploy/omi-bridge.service").read_text(encoding="utf-8")
PROGRAM = "/opt/omi-bridge/current/bin/omi-bridge"
NO_EXECUTABLE_MEMORY = 65  # PR_SET_MDWE of prctl(2): what MemoryDenyWriteExecute= means, kept through exec
_SHOWN = re.compile(r"^\d+ +(?:<\.\.\. )?(?P<name>\w+)(?:\((?P<arguments>.*)| resumed>.*)", re.MULTILINE)
_OPENED_FOR_WRITING = re.compile(r'AT_FDCWD, "([^"]+)", O_(?:WRONLY|RDWR)')
_PATH_CHANGED = re.compile(r'"([^"]+)"')
_CHANGES = {"chmod", "creat", "link", "mkdir", "mknod", "rename", "rmdir", "symlink", "truncate", "unlink"}
_CHANGES |= {f"{name}at" for name in _CHANGES} | {"fchmodat", "renameat2"}


def told(key):
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return program


def systemd(*arguments):
    command = [needs("systemd-analyze"), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that exists here."""
    program = tmp_path / "omi-bridge"
    program.symlink_to("/bin/true")
    file = tmp_path / "omi-bridge.service"
    file.write_text(replaced(UNIT, {PROGRAM: str(program)}), encoding="utf-8")
    return file


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    verdict = systemd("verify", "--man=no", "--recursive-errors=no", unit)
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_systemd_calls_the_unit_well_protected(unit):
    verdict = systemd("security", "--offline=true", "--threshold=20", "--no-pager", unit)
    assert verdict.returncode == 0, verdict.stdout[-200:]


def test_what_the_unit_starts_are_commands_of_ours():
    commands = [shlex.split(line) for line in told("ExecStart") + told("ExecReload")]
    ours = [words for words in commands if words[0] == PROGRAM]
    assert [words[1:] for words in ours] == [["serve"], ["reload"]]
    for _, name, *options in ours:
        assert main.commands[name].make_context(name, options)


def test_the_unit_makes_the_folders_that_the_service_looks_for():
    assert (told("StateDirectory"), told("RuntimeDirectory")) == (["omi-bridge"], ["omi-bridge"])


def test_a_reload_of_the_unit_fails_if_the_service_refuses_and_brings_new_values_of_the_environment(tmp_path):
    config = write_config(tmp_path, key="${OMICALL_KEY}")
    _, *arguments = next(words for words in map(shlex.split, told("ExecReload")) if words[0] == PROGRAM)
    environment = {**os.environ, "OMI_BRIDGE_CONFIG": str(config), "OMICALL_KEY": "change-me"}
    command = [sys.executable, "-m", "bridge", *arguments]
    with RunningService(config, environment=environment) as service:
        # systemd reads EnvironmentFile anew for each command of the unit (systemd.exec(5)).
        subprocess.run(command, env={**environment, "OMICALL_KEY": "second-key"}, check=True)
        assert service.ask(headers={"X-API-KEY": "second-key"}).body == b"101"
        config.write_text("api_kyes: []\n", encoding="utf-8")
        refused = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert refused.returncode == 1
        assert "api_kyes: unknown key, did you mean 'api_keys'?" in refused.stderr
        service.wait_for_log("not reloaded, .*api_kyes")
        assert service.ask(headers={"X-API-KEY": "second-key"}).body == b"101"


def test_systemd_is_told_when_the_service_listens(tmp_path):
    assert told("Type") == ["notify"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with RunningService(write_config(tmp_path), environment=environment) as service:
            assert b"READY=1" in manager.recv(4096)
            assert service.ask().body == b"101"


def test_the_service_asks_for_nothing_that_the_unit_forbids_and_writes_only_where_it_may(tmp_path):
    home, temporary = tmp_path / "state", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    log = trace_of_a_call(tmp_path, write_config(tmp_path, f"cache: {{path: {home}/remembered.sqlite}}\n"))
    calls = [(found["name"], found["arguments"] or "") for found in _SHOWN.finditer(log)]
    used, allowed = {name for name, _ in calls}, allowed_calls()
    assert {"accept4", "openat", "prctl"} <= used
    # SQLite gives its files to the folder's owner if it is root, as it may be here and is not under the unit.
    assert used - allowed <= {"fchown"}
    assert {"chroot", "mount", "ptrace", "setuid"}.isdisjoint(allowed)
    places = {place for name, arguments in calls for place in written(name, arguments)}
    assert any(place.startswith(str(home)) for place in places)
    assert {place for place in places if not place.startswith((str(home), str(temporary), "/dev/"))} == set()


def write_config(folder, more="", key="change-me"):
    (folder / "customers.csv").write_text("phone,extension\n0901234567,101\n", encoding="utf-8")
    file = folder / "config.yaml"
    text = f'api_keys: ["{key}"]\n{more}connectors: {{c: {{type: csv, path: customers.csv}}}}\n'
    file.write_text(text, encoding="utf-8")
    return file


def trace_of_a_call(folder, config):
    """Return what strace saw from the start of the service, through a call and a reload, to its end."""
    trace = folder / "trace"
    bound = (
        f"import ctypes, os, sys; assert ctypes.CDLL(None).prctl({NO_EXECUTABLE_MEMORY}, 1, 0, 0, 0) == 0; "
        "os.execv(sys.executable, [sys.executable, '-m', 'bridge', *sys.argv[1:]])"
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it writes
    environment = {**inherited, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder / "temporary")}
    environment["STATE_DIRECTORY"] = str(folder / "state")
    # -D: the service is our own child, and gets our signals. The log ends when strace, too, has written everything.
    command = (needs("strace"), "-D", "-f", "-qq", "-o", str(trace), sys.executable, "-c", bound)
    with RunningService(config, environment=environment, command=command) as service:
        assert service.ask().body == b"101"
        config.write_text(config.read_text(encoding="utf-8") + "phone: {region: VN}\n", encoding="utf-8")
        service.hang_up()
        service.wait_for_log("configuration reloaded")
    return trace.read_text(encoding="utf-8", errors="replace")


def allowed_calls():
    """Return what is left of the unit's SystemCallFilter, whose lines that begin with '~' take away."""
    allowed = set()
    for line in told("SystemCallFilter"):
        calls = {call for name in line.lstrip("~").split() for call in calls_of(name)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def calls_of(name):
    """Return the calls in one of systemd's groups, and in the groups within."""
    if not name.startswith("@"):
        return {name}
    lines = systemd("syscall-filter", name).stdout.splitlines()
    members = [line.strip() for line in lines[1:] if line.strip() and not line.strip().startswith("#")]
    return {call for member in members for call in calls_of(member)}


def written(name, arguments):
    """Return the paths that a system call writes to."""
    if name in _CHANGES:
        return _PATH_CHANGED.findall(arguments)
    return _OPENED_FOR_WRITING.findall(arguments) if name == "openat" else []
