"""The list of extensions from a directory: a real slapd, and one that hangs, cuts off or speaks another language."""

import socket
import threading
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from bridge.sdk import Deadline, ExtensionEntry, SourceRejected, SourceUnavailable, UnexpectedAnswer
from connectors.ldap.extensions import LdapExtensions
from tests.support.certificates import make_certificate
from tests.support.slapd import BRIDGE, STAFF, SUFFIX, Slapd

PASSWORD = "planted-secret"
LAN = ExtensionEntry(
    emails=("lan@congty.example", "lan.nguyen@congty.example"),
    logins=("lan.nguyen",),
    names=("Lan Nguyễn",),
    extensions=("101",),
)
BINHS_MAIL = ("mail: binh@congty.example", "mail;lang-vi: binh.vi@congty.example")
BINH = ExtensionEntry(
    emails=("binh@congty.example", "binh.vi@congty.example"),
    logins=("binh",),
    names=("binh",),
    extensions=("102", "103"),
)


def person(uid: str, *lines: str) -> str:
    """Write somebody in LDIF."""
    names = (f"dn: uid={uid},{STAFF}", "objectClass: inetOrgPerson", "objectClass: user", f"uid: {uid}", f"sn: {uid}")
    return "\n" + "\n".join((*names, f"cn: {uid}", *lines)) + "\n"


PEOPLE = "".join(
    (
        person("an", "mail: an@congty.example"),
        person("binh", "ipPhone: 102/103", "userAccountControl: 512", *BINHS_MAIL),
        person("chi", "ipPhone: 104", "userAccountControl: 514"),
        person("em", "ipPhone: 105", "nsAccountLock: true"),
        person("dung", "ipPhone: phòng 5"),
        person(
            "lan.nguyen",
            "displayName:: TGFuIE5ndXnhu4Vu",
            "mail: lan@congty.example",
            "mail: smtp:lan.nguyen@congty.example",
            "ipPhone: 101",
        ),
    )
)


def source(port: int, **settings: object) -> LdapExtensions:
    given = {
        "url": f"ldap://127.0.0.1:{port}",
        "base": STAFF,
        "user": BRIDGE,
        "password": PASSWORD,
        "attributes": {"login": "uid"},
    }
    return LdapExtensions(LdapExtensions.Config.model_validate(given | settings))


def read(port: int, seconds: float = 10.0, **settings: object) -> list[ExtensionEntry]:
    return list(source(port, **settings).read(Deadline.after(seconds)))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def slapd(tmp_path_factory, certificate) -> Iterator[Slapd]:
    many = "".join(person(f"n{number}", f"telephoneNumber: {1000 + number}") for number in range(1200))
    running = Slapd(tmp_path_factory.mktemp("slapd"), PASSWORD, PEOPLE + many, certificate=certificate)
    yield running
    running.stop()


@pytest.mark.system
def test_whoever_has_an_extension_is_in_the_list_but_who_is_disabled(slapd):
    found = source(slapd.port)
    entries = list(found.read(Deadline.after(10)))
    assert sorted(entries, key=lambda entry: entry.extensions) == [LAN, BINH]
    assert found.report() == ("5 people with an extension, 2 of them disabled",)


@pytest.mark.system
def test_all_pages_are_read(slapd):
    extensions = {"extension": "telephoneNumber", "login": "uid"}
    assert len(read(slapd.port, attributes=extensions)) == 1200


@pytest.mark.system
def test_a_filter_is_for_those_who_have_an_extension(slapd):
    assert [entry.logins for entry in read(slapd.port, filter="(uid=b*)")] == [("binh",)]


@pytest.mark.system
def test_over_tls_by_either_way_the_certificate_is_looked_at(slapd, certificate):
    trusted, address = {"ca_file": str(certificate.file)}, f"ldaps://127.0.0.1:{slapd.tls_port}"
    assert len(read(slapd.port, url=address, tls=trusted)) == 2
    assert len(read(slapd.port, starttls=True, tls=trusted)) == 2
    for settings in ({"url": address}, {"starttls": True}):
        with pytest.raises(SourceUnavailable, match=r"certificate that is not trusted: is tls\.ca_file needed"):
            read(slapd.port, **settings)


@pytest.mark.system
@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"password": "another"}, SourceRejected, "refuses the sign-in: user or password is wrong"),
        ({"base": f"ou=nowhere,{SUFFIX}"}, SourceRejected, "has nothing under 'base': is it right?"),
        ({"base": "Congty"}, SourceRejected, "'base' or 'user' is no DN"),
        ({"user": "Lan"}, SourceRejected, "'base' or 'user' is no DN"),
        ({"user": None, "password": None}, SourceRejected, "has nothing under 'base'|does not let|wants a 'user'"),
        ({"attributes": {"extension": "pager"}}, UnexpectedAnswer, "has pager: attributes.extension names"),
        ({"filter": "(uid=nobody)"}, UnexpectedAnswer, "nobody under 'base' whom 'filter' lets through has ipPhone"),
    ],
)
def test_what_is_wrong_is_told_in_words_without_the_password(slapd, settings, error, told):
    with pytest.raises(error, match=told) as raised:
        read(slapd.port, **settings)
    assert "planted" not in str(raised.value)


@pytest.mark.system
def test_a_part_of_the_people_is_no_list(tmp_path):
    slapd = Slapd(tmp_path / "slapd", PASSWORD, "".join(person(f"n{at}", "ipPhone: 101") for at in range(20)), most=5)
    try:
        with pytest.raises(SourceRejected, match=r"gives a part of the entries only \(sizeLimitExceeded\)"):
            read(slapd.port)
    finally:
        slapd.stop()


@pytest.mark.parametrize(
    ("says", "seconds", "told"),
    [
        (b"", 0.3, "did not answer in time"),
        (None, 5.0, "ended the connection|cannot be reached"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 0.5, "did not answer in time|ended the connection|no TLS connection"),
    ],
    ids=["hangs", "hangs up", "HTTP"],
)
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_server_that_is_none_costs_no_more_than_the_time_that_there_is(scheme, says, seconds, told):
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                if says is not None:
                    client.sendall(says)
                    over.wait(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            with pytest.raises(SourceUnavailable, match=told):
                read(0, seconds, url=f"{scheme}://127.0.0.1:{server.getsockname()[1]}")
        finally:
            over.set()
            thread.join(10)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("52e", "the password is wrong"),
        ("533", "the user is disabled"),
        ("775", "the user is locked out"),
        ("9ff", "user or password is wrong"),
    ],
)
def test_why_active_directory_lets_nobody_in_is_told_in_words(code, told):
    words = f"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {code}, v1db1".encode()
    answer = tagged(0x61, tagged(0x0A, b"\x31"), tagged(0x04, b""), tagged(0x04, words))  # RFC 4511: invalidCredentials
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                asked = client.recv(4096)
                client.sendall(tagged(0x30, asked[2:5], answer))  # with the number of the message that came
                client.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(SourceRejected, match=f"refuses the sign-in: {told}"):
            read(server.getsockname()[1], 5.0)
        thread.join(10)


def tagged(tag: int, *parts: bytes) -> bytes:
    """Write what LDAP sends in BER, a short one."""
    content = b"".join(parts)
    return bytes((tag, len(content))) + content


def test_a_directory_that_is_not_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceUnavailable, match=rf"127\.0\.0\.1:{port} cannot be reached: it refuses the connection"):
        read(port)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "ldap://dc1.congty.example"}, "everybody on the way could read the password: write ldaps://HOST"),
        ({"url": "dc1.congty.example"}, "not the address of a directory: write ldaps://HOST"),
        ({"url": "https://dc1.congty.example"}, "not the address of a directory"),
        ({"url": "ldaps://dc1.congty.example/DC=congty"}, "what is searched stands under 'base'"),
        ({"url": "ldaps://dc1.congty.example", "starttls": True}, "ldaps:// begins with TLS"),
        ({"password": None}, "needs both: 'user' and 'password'"),
        ({"filter": "uid=lan)("}, "no filter: write one such as"),
        ({"attributes": {"extension": "ipPhone)(uid=*"}}, "not the name of an attribute"),
        ({"attributes": {"extension": []}}, "at least 1"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_asked(settings, told):
    with pytest.raises(ValidationError, match=told.replace("(", r"\(")):
        source(389, **settings)
