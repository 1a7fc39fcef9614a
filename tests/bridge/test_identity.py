import pytest

from bridge.config import load_config
from bridge.identity import fingerprint, identity_of

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


def test_a_fingerprint_stands_for_one_identity_in_one_file(identity):
    one, other = identity(), identity("planted-secret", "another-secret")
    assert fingerprint(one, b"salt") == fingerprint(one, b"salt")
    assert len({fingerprint(one, b"salt"), fingerprint(other, b"salt"), fingerprint(one, b"another")}) == 3
