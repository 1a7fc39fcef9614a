import os
import subprocess
import sys

import pytest

from bridge.config.identity import fingerprint, identity_of
from bridge.config.loading import load_config

WRITTEN = """
api_keys: [change-me]
phone: {region: VN}
connectors:
  crm:
    type: rest
    base_url: https://crm.example/api
    timeout: 5s
    auth: {type: bearer, token: planted-secret}
    steps: [{path: contacts, query: {q: "{{ caller.e164 }}"}, take: {owner_id: id}, match: phone}]
"""


@pytest.fixture
def identity(tmp_path):
    def read(*change):
        file = tmp_path / "config.yaml"
        file.write_text(WRITTEN.replace(*change) if change else WRITTEN, encoding="utf-8")
        config = load_config(file)
        (source,) = config.sources.values()
        return identity_of(source, config)

    return read


@pytest.mark.parametrize(
    "change",
    [
        ("crm.example", "other.example"),
        ("planted-secret", "the-secret-of-another-customer"),
        ("take: {owner_id: id}", "take: {owner_id: owner}"),
        ("region: VN", "region: TH"),
        ("  crm:", "  another:"),
    ],
)
def test_what_may_change_the_answers_makes_another_source(identity, change):
    assert identity(*change) != identity()


@pytest.mark.parametrize("change", [("5s", "9s"), ("timeout: 5s", "max_in_flight: 3"), ("change-me", "another-key")])
def test_what_cannot_change_the_answers_does_not(identity, change):
    assert identity(*change) == identity()


CUSTOM = """
from bridge.sdk import Connector, ConnectorConfig

class Crm(Connector[ConnectorConfig]):
    Config = ConnectorConfig

    def find_owners(self, _call, _deadline):
        return [{owner}]
"""
TELL = "import sys; from pathlib import Path; from bridge.config.loading import load_config as load; "
TELL += "from bridge.config.identity import identity_of as of; config = load(Path(sys.argv[1])); "
TELL += "print(of(*config.sources.values(), config))"


def test_another_version_of_a_connector_makes_another_source(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text('api_keys: [change-me]\nconnectors: {crm: {type: "our_crm:Crm"}}\n', encoding="utf-8")

    def identity_with(package_version, owner):
        (tmp_path / "our_crm.py").write_text(CUSTOM.format(owner=owner), encoding="utf-8")
        (tmp_path / "our_crm-1.dist-info").mkdir(exist_ok=True)
        (tmp_path / "our_crm-1.dist-info" / "METADATA").write_text(f"Name: our-crm\nVersion: {package_version}\n")
        (tmp_path / "our_crm-1.dist-info" / "top_level.txt").write_text("our_crm\n")
        path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.check_output([sys.executable, "-c", TELL, str(file)], env=environment, text=True)

    ours = identity_with("1.0", "'7'")
    assert "our-crm" in ours
    assert identity_with("1.0", "'7'") == ours
    assert identity_with("1.1", "'7'") != ours
    assert identity_with("1.0", "'8'") != ours


def test_a_fingerprint_stands_for_one_identity_in_one_file(identity):
    one, other = identity(), identity("planted-secret", "another-secret")
    assert fingerprint(one, b"salt") == fingerprint(one, b"salt")
    assert len({fingerprint(one, b"salt"), fingerprint(other, b"salt"), fingerprint(one, b"another")}) == 3
