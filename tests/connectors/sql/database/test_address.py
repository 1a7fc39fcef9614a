"""A database's address: what admins write, what is taken out of it, and what is wrong with it."""

import subprocess
import sys

import pytest
from pydantic import SecretStr, ValidationError

from bridge.sdk import SourceRejected, secrets_in
from connectors.sql.config import SqlConfig
from connectors.sql.connector import SqlConnector
from connectors.sql.database.address import place_of
from connectors.sql.database.engine import make_engine
from tests.support.documents import ROOT
from tests.support.service import free_port

QUERY = "SELECT email FROM customers WHERE phone IN (:forms)"


def settings(url, **others):
    return SqlConfig.model_validate({"url": url, "query": QUERY, **others})


@pytest.mark.parametrize(
    ("written", "url", "password"),
    [
        ("postgresql://bridge:secret@db.example/crm", "postgresql+psycopg://bridge@db.example/crm", "secret"),
        ("postgres://bridge:s%40%2F%25@[::1]:5433/crm", "postgresql+psycopg://bridge@[::1]:5433/crm", "s@/%"),
        ("mysql://bridge@db/crm?ssl_ca=ca.pem", "mysql+pymysql://bridge@db/crm?ssl_ca=ca.pem", None),
        ("mariadb://bridge:@db/crm", "mariadb+pymysql://bridge@db/crm", ""),
        ("sqlserver://bridge:secret@db/crm", "mssql+pymssql://bridge@db/crm", "secret"),
        (
            "mysql://bridge@/crm?unix_socket=/run/x.sock",
            "mysql+pymysql://bridge@/crm?unix_socket=%2Frun%2Fx.sock",
            None,
        ),
    ],
)
def test_an_address_is_what_admins_know_and_its_password_is_a_secret(written, url, password):
    found = settings(written)
    assert found.url == url
    assert list(secrets_in(found)) == ([] if password is None else [password])


def test_a_password_of_its_own_may_hold_any_sign():
    odd = "p@ss/w:r%d #1?"
    found = settings("mysql://bridge@db/crm", password=odd)
    assert found.password == SecretStr(odd)
    assert odd not in repr(found)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"url": "crm"}, "is no address of a database: write postgresql://USER@HOST/DATABASE"),
        ({"url": "oracle://u@h/d"}, "begins with no known kind of database; known: postgresql, "),
        ({"url": "postgersql://u@h/d"}, "did you mean 'postgresql'?"),
        ({"url": "postgresql+asyncpg://u@h/d"}, "leave out '+'"),
        ({"url": "postgresql://u@h"}, "names no database"),
        ({"url": "postgresql:///d"}, "names no host"),
        ({"url": "postgresql://u@h:port/d"}, "is no address of a database"),
        ({"url": "postgresql://u:hun@ter2@h/d"}, "holds a sign that means something else in an address"),
        ({"url": "postgresql://u:hunter2%@h/d"}, "holds a sign that means something else in an address"),
        ({"url": "postgresql://u:hunter2@h/d", "password": "hunter2"}, "stands in the url already"),
        ({"url": "postgresql://h/d?user=u&password=hunter2"}, "do not stand behind the '?'"),
        ({"url": "mssql://CONGTY/omi:hunter2@h/d"}, "no user's name: write DOMAIN\\USER for one of a Windows domain"),
        ({"url": "mssql://CONGTY/omi:hunter2"}, "a port stands before it, HOST:5433/DATABASE"),
        ({"url": "postgresql://u#x:hunter2@h/d"}, "what stands before the '@' is no user's name"),
        ({"url": "postgresql://h/d:5433"}, "a port stands before it, HOST:5433/DATABASE"),
        ({"url": "mysql://u@h/d?ssl_cert_ca=x"}, "an option behind the '?' that there is not: ssl_cert_ca"),
        ({"url": "mysql://u@h/d?sslca=x"}, "that there is not: sslca, did you mean 'ssl_ca'?"),
        ({"url": "postgresql://u@h/d?ssl_mode=x"}, "that there is not: ssl_mode, did you mean 'sslmode'?"),
        ({"url": "mssql://u@h/d?encrypt=yes"}, "that there is not: encrypt, did you mean 'encryption'?"),
        ({"url": "sqlite://crm.sqlite"}, "write three slashes"),
        ({"url": "sqlite:///:memory:"}, "is no file"),
        ({"url": "sqlite:///crm.sqlite?mode=rw"}, "a file takes no options"),
        ({"url": "sqlite:///crm.sqlite", "password": " hunter2"}, "begins or ends with a blank"),
        ({"url": "sqlite:///crm.sqlite", "owners_query": QUERY}, "this query is for no caller"),
        ({"url": "sqlite:///crm.sqlite", "on_connect": [""]}, "at least 1 character"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_without_repeating_it(given, complaint):
    with pytest.raises(ValidationError) as caught:
        settings(**given)
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hun@ter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [("psycopg", "postgres://u@h/d", "postgresql"), ("pymysql", "mysql://u@h/d", "mysql"),
     ("pymssql", "mssql://u@h/d", "mssql")],
)  # fmt: skip
def test_a_driver_that_is_not_installed_is_named_with_its_extra(module, url, extra):
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from connectors.sql.config import SqlConfig\n"
        f"SqlConfig.model_validate({{'url': {url!r}, 'query': 'x'}})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"is not installed: in the folder of omi-bridge: make install EXTRAS={extra} (for a service" in run.stderr


def test_the_signs_of_a_users_name_may_be_written_in_another_way():
    assert settings("mssql://CONGTY%2Fo%23mi:secret@h/d").url == "mssql+pymssql://CONGTY%2Fo%23mi@h/d"
    assert settings("mssql://CONGTY\\omi:secret@h/d").url == "mssql+pymssql://CONGTY%5Comi@h/d"


def test_mariadb_and_mysql_are_called_what_the_admin_calls_them():
    found = {kind: settings(f"{kind}://u@h/d") for kind in ("mariadb", "mysql")}
    assert [place_of(one.url) for one in found.values()] == ["MariaDB, d at h", "MySQL, d at h"]
    assert {(one.kind, make_engine(one, 1.0, 1).dialect.name) for one in found.values()} == {("mysql", "mysql")}


def test_a_file_of_certificates_that_is_not_there_is_named():
    connector = SqlConnector(settings(f"mysql://u@127.0.0.1:{free_port()}/d?ssl_ca=/nowhere/ca.pem"))
    with pytest.raises(SourceRejected, match=r"MySQL, d at .*: ssl_ca: there is no file /nowhere/ca\.pem"):
        connector.open()
