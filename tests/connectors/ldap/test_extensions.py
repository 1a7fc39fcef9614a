"""The list of extensions from a directory: a real slapd, and one that hangs, cuts off or speaks another language."""

import base64
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from pydantic import ValidationError

from bridge.sdk import (
    Attention,
    Deadline,
    ExtensionEntry,
    SourceError,
    SourceRejected,
    SourceUnavailable,
    UnexpectedAnswer,
)
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
HAI = ExtensionEntry(emails=("hai@congty.example",), logins=("hai",), names=("hai",), extensions=("107",))
KHANH = ExtensionEntry(
    emails=("khanh@congty.example",), logins=("khanh",), names=("khanh",), extensions=("108", "110", "109")
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
        person("giang", "ipPhone: 106", "pwdAccountLockedTime: 000001010000Z"),
        person("hai", "ipPhone: 107", "pwdAccountLockedTime: 20260301070000Z", "mail: hai@congty.example"),
        person("dung", "ipPhone: phòng 5"),
        person("khanh", "ipPhone: 0912345678", "ipPhone: 109", "ipPhone: 108/110", "mail: khanh@congty.example"),
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
    assert sorted(entries, key=lambda entry: entry.extensions) == [LAN, BINH, HAI, KHANH]
    counted, left_out = found.report()
    assert counted == "8 people with an extension, 3 of them disabled"
    assert left_out == "1 are left out, for an extension consists of digits: 'phòng 5'"
    assert isinstance(left_out, Attention)


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
    assert len(read(slapd.port, url=address, tls=trusted)) == 4
    assert len(read(slapd.port, starttls=True, tls=trusted)) == 4
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


@pytest.mark.system
def test_another_servers_people_are_told_and_that_server_is_not_asked(tmp_path):
    """Nobody gave the password for it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        address = f"ldap://127.0.0.1:{other.getsockname()[1]}"
        places = (
            (f"ou=branch,{STAFF}", f"{address}/ou=staff,dc=branch"),
            (f"ou=zones,{STAFF}", f"{address}/DC=DomainDnsZones,DC=congty,DC=example"),
            (f"ou=settings,{STAFF}", f"{address}/CN=Configuration,DC=congty,DC=example"),
        )
        slapd = Slapd(tmp_path / "slapd", PASSWORD, PEOPLE + "".join(referral(*place) for place in places))
        try:
            found = source(slapd.port)
            assert len(found.read(Deadline.after(10))) == 4
            told = found.report()[-1]
            assert told == "below 'base', other servers keep 1 more, and are not asked: are people there?"
            assert isinstance(told, Attention)
            with pytest.raises(SourceRejected, match=r"says that another server has what is under 'base': ask that"):
                read(slapd.port, base=places[0][0])
        finally:
            slapd.stop()
        with pytest.raises(BlockingIOError):
            other.accept()


def referral(place: str, address: str) -> str:
    return f"\ndn: {place}\nobjectClass: referral\nobjectClass: extensibleObject\nref: {address}\n"


@pytest.mark.system
def test_a_password_may_have_any_letters(tmp_path):
    password = "mật khẩu \\ của Đức"
    encoded = base64.b64encode(password.encode()).decode()
    lines = (f"dn: cn=omi,{SUFFIX}", "objectClass: organizationalRole", "objectClass: simpleSecurityObject", "cn: omi")
    bind = "\n" + "\n".join((*lines, f"userPassword:: {encoded}\n"))
    slapd = Slapd(tmp_path / "slapd", PASSWORD, PEOPLE + bind)
    try:
        assert len(read(slapd.port, user=f"cn=omi,{SUFFIX}", password=password)) == 4
    finally:
        slapd.stop()


@contextmanager
def scripted(answer: Callable[[int, bytes], bytes | None]) -> Iterator[int]:
    """Serve one connection: `answer` says by number what each request gets, None that nothing comes any more."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client, suppress(OSError):
                for number in range(1000):
                    asked = client.recv(4096)
                    said = answer(number, asked) if asked else None
                    if said is None:
                        over.wait(10)
                        return
                    client.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join(10)


def result(asked: bytes, tag: int, code: int = 0, words: bytes = b"") -> bytes:
    """Write the result of the request (RFC 4511, 4.1.9)."""
    parts = (tagged(0x0A, bytes((code,))), tagged(0x04, b""), tagged(0x04, words))
    return tagged(0x30, number_of(asked), tagged(tag, *parts))


def number_of(asked: bytes) -> bytes:
    """Return the number of a message as it stands there, behind a length that may be longer than one byte."""
    at = 2 + (asked[1] & 0x7F if asked[1] & 0x80 else 0)
    return asked[at : at + 3]


def entry(asked: bytes) -> bytes:
    """Write somebody whom the search found, without attributes."""
    return tagged(0x30, number_of(asked), tagged(0x64, tagged(0x04, b"cn=n"), tagged(0x30)))


def test_a_directory_for_which_no_time_is_left_is_not_asked():
    with pytest.raises(SourceUnavailable, match="did not answer in time"):
        read(9, 0.0)


@pytest.mark.parametrize("begins", [False, True], ids=["says nothing", "begins to answer"])
def test_a_directory_that_hangs_behind_the_sign_in_costs_no_more_than_the_time_that_there_is(begins):
    def answer(number: int, asked: bytes) -> bytes | None:
        if number == 0:
            return result(asked, 0x61)
        return entry(asked) if begins and number == 1 else None

    began = time.monotonic()
    with scripted(answer) as port, pytest.raises(SourceUnavailable, match="did not answer in time"):
        read(port, 0.3)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("at", "error", "told"),
    [
        (0, SourceRejected, "does not sign 'user' in: another server has him: ask that"),
        (1, SourceRejected, "says that another server has what is under 'base': ask that"),
    ],
    ids=["sign-in", "search"],
)
def test_whoever_is_sent_to_another_server_is_told_and_never_takes_part_as_a_stranger(at, error, told):
    """Unsigned, a search would find what the directory shows to everybody."""
    tags = (0x61, 0x65)

    def answer(number: int, asked: bytes) -> bytes:
        return result(asked, tags[number], 10 if number == at else 0)

    with scripted(answer) as port, pytest.raises(error, match=told):
        read(port, 5.0)


@pytest.mark.parametrize(
    ("code", "error", "told"),
    [
        (3, SourceRejected, r"gives a part of the entries only \(timeLimitExceeded\)"),
        (11, SourceRejected, "looks through no more entries than a limit, and has more: raise it for 'user'"),
        (51, SourceUnavailable, r"asks to try again later \(busy\)"),
    ],
)
def test_whether_waiting_helps_is_told(code, error, told):
    with (
        scripted(lambda number, asked: result(asked, 0x65, code) if number else result(asked, 0x61)) as port,
        pytest.raises(error, match=told),
    ):
        read(port, 5.0)


@pytest.mark.parametrize("said", ["3005c702016515", "308000", "3003020102", "30020500"])
def test_an_answer_that_is_no_ldap_is_told_as_one_of_the_source(said):
    with (
        scripted(lambda number, asked: bytes.fromhex(said) if number else result(asked, 0x61)) as port,
        pytest.raises(SourceUnavailable, match=r"no LDAP that can be read|not answer in time|ended the"),
    ):
        read(port, 0.5)


@pytest.mark.parametrize("code", [1, 8, 48, 49, 50, 51, 52, 53, 80])
@pytest.mark.parametrize("at", [0, 1], ids=["sign-in", "search"])
def test_the_password_is_in_no_log_and_no_message_whatever_goes_wrong(caplog, code, at):
    caplog.set_level(logging.DEBUG)
    tags = (0x61, 0x65)

    def answer(number: int, asked: bytes) -> bytes:
        assert number or PASSWORD.encode() in asked
        return result(asked, tags[number], code if number == at else 0, PASSWORD.encode())

    with scripted(answer) as port, pytest.raises(SourceError) as raised:
        read(port, 5.0)
    told = "".join(traceback.format_exception(raised.value)) + repr(source(port).config) + caplog.text
    assert "planted" not in told


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
    with (
        scripted(lambda _, asked: result(asked, 0x61, 49, words)) as port,
        pytest.raises(SourceRejected, match=f"refuses the sign-in: {told}"),
    ):
        read(port, 5.0)


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
