"""A stranger's connector to a server, by a library that knows no deadline, passes the kit, and is short."""

import ast
import inspect
import warnings
from typing import ClassVar

import pytest

from bridge.sdk import Call, Deadline, Owner, PhoneNumber
from bridge.testing import ServerConformance
from tests.support.slapd import BRIDGE, CUSTOMERS, STAFF, SUFFIX, Slapd

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the library uses names of pyasn1 that have others now
    from tests.support import my_ldap

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore:.*is deprecated. Please use:DeprecationWarning"),
]
MOST_LINES = 60


class TestMyLdap(ServerConformance):
    owners = (Owner(email="lan@congty.example"),)
    running: ClassVar = {}

    def start(self, place):
        self.running[place] = Slapd(place / "slapd", self.secret)
        return self.running[place].port

    def stop(self, place):
        if slapd := self.running.pop(place, None):
            slapd.stop()

    def connector(self, port):
        return my_ldap.MyLdap(settings(port, self.secret))

    def breakages(self):
        return {
            "the password was changed": lambda place: as_admin(
                self.running[place], "modify", BRIDGE, {"userPassword": [("MODIFY_REPLACE", ["another"])]}
            ),
            "the customers have moved": lambda place: as_admin(
                self.running[place], "modify_dn", CUSTOMERS, "ou=clients"
            ),
        }


def settings(port, password):
    return my_ldap.MyLdapConfig(
        url=f"ldap://127.0.0.1:{port}",
        user=BRIDGE,
        password=password,
        customers=CUSTOMERS,
        staff=STAFF,
        timeout=1,
    )


def as_admin(slapd, what, *arguments):
    connection = my_ldap.Connection(f"ldap://127.0.0.1:{slapd.port}", f"cn=admin,{SUFFIX}", "admin", auto_bind=True)
    try:
        assert getattr(connection, what)(*arguments), connection.result
    finally:
        connection.unbind()


@pytest.mark.parametrize(
    ("caller", "owners"),
    [("0901234567", ["lan@congty.example"]), ("+66901234567", ["huong@congty.example"]), ("0912000111", [])],
)
def test_it_names_who_looks_after_a_customer_and_nobody_who_has_left(tmp_path, caller, owners):
    slapd = Slapd(tmp_path / "slapd", "planted")
    try:
        call = Call(PhoneNumber.parse(caller))
        found = my_ldap.MyLdap(settings(slapd.port, "planted")).find_owners(call, Deadline.after(5))
    finally:
        slapd.stop()
    assert [owner.email for owner in found] == owners


def test_it_is_short():
    shown = ast.parse(inspect.getsource(my_ldap)).body
    code = [node for node in shown if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    lines = inspect.getsource(my_ldap).splitlines()
    counted = [line for node in code for line in lines[node.lineno - 1 : node.end_lineno] if line.strip()]
    assert len(counted) <= MOST_LINES
