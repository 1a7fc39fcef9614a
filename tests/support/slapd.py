"""Debian's slapd in a folder of its own, on the loopback, with a few people in it."""

import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.support.certificates import Certificate
from tests.support.service import free_port

SUFFIX = "dc=congty,dc=example"
CUSTOMERS, STAFF, BRIDGE = f"ou=customers,{SUFFIX}", f"ou=staff,{SUFFIX}", f"cn=bridge,{SUFFIX}"
_PATIENCE = 20.0
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.721 NAME 'ipPhone' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )
attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.42.2.27.8.1.17 NAME 'pwdAccountLockedTime' SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY
  MAY ( ipPhone $ userAccountControl $ nsAccountLock $ pwdAccountLockedTime ) )
{tls}
sizelimit size.prtotal={most}
modulepath /usr/lib/ldap
moduleload back_mdb
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
database mdb
suffix "{suffix}"
rootdn "cn=admin,{suffix}"
rootpw admin
directory {folder}/db
"""
_PEOPLE = """dn: {suffix}
objectClass: dcObject
objectClass: organization
o: Congty
dc: congty

dn: {customers}
objectClass: organizationalUnit
ou: customers

dn: {staff}
objectClass: organizationalUnit
ou: staff

dn: {bridge}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: bridge
userPassword: {password}
"""
_PERSON = "\ndn: uid={uid},{place}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n{more}\n"
_OWNERS = ("lan", "minh", "huong")
_CUSTOMERS = (
    ("0901 234 567", "lan"),
    ("09012345670", "minh"),
    ("+66 90 123 4567", "huong"),
    ("0912 000 111", "gone"),
)


class Slapd:
    """A directory that listens on `port` until it is stopped; with a `certificate` also over TLS, on `tls_port`.

    `people` is LDIF of more entries, of which it gives `most` in all.
    """

    def __init__(
        self,
        folder: Path,
        password: str,
        people: str = "",
        *,
        most: int | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        program = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if program is None:
            pytest.skip("slapd is not installed")
        (folder / "db").mkdir(parents=True)
        configuration = folder / "slapd.conf"
        tls = (
            f"TLSCertificateFile {certificate.file}\nTLSCertificateKeyFile {certificate.file.with_name('key.pem')}"
            if certificate
            else ""
        )
        text = _CONFIGURATION.format(folder=folder, suffix=SUFFIX, tls=tls, most=most or "unlimited")
        configuration.write_text(text, encoding="utf-8")
        self.port, self.tls_port = free_port(), free_port()
        self._load(program, configuration, folder / "people.ldif", password, people)
        urls = f"ldap://127.0.0.1:{self.port}" + (f" ldaps://127.0.0.1:{self.tls_port}" if certificate else "")
        command = [program, "-f", configuration, "-h", urls, "-d", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_PATIENCE)

    def _load(self, program: str, configuration: Path, file: Path, password: str, more_people: str) -> None:
        places = {"suffix": SUFFIX, "customers": CUSTOMERS, "staff": STAFF, "bridge": BRIDGE}
        people = [_PEOPLE.format(**places, password=password)]
        people += [_PERSON.format(uid=uid, place=STAFF, more=f"mail: {uid}@congty.example") for uid in _OWNERS]
        for number, (mobile, owner) in enumerate(_CUSTOMERS):
            more = f"mobile: {mobile}\nmanager: uid={owner},{STAFF}"
            people.append(_PERSON.format(uid=f"c{number}", place=CUSTOMERS, more=more))
        file.write_text("".join(people) + more_people, encoding="utf-8")
        adding = [program, "-T", "add", "-q", "-f", configuration, "-l", file]
        subprocess.run(adding, check=True, capture_output=True)

    def _wait(self) -> None:
        for _ in range(400):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, "slapd does not start"
            threading.Event().wait(0.05)
        raise AssertionError("slapd does not listen")
