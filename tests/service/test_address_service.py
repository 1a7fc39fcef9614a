"""A list at an address, in the running service: fetched once for all processes, in force through outage and restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from tests.support.kept import until
from tests.support.servers import Reply
from tests.support.service import RunningService
from tests.support.shelf import PAGE, Shelf

pytestmark = pytest.mark.system


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf("SĐT,Nhân viên phụ trách\n0901234567,lan@congty.example\n".encode())
    with made.server:
        yield made


def configure(folder: Path, shelf: Shelf, query: str = "") -> Path:
    file = folder / "config.yaml"
    file.write_text(
        f"api_keys: [change-me]\nconnectors:\n  customers: {{type: csv, url: '{shelf.url}?planted{query}'}}\n"
        "extensions:\n  inline: {lan@congty.example: 101, minh@congty.example: 102}\n"
    )
    return file


def answers_in_both(service: RunningService, body: bytes) -> bool:
    """Tell whether either process answers so: a connection each time, which the kernel gives to one of them."""
    return all(service.ask().body == body for _ in range(20))


def test_two_processes_fetch_it_once_and_answer_through_an_outage_and_a_restart(tmp_path: Path, shelf: Shelf) -> None:
    config = configure(tmp_path, shelf)
    with RunningService(config, "--workers", "2") as service:
        until(lambda: answers_in_both(service, b"101"))
        assert len(shelf.asked) == 1
        assert 'omi_bridge_list_age_seconds{list="customers"}' in service.page("/metrics").text
        log = service.log
    shelf.instead = lambda _asked: Reply(PAGE)
    with RunningService(config, "--workers", "2") as service:
        assert answers_in_both(service, b"101")
        told = "answers with a web page instead of the file"
        until(lambda: told in service.page("/healthz").text)
        until(lambda: len(shelf.asked) == 2)
        log = [*log, *service.log]
    checked = CliRunner().invoke(main, ["check", "-c", str(config), "--online"])
    assert "customers: answers from the copy that was kept of its last good version" in checked.output
    assert f"{shelf.server.host} {told}" in checked.output
    assert "planted" not in "\n".join([*log, checked.output])


def test_a_reload_to_another_address_keeps_nothing_of_the_one_before(tmp_path: Path, shelf: Shelf) -> None:
    with RunningService(configure(tmp_path, shelf)) as service:
        assert service.ask().body == b"101"
        shelf.content = shelf.content.replace(b"lan@", b"minh@")
        configure(tmp_path, shelf, "=2")
        service.hang_up()
        assert service.ask_until("0901234567", b"102").body == b"102"
        kept = tmp_path / "last-good" / "customers.downloaded"
        until(lambda: b"minh@" in kept.read_bytes())
