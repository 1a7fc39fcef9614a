"""Messages by e-mail, to real mail servers: what arrives, and what is told when it does not."""

import dataclasses
import re
import socket
import time
from email.utils import parsedate_to_datetime

import pytest

from bridge.alerts.channels import NotSent
from bridge.alerts.mail import EmailChannel
from bridge.alerts.message import Change, Kind, Message
from bridge.config.alerts import Email
from bridge.sdk.deadline import Deadline
from bridge.sdk.resolver import Resolver
from tests.support.certificates import make_certificate
from tests.support.mail_server import MailServer
from tests.support.scripted import ScriptedServer, dead_port

LOGIN = ("canh-bao@congty.example", "hunter2-hunter2")
CHANGE = Change(Kind.BEGAN, "connector crm", "rejected: máy chủ khách hàng answered 401", 1_700_000_000.0)
MESSAGE = Message(
    "0123456789abcdef", 1_700_000_060.0, "máy-chủ-1", "/etc/omi-bridge/config.yaml", "degraded", (CHANGE,)
)


def settings(port, **keys):
    written = {"host": "localhost", "port": port, "tls": "none", "from": "Cảnh báo <canh-bao@congty.example>"}
    return Email.model_validate({**written, "to": ["it@congty.example", "sep@congty.example"], **keys})


def send(port, seconds=10.0, **keys):
    return EmailChannel(settings(port, **keys)).send(MESSAGE.sent(MESSAGE.at), Deadline.after(seconds))


def refusal(port, seconds=10.0, **keys):
    with pytest.raises(NotSent) as caught:
        send(port, seconds, **keys)
    assert LOGIN[1] not in str(caught.value)
    return str(caught.value).replace(f":{port}", ":PORT")


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_message_arrives_whole_over_tls_from_who_signed_in(certificate, tls):
    with MailServer(tls=certificate.server, implicit=tls == "implicit", login=LOGIN) as server:
        receipt = send(server.port, tls=tls, ca_file=certificate.file, user=LOGIN[0], password=LOGIN[1])
        assert receipt == (f"localhost:{server.port} took it for 2 of 2 mailboxes", "")
    (mail,) = server.received
    assert server.signed_in == [True]
    assert server.mailboxes == [["it@congty.example", "sep@congty.example"]]
    assert mail["Subject"] == "omi-bridge on máy-chủ-1: degraded: connector crm"
    assert mail["From"] == "Cảnh báo <canh-bao@congty.example>"
    assert mail["To"] == "it@congty.example, sep@congty.example"
    assert mail["Message-ID"] == "<0123456789abcdef@congty.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(mail["Date"]).timestamp() == MESSAGE.at
    assert "connector crm: rejected: máy chủ khách hàng answered 401" in mail.get_content()
    assert "omi-bridge check --online -c /etc/omi-bridge/config.yaml" in mail.get_content()


def test_who_is_refused_is_told_while_the_others_get_it():
    with MailServer(refused={"sep@congty.example": "550 5.1.1 no such user"}) as server:
        receipt = send(server.port)
    assert receipt.told.endswith("took it for 1 of 2 mailboxes")
    assert "refuses sep@congty.example: 550 5.1.1 no such user" in receipt.problem
    assert server.mailboxes == [["it@congty.example"]]


def test_a_wrong_password_is_told(certificate):
    with MailServer(tls=certificate.server, login=LOGIN) as server:
        told = refusal(server.port, tls="starttls", ca_file=certificate.file, user=LOGIN[0], password="wrong-password")
    assert told == (
        "localhost:PORT: 'user' or 'password' is wrong, or it wants an app password (as Gmail does): "
        "535 5.7.8 Authentication credentials invalid"
    )


def test_a_server_that_wants_a_login_is_told(certificate):
    with MailServer(tls=certificate.server, login=LOGIN) as server:
        told = refusal(server.port, tls="starttls", ca_file=certificate.file)
    assert told == (
        "localhost:PORT: it refuses 'from' (canh-bao@congty.example): does it want 'user' and 'password'?: "
        "530 5.7.0 Authentication required"
    )


def test_that_every_mailbox_is_refused_is_told():
    refused = dict.fromkeys(("it@congty.example", "sep@congty.example"), "550 5.1.1 no such user")
    with MailServer(refused=refused) as server:
        told = refusal(server.port)
    assert told == (
        "localhost:PORT refuses every mailbox of 'to': it@congty.example: 550 5.1.1 no such user; "
        "sep@congty.example: 550 5.1.1 no such user"
    )


def test_a_server_without_starttls_is_told():
    with MailServer() as server:
        told = refusal(server.port, tls="starttls")
    assert told == (
        "localhost:PORT offers no STARTTLS: if it is encrypted from the start, write 'tls: implicit' (usually port 465)"
    )


def test_a_server_without_sign_in_is_told():
    def plain(connection):
        connection.send(b"220 hello\r\n")
        while connection.sock.recv(1000):
            connection.send(b"250 nothing else\r\n")

    with ScriptedServer(plain) as server:
        told = refusal(server.port, user=LOGIN[0], password=LOGIN[1])
    assert told == "localhost:PORT offers no way to sign in: leave out 'user' and 'password', or take another port"


def test_a_certificate_that_is_not_trusted_is_told(certificate):
    with MailServer(tls=certificate.server, implicit=True) as server:
        told = refusal(server.port, tls="implicit")
    assert told == "the certificate of localhost:PORT is not trusted (self-signed certificate): is ca_file needed?"


def test_a_server_that_speaks_before_tls_is_told():
    with MailServer() as server:
        told = refusal(server.port, tls="implicit")
    assert told == "localhost:PORT does not begin with TLS: write 'tls: starttls' (usually port 587)"


def test_a_server_that_waits_for_tls_is_told(certificate):
    with MailServer(tls=certificate.server, implicit=True) as server:
        told = refusal(server.port, 0.5, tls="starttls")
    assert told == (
        "localhost:PORT did not take the message in time, without a word: "
        "if it is encrypted from the start, write 'tls: implicit'"
    )


def test_a_greylisting_server_is_told_as_one_for_later():
    with MailServer(answer=lambda: "451 4.7.1 try again later") as server:
        told = refusal(server.port)
    assert told == "localhost:PORT: it asks to try again later: 451 4.7.1 try again later"


def test_a_port_at_which_nobody_listens_is_told():
    with dead_port() as port:
        told = refusal(port)
    assert told == "localhost:PORT refuses the connection: are 'host' and 'port' right?"


def test_a_name_that_does_not_exist_is_told():
    def look_up(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    channel = EmailChannel(settings(25, host="mail.congty.example"), Resolver(look_up))
    with pytest.raises(NotSent, match=re.escape("the name of mail.congty.example:25 cannot be resolved")):
        channel.send(MESSAGE, Deadline.after(10))


def test_a_server_that_drips_holds_nobody_beyond_the_deadline():
    started = time.monotonic()
    with ScriptedServer(lambda connection: connection.drip_for_ever(b"220-welcome\r\n", 0.05)) as server:
        told = refusal(server.port, 0.5)
    assert "did not take the message in time" in told
    assert time.monotonic() - started < 3


def test_a_late_message_says_when_it_happened():
    with MailServer() as server:
        EmailChannel(settings(server.port)).send(MESSAGE.sent(MESSAGE.at + 7200), Deadline.after(10))
    (mail,) = server.received
    assert parsedate_to_datetime(mail["Date"]).timestamp() == MESSAGE.at + 7200
    assert "This could not be sent before 2023-11-1" in mail.get_content()
    assert "2023-11-1" in mail.get_content().splitlines()[1]


def test_a_long_reason_stays_a_short_message():
    long = dataclasses.replace(CHANGE, words="x" * 9000)
    many = dataclasses.replace(MESSAGE, changes=(long,) * 30)
    assert len(many.text) <= 1900
    assert many.text.endswith("omi-bridge check --online -c /etc/omi-bridge/config.yaml")
    assert len(many.subject) <= 120
