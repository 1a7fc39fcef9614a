"""The console as deploy/ and docs/console.md set it up: its unit, its container, and the proxies in front of it."""

import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from bridge.commands.main import main
from bridge.console.uploads import LARGEST_FILE
from tests.support.certificates import make_certificate
from tests.support.consoled import PASSWORD, SECTION, running_console
from tests.support.documents import ROOT, blocks
from tests.support.proxies import RunningProxy

UNIT = (ROOT / "deploy/omi-bridge-console.service").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
SNIPPETS = dict(zip(("nginx", "caddy"), (one.text for one in blocks("text", ROOT / "docs/console.md")), strict=True))


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    config = tmp_path_factory.mktemp("console") / "config.yaml"
    config.write_text(SECTION.replace("hosts:", "proxy: true, hosts:"), encoding="utf-8")
    with running_console(config) as address:
        yield address


@pytest.mark.parametrize("kind", SNIPPETS)
def test_it_is_reached_through_the_proxy_that_is_documented(kind, console, tmp_path):
    certificate = make_certificate(tmp_path)
    also = SNIPPETS[kind].replace("127.0.0.1:8081", console.removeprefix("http://"))
    with RunningProxy(kind, tmp_path, certificate, 9, also=also) as proxy:
        page = proxy.ask(path="/console/sign-in")
        style = re.search(rb'href="(/console/static/console.css)"', page.body)
        assert (page.status, b"</html>" in page.body) == (200, True)
        assert proxy.ask(path=style[1].decode()).headers["Content-Type"].startswith("text/css")
        assert "Secure" in page.headers["Set-Cookie"]
        away = proxy.ask(path="/console/sources")
        assert (away.status, away.headers["Location"].split("?")[0]) == (302, "/console/sign-in")
        assert proxy.ask(path="/healthz").status == 404


@pytest.mark.parametrize("kind", SNIPPETS)
def test_a_file_to_look_at_comes_through_the_proxy_that_is_documented(kind, console, tmp_path):
    """It is let through as far as the console, which has no service to ask here, and says so."""
    also = SNIPPETS[kind].replace("127.0.0.1:8081", console.removeprefix("http://"))
    with RunningProxy(kind, tmp_path, make_certificate(tmp_path), 9, also=also) as proxy:
        page = proxy.ask(path="/console/sign-in")
        form = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": page.headers["Set-Cookie"].split(";")[0]}
        inside = proxy.ask(path="/console/sign-in", method="POST", headers=form, content=_form(page, password=PASSWORD))
        form["Cookie"] = inside.headers["Set-Cookie"].split(";")[0]
        page = proxy.ask(path="/console/set-up/file", headers=form)
        form["Cookie"] = page.headers["Set-Cookie"].split(";")[0]
        content = _form(page, file=b"x" * LARGEST_FILE)
        answer = proxy.ask(path="/console/set-up/file", method="POST", headers=form, content=content)
        assert (answer.status, b"The service cannot be asked" in answer.body) == (503, True)


def _form(page, password="", file=b""):
    token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page.body)[1]
    parts = [b'"csrf_token"\r\n\r\n' + token, b'"password"\r\n\r\n' + password.encode()]
    parts.append(b'"file"; filename="customers.csv"\r\n\r\n' + file)
    return b"".join(b"--x\r\nContent-Disposition: form-data; name=" + part + b"\r\n" for part in parts) + b"--x--\r\n"


def test_what_reads_a_file_may_end_for_want_of_memory_and_the_pages_do_not():
    assert re.findall(r"^(?:OOMPolicy|MemoryMax)=.*$", UNIT, re.MULTILINE) == ["MemoryMax=512M", "OOMPolicy=continue"]
    assert COMPOSE["services"]["console"]["mem_limit"] == "512m"
    assert "xlsx" in COMPOSE["services"]["bridge"]["build"]["args"]["EXTRAS"].split(",")


def systemd(*arguments):
    program = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *map(str, arguments)], check=False, capture_output=True, text=True)


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    file = tmp_path / "omi-bridge-console.service"
    file.write_text(UNIT.replace("/opt/omi-bridge/current/bin/omi-bridge", "/bin/true"), encoding="utf-8")
    verdict = systemd("verify", "--man=no", "--recursive-errors=no", file)
    assert (verdict.returncode, verdict.stderr) == (0, "")
    secure = systemd("security", "--offline=true", "--threshold=20", "--no-pager", file)
    assert secure.returncode == 0, secure.stdout[-200:]


def test_what_is_started_is_a_command_of_ours():
    (started,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    for _, name, *options in (shlex.split(started), ["omi-bridge", *COMPOSE["services"]["console"]["command"]]):
        assert main.commands[name].make_context(name, options).params["sets"] is False


def test_its_container_can_ask_the_service_and_has_none_of_its_secrets():
    console, bridge = COMPOSE["services"]["console"], COMPOSE["services"]["bridge"]
    assert (console["image"], console["network_mode"]) == (bridge["image"], "service:bridge")
    assert "console" in bridge["build"]["args"]["EXTRAS"].split(",")
    assert console["command"][-1] == bridge["command"][-1]
    assert "secrets" not in console
    assert [mount for mount in console["volumes"] if not mount.endswith(":ro")] == []
