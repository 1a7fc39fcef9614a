"""What an admin reads when a request goes the wrong way: the wrong scheme, a proxy, a captive portal, a redirect."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from cryptography.x509 import DNSName

from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceError, UnexpectedAnswer
from bridge.sdk.http.client import HttpClient, HttpSettings, Request, Tls
from tests.support.certificates import make_certificate
from tests.support.scripted import PATIENCE, Connection, ScriptedServer, always, answer, dead_port, then_close
from tests.support.servers import HttpServer, Reply

LOGIN = answer(b"<html><form action=planted></form></html>")


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(HttpSettings())
    yield client
    client.close()


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def told(client: HttpClient, url: str) -> str:
    with pytest.raises(SourceError) as caught:
        client.send(Request("GET", url), Deadline.after(PATIENCE)).json()
    assert "planted" not in str(caught.value)
    return str(caught.value)


def greet(connection: Connection) -> None:
    connection.read_request()


@pytest.mark.parametrize(
    "page",
    [
        b"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>",
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>",
    ],
    ids=["nginx", "Go", "Apache"],
)
def test_http_to_a_port_with_tls_is_told_to_be_https(client: HttpClient, page: bytes) -> None:
    with HttpServer(lambda _: Reply(page, 400)) as server:
        assert told(client, server.url) == f"{server.host} speaks TLS at this port: write https:// instead of http://"
    with HttpServer(lambda _: Reply(page, 200)) as server:
        assert "TLS" not in told(client, server.url)


def test_an_alert_of_tls_is_known_for_what_it_is(client: HttpClient) -> None:
    with ScriptedServer(then_close(b"\x15\x03\x01\x00\x02\x02\x46")) as server:
        assert told(client, f"http://{server.host}/").endswith("write https:// instead of http://")


def test_whoever_says_nothing_at_all_to_http_may_want_https(client: HttpClient) -> None:
    with ScriptedServer(greet) as server:
        assert told(client, f"http://{server.host}/") == (
            f"{server.host} closed the connection without a complete answer: if it wants TLS, write https://"
        )


def test_whoever_ends_the_connection_instead_of_tls_may_speak_http(client: HttpClient) -> None:
    with ScriptedServer(lambda _: None) as server:
        assert told(client, f"https://{server.host}/").endswith(": if it does not speak TLS, write http://")


@pytest.mark.parametrize(
    ("names", "valid", "advice"),
    [
        ((), (-9, -2), "(certificate has expired): it has to be renewed there; is the clock of this machine right?"),
        ((), (2, 9), "(certificate is not yet valid): it is not valid yet: is the clock of this machine right?"),
        ((DNSName("crm.example"),), (-1, 1), "it is made out to another address: write the name instead"),
    ],
)
def test_why_a_certificate_does_not_count_is_told(tmp_path, names, valid, advice):
    certificate = make_certificate(tmp_path, *names, valid=valid)
    client = HttpClient(HttpSettings(tls=Tls(ca_file=certificate.file)))
    with HttpServer(lambda _: Reply(), certificate.server) as server:
        assert told(client, server.url).endswith(advice)
    client.close()


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_that_is_down_is_named_with_its_variable(client, proxied, variable):
    with dead_port() as port:
        proxied.setenv(variable, f"http://lan:planted@127.0.0.1:{port}")
        assert told(client, "http://crm.example/x") == (
            f"the proxy 127.0.0.1:{port} to crm.example, which {variable} names, refuses the connection"
        )


def test_a_proxy_for_https_that_is_down_is_named_with_its_variable(client, proxied):
    with dead_port() as port:
        proxied.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}/")
        assert told(client, "https://crm.example/x") == (
            f"the proxy 127.0.0.1:{port} to crm.example, which HTTPS_PROXY names, refuses the connection"
        )


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("socks5://lan:planted@127.0.0.1:1080", "127.0.0.1:1080"),
        ("http://lan:planted@[proxy", "[proxy"),
        ("http://127.0.0.1:99999", "127.0.0.1:99999"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_with_its_variable(client, proxied, address, name):
    proxied.setenv("http_proxy", address)
    assert told(client, "http://crm.example/x") == (
        f"the proxy {name} to crm.example, which http_proxy names, cannot be used: "
        "it has to be like http://HOST:PORT or https://HOST:PORT"
    )


def test_a_proxy_without_http_before_it_is_one_of_http(client, proxied):
    with dead_port() as port:
        proxied.setenv("http_proxy", f"lan:planted@127.0.0.1:{port}")
        assert told(client, "http://crm.example/x") == (
            f"the proxy 127.0.0.1:{port} to crm.example, which http_proxy names, refuses the connection"
        )


def test_a_page_to_sign_in_at_the_proxy_is_told_with_the_proxy(client, proxied):
    with ScriptedServer(always(LOGIN)) as proxy:
        proxied.setenv("http_proxy", f"http://{proxy.host}")
        assert told(client, "http://crm.example/x") == (
            f"crm.example (through the proxy {proxy.host} of http_proxy) answered 200 with an HTML page, not JSON: "
            "is the address right, or is it a login page?"
        )


def test_a_redirect_elsewhere_names_the_key_in_which_the_address_stands():
    class Settings(HttpSettings):
        address_key: ClassVar[str] = "url"

    client = HttpClient(Settings())
    with (
        HttpServer(lambda _: Reply(b"", 302, [("Location", "https://www.crm.example/planted")])) as server,
        pytest.raises(UnexpectedAnswer, match=r"if that is the right place, write it in url$"),
    ):
        client.send(Request("GET", server.url), Deadline.after(PATIENCE))
    client.close()
