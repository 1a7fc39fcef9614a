"""Several instances over one Redis that fails in every way: no call is late or wrong, and each goes on by itself."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import count

import pytest

from bridge.testing import TcpProxy
from tests.support.crm import Crm, Says
from tests.support.faults import extension_of, number
from tests.support.faulty_crm import FaultyCrms
from tests.support.footprint import footprint
from tests.support.kept import until
from tests.support.load import Caller, Load, call
from tests.support.redis_server import RunningRedis, needs_redis
from tests.support.service import RunningService
from tests.support.trial import environment, settled

pytestmark = needs_redis

FAULT_SECONDS = 2.5
RATE = 15.0
SERVING = 8  # threads that the server has begun for its calls, and keeps
SOCKETS_KEPT = 32
MEMORY_MB = 30
CONFIG = """
api_keys: [change-me]
cache: {{backend: redis, url: "{redis}", ttl: {ttl}, negative_ttl: {ttl}}}
connectors:
  crm:
    type: rest
    base_url: http://{crm}/owner
    timeout: 4s
    steps:
      - query: {{phone: "{{{{ caller.national }}}}"}}
        records: records
        match: phone
        take: {{extension: owner}}
"""
SIGNED_IN = """
api_keys: [change-me]
cache: {{backend: redis, url: "{redis}"}}
connectors:
  crm:
    type: rest
    base_url: {crm}
    auth: {{type: oauth2_client_credentials, token_url: {crm}/token, client_id: omi, client_secret: planted-secret}}
    steps:
      - {{path: "owner/{{{{ caller.national }}}}", match: phone, take: {{extension: owner}}}}
"""


def customer(serial, line=55):
    phone = number(line, 1, serial)
    return Caller(phone, extension=extension_of(phone), known=True)


@pytest.fixture
def redis():
    with RunningRedis() as running:
        yield running


@pytest.fixture
def crm():
    with FaultyCrms(1) as running:
        yield running


@pytest.fixture
def instances(tmp_path):
    with ExitStack() as stack:

        def start(text, amount=2, **values):
            started = []
            for index in range(amount):
                folder = tmp_path / str(index)
                folder.mkdir(exist_ok=True)
                (folder / "config.yaml").write_text(text.format(**values), encoding="utf-8")
                service = RunningService(folder / "config.yaml", environment=environment())
                started.append(stack.enter_context(service))
            return started

        yield start


def all_right(seen):
    return [one for one in seen if one.late or not one.right] == []


def at_once(services, caller):
    line_up = threading.Barrier(len(services))

    def call_together(service):
        line_up.wait()
        return call(service, caller)

    with ThreadPoolExecutor(len(services)) as pool:
        return list(pool.map(call_together, services))


def ask(service, caller):
    reply = service.ask(caller.phone)
    return reply.body.decode(), reply.headers["X-Bridge-Answer"]


def test_two_instances_that_are_asked_at_the_same_time_are_one_request(instances, redis):
    def slowly(question):
        threading.Event().wait(0.2)
        phone = dict(question.query)["phone"]
        return {"records": [{"phone": phone, "owner": extension_of(phone)}]}

    with Crm({"owner": slowly}) as crm:
        services = instances(CONFIG, redis=redis.url, crm=f"{crm.host}/api", ttl="10m")
        for serial in range(5):
            assert all_right(at_once(services, customer(serial)))
        assert len(crm.asked) == 5


def test_an_instance_that_has_never_heard_of_a_customer_answers_while_the_crm_is_down(instances, redis, crm):
    values = {"redis": redis.url, "crm": f"127.0.0.1:{crm.ports[0]}", "ttl": "1s"}
    ours, theirs = instances(CONFIG, **values)
    for serial in range(3):
        assert ask(ours, customer(serial)) == (customer(serial).extension, "live")
    until(lambda: len(redis.contents()) == 3)
    crm.show(0, "refused")
    threading.Event().wait(1.0)
    for serial in range(20, 26):  # until it is left alone
        assert ask(theirs, customer(serial))[0] == ""
    assert [ask(theirs, customer(serial)) for serial in range(3)] == [
        (customer(serial).extension, "stale") for serial in range(3)
    ]


def test_one_token_is_fetched_by_two_instances_and_none_is_in_the_redis_to_read(instances, redis):
    issued = count(1)
    script = {"token": lambda _: {"access_token": f"planted-token-{next(issued)}", "expires_in": 3600}}

    def owner(question):
        if question.headers["authorization"] != "Bearer planted-token-1":
            return Says(status=401)
        phone = question.path.rpartition("/")[2]
        return {"phone": phone, "owner": extension_of(phone)}

    with Crm(script) as crm:
        crm.elsewhere = owner
        services = instances(SIGNED_IN, 3, redis=redis.url, crm=crm.url)
        for index, service in enumerate(services):
            assert call(service, customer(index)).right
        assert next(issued) == 2
    kept = b"".join(key + content for key, content in redis.contents().items() if content)
    assert kept
    assert not any(word in kept for word in (b"planted", b"change-me", b"90551", customer(0).extension.encode()))


@contextmanager
def killed(redis, _proxy):
    redis.kill()
    yield
    redis.start()


@contextmanager
def restarted(redis, _proxy):
    redis.kill()
    redis.start()
    yield


@contextmanager
def frozen(redis, _proxy):
    redis.freeze()
    yield
    redis.thaw()


@contextmanager
def full(redis, _proxy):
    redis.fill()
    yield
    redis.empty()


def on_the_way(change, *arguments):
    """Return a fault of the way to the Redis: what the proxy is told, until it passes on again."""

    @contextmanager
    def changed(_redis, proxy):
        change(proxy, *arguments)
        yield
        proxy.pass_on()

    return changed


FAULTS = {
    "is killed and started again": killed,
    "is restarted": restarted,
    "stands still": frozen,
    "is full": full,
    "takes what it is sent and says nothing": on_the_way(TcpProxy.freeze),
    "takes 30 ms more": on_the_way(TcpProxy.delay, 0.03),
    "takes 80 ms more": on_the_way(TcpProxy.delay, 0.08),
    "takes 1 s more": on_the_way(TcpProxy.delay, 1.0),
    "answers rubbish": on_the_way(TcpProxy.say, b"HTTP/1.1 400 Bad Request\r\n\r\n$7\r\n"),
    "answers a byte at a time": on_the_way(TcpProxy.drip, 0.02),
}


def callers():
    """Give customers who have been answered, each many times, and new ones once."""
    for serial in count():
        yield customer(serial % 6)
        phone = number(55, 2, serial)
        yield Caller(phone, extension=extension_of(phone))


@pytest.mark.parametrize("fault", FAULTS)
def test_no_call_is_late_or_wrong_when_the_redis(fault, instances, redis, crm, record_figures):
    with TcpProxy(redis.port) as proxy:
        way = f"redis://127.0.0.1:{proxy.port}/0"
        services = instances(CONFIG, redis=way, crm=f"127.0.0.1:{crm.ports[0]}", ttl="300ms")
        for serial in range(6):
            assert all_right(at_once(services, customer(serial)))
        before = footprint(services[0].begun)
        loads = [Load(service, callers().__next__, RATE) for service in services]
        with ExitStack() as stack:
            for load in loads:
                stack.enter_context(load)
            threading.Event().wait(0.5)
            with FAULTS[fault](redis, proxy):
                threading.Event().wait(FAULT_SECONDS)
                troubles = [health(service) for service in services]
            threading.Event().wait(1.0)
        until(lambda: not any(health(service) for service in services))
        seen = [one for load in loads for one in load.seen]
        record_figures(f"Redis {fault:45} {len(seen):4} calls, slowest {max(one.seconds for one in seen):.3f} s")
        assert len(seen) > 2 * RATE * FAULT_SECONDS
        assert [one for one in seen if one.late or not one.right] == []
        if fault not in {"is restarted", "takes 30 ms more"}:
            assert all("cache.url" in trouble for trouble in troubles), troubles
        afterwards = settled(services[0].begun, before.threads + SERVING)
        assert afterwards.threads <= before.threads + SERVING, "threads are left over"
        assert afterwards.sockets <= before.sockets + SOCKETS_KEPT
        assert afterwards.memory <= before.memory + MEMORY_MB
        # and it is in use again
        fresh = customer(900)
        until(lambda: ask(services[0], fresh)[0] and redis.contents())
        assert all_right(at_once(services, customer(901)))


def health(service):
    """Return the troubles, none if the service is well."""
    with suppress(OSError):
        _head, _, body = service.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").partition(
            b"\r\n\r\n"
        )
        return json.loads(body)["troubles"]
    return {"health": "no answer"}


def test_each_instance_goes_on_with_its_own_memory_when_redis_and_crm_are_both_gone(instances, redis, crm):
    services = instances(CONFIG, redis=redis.url, crm=f"127.0.0.1:{crm.ports[0]}", ttl="10m")
    known = [customer(serial) for serial in range(4)]
    for one in known:
        assert all_right(at_once(services, one))
    redis.kill()
    crm.show(0, "hang")
    for service in services:
        assert all_right([call(service, one) for one in known])
        stranger = call(service, customer(500))
        assert (stranger.late, stranger.body, stranger.outcome) == (False, "", "unavailable")
