import logging
from pathlib import Path

import pytest

from bridge.deadline import Deadline
from bridge.errors import SourceRejected, SourceUnavailable
from connectors.http import HttpClient, HttpSettings, Request, Tls
from tests.support.certificates import Certificate, make_certificate
from tests.support.servers import HttpServer, Reply


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def ask(url: str, tls: Tls) -> int:
    client = HttpClient(HttpSettings(tls=tls))
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
    other = make_certificate(tmp_path, "DNS:crm.example")
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
    with HttpServer(lambda _: Reply()) as server, pytest.raises(SourceUnavailable, match="no TLS connection"):
        ask(server.url.replace("http:", "https:"), Tls())


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_of_authorities_that_cannot_be_used_needs_somebody_to_act(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SourceRejected, match=r"tls\.ca_file"):
        ask("https://127.0.0.1:1/", Tls(ca_file=file))
