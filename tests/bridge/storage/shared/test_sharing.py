"""Whether instances share what they know, and with which server: as the configuration says, now and after a reload."""

import re
import sys
from contextlib import suppress
from functools import partial
from itertools import count

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from bridge.config.loading import load_config
from bridge.diagnosis.sources import check_service
from bridge.sdk.connector import Call, Connector, ConnectorConfig, Owner
from bridge.sdk.errors import ConfigError
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.shared.client import SharedClient
from bridge.storage.shared.namespace import Namespace
from bridge.web.app import Bridge
from tests.support.application import reload
from tests.support.certificates import make_certificate
from tests.support.documents import ROOT
from tests.support.kept import until
from tests.support.redis_server import RunningRedis, needs_redis
from tests.support.scripted import dead_port

CONFIG = """
api_keys: [{key}]
cache: {{{cache}}}
connectors:
  crm: {{type: "tests.bridge.storage.shared.test_sharing:Crm"}}
extensions: {{inline: {{"7": 101}}}}
"""


NUMBERS = count(20)


class Crm(Connector[ConnectorConfig]):
    """Says that everybody is looked after by 7."""

    Config = ConnectorConfig

    def open(self):
        self.known = self.shared.get("token")

    def find_owners(self, _call, _deadline):
        return [Owner(id="7")]


@pytest.fixture
def config(tmp_path):
    def write(cache="", key="change-me"):
        file = tmp_path / "config.yaml"
        file.write_text(CONFIG.format(cache=cache, key=key), encoding="utf-8")
        return load_config(file, {})

    return write


@pytest.fixture
def bridge(config):
    made = []

    def make(*values, **named):
        made.append(Bridge(config(*values, **named)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def redis():
    with RunningRedis() as running:
        yield running


def over(redis, more=""):
    return f'backend: redis, url: "{redis.url}"{more}'


def crm(bridge):
    return bridge.service.guards["crm"].connector


def ask(bridge, number=0):
    pending = bridge.service.guards["crm"].begin(Call(PhoneNumber(f"+849012345{number:02}")))
    pending.wait(10)
    return pending.answer().freshness


def knows(theirs, ours):
    """Tell whether they know what we have just learnt; a slow machine may leave the shared memory alone for a while."""
    number = next(NUMBERS)
    ask(ours, number)
    key = f"answer {PhoneNumber(f'+849012345{number:02}').e164} "
    with suppress(AssertionError):
        until(lambda: crm(theirs).shared.look(key).value, seconds=1)
    return ask(theirs, number) == "cached"


def test_alone_every_connector_knows_nothing_and_every_lock_is_free(bridge):
    shared = crm(bridge()).shared
    shared.put("token", b"planted", 60)
    with shared.lock("token", 60), shared.lock("token", 60):
        assert shared.get("token") is None
    assert not isinstance(shared, Namespace)
    assert shared.once("list", lambda: b"made", seconds=60, patience=60).content == b"made"


@needs_redis
def test_a_connector_has_what_it_shares_before_it_is_opened(bridge, redis):
    ours = bridge(over(redis))
    crm(ours).shared.put("token", b"planted", 60)
    until(redis.contents)
    theirs = bridge(over(redis))
    assert crm(theirs).known.content == b"planted"


@needs_redis
def test_a_reload_goes_on_with_the_same_connection_and_memory(bridge, config, redis):
    ours = bridge(over(redis))
    store, guard = crm(ours).shared.client, ours.service.guards["crm"]
    assert ask(ours) == "live"
    config(over(redis) + ", ttl: 10m")
    assert reload(ours)
    assert (crm(ours).shared.client, ours.service.guards["crm"]) == (store, guard)


@needs_redis
def test_a_new_first_key_makes_what_was_shared_unreadable_and_costs_no_memory(bridge, config, redis):
    ours, theirs = bridge(over(redis)), bridge(over(redis))
    assert (ask(ours), ask(ours)) == ("live", "cached")
    until(redis.contents)
    config(over(redis), key="another-key, change-me")
    assert reload(theirs)
    assert ask(theirs) == "live"
    assert reload(ours)
    assert ask(ours) == "cached"
    until(lambda: len(redis.contents()) == 2)
    ask(ours, 1)
    until(lambda: len(redis.contents()) == 3)
    assert ask(theirs, 1) == "cached"


@needs_redis
def test_another_prefix_or_another_server_is_another_memory(bridge, config, redis):
    ours, theirs = bridge(over(redis)), bridge(over(redis, ", prefix: test"))
    ask(ours)
    until(redis.contents)
    assert ask(theirs) == "live"
    until(lambda: len(redis.contents()) == 2)
    assert {key.split(b":")[0] for key in redis.contents()} == {b"omi-bridge", b"test"}
    with RunningRedis() as other:
        config(over(other))
        assert reload(ours)
        ask(ours, 1)
        until(other.contents)


@needs_redis
def test_a_shared_memory_that_is_given_up_is_not_used_any_more(bridge, config, redis):
    ours = bridge(over(redis))
    config("")
    assert reload(ours)
    ask(ours)
    assert redis.contents() == {}
    assert ours.troubles() == {}


def test_trouble_with_the_shared_memory_is_told(bridge):
    with dead_port() as port:
        ours = bridge(f'backend: redis, url: "redis://lan:hunter2@127.0.0.1:{port}"')
        until(lambda: "cache.url" in ours.troubles())
        assert ours.troubles()["cache.url"] == f"127.0.0.1:{port}: Connection refused"
        assert ask(ours) == "live"


@needs_redis
def test_it_works_over_tls_and_only_with_a_certificate_that_is_trusted(bridge, tmp_path):
    certificate = make_certificate(tmp_path)
    key = str(tmp_path / "key.pem")
    tls = ["--tls-cert-file", str(certificate.file), "--tls-key-file", key, "--tls-auth-clients", "no"]
    with RunningRedis("--port", "0", "--tls-port", "{port}", *tls) as redis:
        address = f"rediss://127.0.0.1:{redis.port}"
        ours, theirs, others = (
            bridge(f'backend: redis, url: "{address}{query}"')
            for query in (f"?ssl_ca_certs={certificate.file}", f"?ssl_ca_certs={certificate.file}", "")
        )
        until(lambda: "certificate" in others.troubles().get("cache.url", ""))
        until(partial(knows, theirs, ours))


@needs_redis
def test_it_works_over_a_unix_socket(bridge, tmp_path):
    with RunningRedis("--unixsocket", str(tmp_path / "redis.sock")):
        ours, theirs = (bridge(f'backend: redis, url: "unix://{tmp_path}/redis.sock?db=1"') for _ in range(2))
        until(partial(knows, theirs, ours))


@needs_redis
def test_the_rights_that_the_documents_name_are_enough(bridge):
    named = re.search(r"`(~omi-bridge:[^`]*)`", (ROOT / "docs/operating.md").read_text(encoding="utf-8"))
    assert named
    with RunningRedis("--user", "bridge", "on", ">planted", *named[1].split()) as redis:
        ours, theirs = (
            bridge(f'backend: redis, url: "redis://bridge:planted@127.0.0.1:{redis.port}"') for _ in range(2)
        )
        ask(ours)
        until(redis.contents)
        assert ask(theirs) == "cached"
        assert ours.troubles() == theirs.troubles() == {}


def findings(bridge, *, online=True):
    return [str(line) for line in check_service(bridge.service, online=online) if line.subject == "cache.url"]


@needs_redis
def test_the_check_tries_the_shared_memory_if_it_may_use_the_network(bridge, redis):
    ours = bridge(over(redis))
    assert findings(ours) == ["ok      cache.url: can be read and written"]
    assert findings(ours, online=False) == []
    redis.fill()
    (line,) = findings(ours)
    assert line == f"FAILED  cache.url: 127.0.0.1:{redis.port}: its memory is full (maxmemory)"
    assert findings(bridge()) == []


@needs_redis
def test_the_check_asks_the_source_whatever_another_instance_knows(config, redis, tmp_path):
    config(over(redis))
    for _ in range(2):
        result = CliRunner().invoke(main, ["check", "--online", "-c", str(tmp_path / "config.yaml")])
        assert "1 owner(s)" in result.output
    assert not any(b"answer" in key for key in redis.contents())


@pytest.mark.parametrize("missing", ["redis", "cryptography"])
def test_without_the_extra_the_configuration_says_what_to_install(config, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not there
    config("")
    with pytest.raises(ConfigError, match="make install EXTRAS=redis"):
        config('backend: redis, url: "redis://127.0.0.1"')


def test_a_store_is_made_without_the_network():
    SharedClient.at("rediss://nowhere.example").close()
