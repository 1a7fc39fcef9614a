"""Where a running service is asked to reload; both ends in the test's own process, over the kernel's sockets."""

import socket
import threading
from contextlib import closing, contextmanager

import pytest
from click.testing import CliRunner

from bridge.commands.main import main
from bridge.local.address import ServiceUnreachable, address_of
from bridge.web.control import ControlSocket, ask_for_reload
from bridge.web.reloads import ReloadVerdict
from tests.support.another_user import nobody_is_hung_up_on, only_root

ACCEPTED = ReloadVerdict(accepted=True, lines=("configuration reloaded",))


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config.yaml"


@contextmanager
def serving(config, verdict=ACCEPTED):
    """Be a service that gives this verdict, or none; what it was asked is in the list."""
    asked, ending = [], threading.Event()
    control = ControlSocket(config, lambda answer, variables: (asked.append(variables), verdict and answer(verdict)))
    control.listen()

    def loop():
        while not ending.wait(0.005):
            control.accept()
            for client in control.clients():
                control.hear(client)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield asked
    finally:
        ending.set()
        thread.join()
        control.close()


def connected(config):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(address_of(config))
    client.settimeout(10)
    return client


def test_a_wish_is_heard_with_the_new_values_and_gets_the_verdict(config):
    with serving(config) as asked:
        assert ask_for_reload(config, {"TOKEN": "đ\udcff"}, 10) == ACCEPTED
    assert asked == [{"TOKEN": "đ\udcff"}]


def test_the_command_sends_those_variables_alone_that_the_configuration_names(config):
    config.write_text("a: ${TOKEN} ${OTHER:-x} $${PLAIN} ${file:TOKEN}")
    with serving(config) as asked:
        environment = {"TOKEN": "1", "PLAIN": "2", "UNNAMED": "3", "OTHER": None}
        done = CliRunner().invoke(main, ["reload", "-c", str(config)], env=environment)
    assert (done.exit_code, done.output) == (0, "configuration reloaded\n")
    assert asked == [{"TOKEN": "1"}]


def test_who_asks_nobody_or_gets_no_verdict_in_time_is_told(config):
    with pytest.raises(
        ServiceUnreachable, match=r"no service with the configuration .*config.yaml runs on this machine"
    ):
        ask_for_reload(config, {}, 10)
    with serving(config, None), pytest.raises(ServiceUnreachable, match="no verdict within 0 s: the log will tell it"):
        ask_for_reload(config, {}, 0.1)


def test_what_is_no_wish_is_hung_up_on_and_keeps_nobody_else_from_being_heard(config):
    with serving(config):
        for said in (b"rubbish", b"[]", b'{"do": "dance"}'):
            with connected(config) as client:
                client.send(said)
                assert client.recv(100) == b""
        assert ask_for_reload(config, {}, 10) == ACCEPTED


def test_a_service_of_the_same_configuration_is_reached_when_the_one_before_it_has_ended(config, caplog):
    first, second = (ControlSocket(config, lambda *_: None) for _ in range(2))
    with closing(second):
        with closing(first):
            first.listen()
            second.listen()
            second.listen()
            assert second.fileno() is None
        second.listen()
        assert second.fileno() is not None
    (told,) = caplog.messages
    assert "another one with the same configuration is running still" in told


@only_root
def test_another_user_is_hung_up_on(config):
    with serving(config) as asked:
        assert nobody_is_hung_up_on(address_of(config), {"do": "reload"})
    assert asked == []
