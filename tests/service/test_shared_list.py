"""Two instances read OMICall's list once."""

import pytest

from tests.support.omicall import API_KEY, Omicall, phone
from tests.support.redis_server import RunningRedis
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
cache: {{backend: redis, url: "{redis}"}}
connectors:
  customers: {{type: csv, path: customers.csv}}
extensions:
  omicall: {{api_key: "{key}", url: "{url}", keep: {name}.json}}
"""


@pytest.fixture
def omicall():
    with Omicall(phone("101", "lan@congty.example", "Lan")) as server:
        yield server


def write(folder, name, redis, omicall):
    (folder / "customers.csv").write_text("phone,owner email\n0901234567,lan@congty.example\n")
    file = folder / f"{name}.yaml"
    file.write_text(CONFIG.format(redis=redis, key=API_KEY, url=omicall.url, name=name))
    return file


def test_one_instance_reads_the_list_for_both(tmp_path, omicall):
    with (
        RunningRedis() as redis,
        RunningService(write(tmp_path, "first", redis.url, omicall)) as first,
        RunningService(write(tmp_path, "second", redis.url, omicall)) as second,
    ):
        first.ask_until("0901234567", b"101")
        assert second.ask_until("0901234567", b"101").body == b"101"
        assert second.wait_for_log("read by another instance")
        pages = omicall.pages_asked
    assert pages == ["1"]
