import logging
from pathlib import Path

import pytest
from cryptography.x509 import DNSName
from pydantic import ValidationError

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceRejected, SourceUnavailable
from bridge.sdk.http.certificates import all_shown, in_the_name_of
from bridge.sdk.http.client import HttpClient, HttpSettings, Request, Tls
from tests.support.certificates import Certificate, make_certificate
from tests.support.servers import HttpServer, Reply


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def ask(url: str, tls: Tls) -> int:
    client = HttpClient(HttpSettings(tls=tls))
    client.warn()
    try:
        return client.send(Request("GET", url), Deadline.after(10)).status
    finally:
        client.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Certificate) -> None:
    with HttpServer(lambda _: Reply(), certificate.server) as server:
        with pytest.raises(SourceUnavailable, match=r"certificate .* not trusted .*self-signed.* tls\.ca_file"):
            ask(server.url, Tls())
        assert not server.requests


def test_an_authority_of_ones_own_is_trusted(certificate: Certificate) -> None:
    with HttpServer(lambda _: Reply(), certificate.server) as server:
        assert ask(server.url, Tls(ca_file=certificate.file)) == 200


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, DNSName("crm.example"))
    with HttpServer(lambda _: Reply(), other.server) as server:
        with pytest.raises(SourceUnavailable, match="not trusted"):
            ask(server.url, Tls(ca_file=other.file))
        assert not server.requests


def test_not_checking_certificates_is_possible_and_warned_about(
    certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    with HttpServer(lambda _: Reply(), certificate.server) as server:
        assert ask(server.url, Tls(verify=False)) == 200
    assert [record.levelno for record in caplog.records if "tls.verify" in record.message] == [logging.WARNING]


def test_a_server_without_tls_is_named() -> None:
    told = r"no TLS connection .*: it does not speak TLS: is it http://\?$"
    with HttpServer(lambda _: Reply()) as server, pytest.raises(SourceUnavailable, match=told):
        ask(server.url.replace("http:", "https:"), Tls())


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_of_authorities_that_cannot_be_used_needs_somebody_to_act(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SourceRejected, match=r"tls\.ca_file"):
        ask("https://127.0.0.1:1/", Tls(ca_file=file))


def test_authorities_are_read_for_https_only(tmp_path: Path) -> None:
    tls = Tls(ca_file=tmp_path / "missing.pem")
    with HttpServer(lambda _: Reply()) as server:
        assert ask(server.url, tls) == 200


def test_authorities_can_be_read_ahead_of_the_first_request(tmp_path: Path) -> None:
    client = HttpClient(HttpSettings(tls=Tls(ca_file=tmp_path / "missing.pem")))
    client.prepare("http://crm.example")
    with pytest.raises(SourceRejected, match=r"tls\.ca_file"):
        client.prepare("https://crm.example")


@pytest.mark.parametrize("written", ["no", "yes", "off", "on", "0", 0, 1, "False"])
def test_whether_to_check_certificates_is_true_or_false_and_nothing_like_it(written: object) -> None:
    with pytest.raises(ValidationError, match="has to be true or false"):
        Tls.model_validate({"verify": written})


def test_what_a_server_shows_of_itself_is_known_while_the_client_is_open(certificate: Certificate) -> None:
    with HttpServer(lambda _: Reply(), certificate.server) as server:
        with in_the_name_of("shown"):
            client = HttpClient(HttpSettings(tls=Tls(ca_file=certificate.file)))
        nobodys = HttpClient(HttpSettings(tls=Tls(ca_file=certificate.file)))
        for one in (client, nobodys):
            one.send(Request("GET", server.url), Deadline.after(10))
        (shown,) = (one for one in all_shown() if one.source in {"shown", ""})
        client.close()
        assert "shown" not in {one.source for one in all_shown()}
        nobodys.close()
    assert (shown.source, shown.host) == ("shown", "127.0.0.1")
    assert shown.at < shown.ends < shown.at + 86_400
