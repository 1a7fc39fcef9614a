"""docs/deploy.md and docs/upgrade.md, followed to the letter on a Debian in a folder."""

import re
import sys

import pytest

from tests.support.certificates import make_certificate
from tests.support.debian import NOTED, Debian
from tests.support.documents import ROOT, Block, blocks
from tests.support.proxies import RunningProxy

GUIDE, UPGRADE = ROOT / "docs/deploy.md", ROOT / "docs/upgrade.md"
OTHER_VERSION = "9.9.9"


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """The machine after deploy.md, which was followed from the first command to the last, and what was printed.

    Most of its half a minute goes to pip, which installs omi-bridge as on a real machine.
    """
    certificate = make_certificate(tmp_path_factory.mktemp("certificate"))
    with Debian(tmp_path_factory.mktemp("debian")) as machine:
        front = RunningProxy("nginx", tmp_path_factory.mktemp("nginx"), certificate, machine.port)
        with front:
            here = {
                "https://$NAME": f"https://127.0.0.1:{front.port}",
                "curl ": f"curl --cacert {certificate.file} ",
                "simulate ": f"simulate --ca-file {certificate.file} ",
                "--duration 30s": "--duration 2s",
            }
            machine.printed = {block.heading: machine.run(block, here) for block in blocks("sh", GUIDE)}
        yield machine


@pytest.fixture(scope="module")
def upgraded(debian):
    """What upgrade.md printed, with the version that was in force after it, and after going back."""
    project = debian.project / "pyproject.toml"
    text, count = re.subn('^version = ".*"', f'version = "{OTHER_VERSION}"', project.read_text(), flags=re.MULTILINE)
    assert count == 1
    project.write_text(text)
    current = debian.root / "opt/omi-bridge/current"
    before, in_force, printed = current.readlink().name, [], []
    for block in blocks("sh", UPGRADE):
        printed.append(debian.run(block, PIP_NO_DEPS="1"))
        debian.lend(before, OTHER_VERSION)
        in_force.append(current.readlink().name)
    return in_force, "".join(printed)


def test_the_guide_leads_to_a_hotline_that_answers(debian):
    printed = debian.printed
    checked = printed["3. Configuration and secrets"]
    assert "ok " in checked
    assert not re.search("FAILED|warn", checked)
    assert '"status":"ok"' in printed["4. Start it"]
    assert printed["4. Start it"].endswith("101:102\n")
    head, _, body = printed["6. OMICall"].partition("\n\n")
    assert "X-Bridge-Outcome: found" in head
    assert body == "101:102"


def test_what_the_guide_puts_into_the_proxies_bears_the_reader_s_name(debian):
    assert "server_name bridge.example;" in (debian.root / "etc/nginx/sites-enabled/omi-bridge").read_text()
    assert "bridge.example" in (debian.root / "etc/caddy/Caddyfile").read_text()


def test_secrets_are_readable_by_root_alone(debian):
    assert (debian.root / "etc/omi-bridge/environment").stat().st_mode & 0o777 == 0o600
    assert (debian.root / "etc/omi-bridge/config.yaml").stat().st_mode & 0o777 == 0o640


def test_secrets_reach_a_command_as_they_stand(debian):
    file = debian.root / "etc/omi-bridge/environment"
    kept, secret = file.read_text(), "a$HOME`id`=b #c $(id)"
    file.write_text(f"{kept}# a remark\n\nPLAIN={secret}\nDOUBLE=\"{secret}\"\n  SINGLE='{secret}'")
    try:
        show = "import os; print(*map(os.environ.get, ['PLAIN', 'DOUBLE', 'SINGLE']), sep='|')"
        command = f'OMI_BRIDGE_PROGRAM={sys.executable} omi-bridge -c "{show}"'
        printed = debian.run(Block(GUIDE, 0, "", "sh", command))
    finally:
        file.write_text(kept)
    assert printed == "|".join([secret] * 3) + "\n"


def test_after_the_key_was_changed_only_the_new_one_counts(debian):
    ask = (
        "curl --silent --output /dev/null --retry 5 --retry-connrefused --write-out '%{http_code} '"
        ' -H "X-API-KEY: $OMI_BRIDGE_API_KEY" "http://127.0.0.1:8080/get_owner_contact_by_phone?phoneNumber=0901234567"'
    )
    # The shell still knows the key of step 6.
    command = f"{ask}\n. /etc/omi-bridge/environment\n{ask}"
    assert debian.run(Block(GUIDE, 0, "", "sh", f"({command})")) == "401 200 "
    assert (debian.root / "etc/omi-bridge/environment").stat().st_mode & 0o777 == 0o600


def test_what_is_remembered_lies_where_the_unit_allows_it(debian):
    assert (debian.root / "var/lib/omi-bridge/remembered.sqlite").exists()


def test_the_guide_says_what_of_it_was_not_tried(debian):
    untried = next(line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| not tried"))
    assert debian.called == {*NOTED, "systemctl"}
    assert {name for name in debian.called if f"`{name}`" not in untried} == {"nginx", "journalctl"}


def test_an_upgrade_changes_nothing_until_it_is_put_in_force_and_leads_back(debian, upgraded):
    in_force, printed = upgraded
    (before,) = {*in_force} - {OTHER_VERSION}
    assert in_force == [before, before, OTHER_VERSION, before]
    assert f"version {OTHER_VERSION}" in printed
    assert "FAILED" not in printed
    assert '"status":"ok"' in printed
    assert (debian.root / f"etc/omi-bridge.{before}/config.yaml").exists()
