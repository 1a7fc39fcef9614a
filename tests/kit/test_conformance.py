"""The connectors that come with omi-bridge, tested through the door that strangers use."""

import sqlite3
from contextlib import closing, contextmanager
from typing import ClassVar

import xlsxwriter

from bridge.sdk import ExtensionEntry, Owner
from bridge.testing import Conformance, ExtensionsConformance, HttpConformance, Reply
from connectors.csv.connector import CsvConfig, CsvConnector
from connectors.omicall.extensions import OmicallExtensions
from connectors.rest.config.config import RestConfig
from connectors.rest.connector import RestConnector
from connectors.sql.config import SqlConfig
from connectors.sql.connector import SqlConnector
from connectors.sql.extensions import SqlExtensions
from connectors.xlsx.connector import XlsxConfig, XlsxConnector
from tests.support.omicall import API_KEY, Omicall, answer, phone
from tests.support.servers import Reply as CrmReply

LAN = Owner(email="lan@congty.example")
CUSTOMER = {"customers": [{"phone": "0901 234 567", "owner": "lan@congty.example"}]}
NO_CUSTOMER = {"customers": []}
NO_HIT = {"found": 0, "hits": []}


class TestCsv(Conformance):
    owners = (LAN,)
    test_a_source_that_hangs_is_left_at_the_deadline = None  # a file is read in open alone
    test_opening_ends_when_the_source_hangs = None  # the system's calls to a file have no time limit

    def connector(self, place):
        (place / "customers.csv").write_text("phone,owner email\n0901 234 567,lan@congty.example\n", encoding="utf-8")
        return CsvConnector(CsvConfig(path=place / "customers.csv"))

    def breakages(self):
        return {
            "there is no such file": lambda place: (place / "customers.csv").unlink(),
            "the file is empty": lambda place: (place / "customers.csv").write_bytes(b""),
            "the file is a workbook": lambda place: (place / "customers.csv").write_bytes(b"PK\x03\x04" + b"\0" * 100),
            "the file lacks a column": lambda place: (place / "customers.csv").write_text("phone\n0901234567\n"),
        }


class TestXlsx(TestCsv):
    def connector(self, place):
        with xlsxwriter.Workbook(place / "customers.xlsx") as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["phone", "owner email"])
            sheet.write_row(1, 0, ["0901 234 567", "lan@congty.example"])
        return XlsxConnector(XlsxConfig(path=place / "customers.xlsx"))

    def breakages(self):
        return {
            "there is no such file": lambda place: (place / "customers.xlsx").unlink(),
            "the file is empty": lambda place: (place / "customers.xlsx").write_bytes(b""),
            "the file is half there": lambda place: halve(place / "customers.xlsx"),
            "the file is a text": lambda place: (place / "customers.xlsx").write_text("phone,owner\n"),
        }


def halve(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


class OverHttp(HttpConformance):
    moment = 0.1  # for what hangs: the shorter it is, the less is waited, and nothing has to succeed within it


class WithoutSession(OverHttp):
    """What signs in to nothing."""

    test_a_failure_while_it_is_opened_is_told = None
    test_opening_ends_when_the_source_hangs = None
    test_a_session_that_is_over_is_renewed = None


class TestRest(WithoutSession):
    found = CUSTOMER
    nobody = NO_CUSTOMER
    owners = (LAN,)
    test_what_the_crm_calls_an_error_is_not_nobody = None  # it has no other errors than those of HTTP

    def connector(self, url):
        step = {
            "path": "customers",
            "query": {"phone": "{{ caller.e164 }}"},
            "records": "customers",
            "match": "phone",
            "take": {"email": "owner"},
        }
        settings = {"base_url": url, "auth": {"type": "bearer", "token": self.secret}, "steps": [step]}
        return RestConnector(RestConfig.model_validate(settings))


class TestRestThatLists(TestRest):
    def connector(self, url):
        written = {"base_url": url, "auth": {"type": "bearer", "token": self.secret}}
        step = {"query": {"phone": "{{ caller.e164 }}"}, "records": "customers", "match": "phone"}
        step["take"] = {"email": "owner"}
        return RestConnector(
            RestConfig.model_validate({**written, "steps": [step], "list": [{"like": 1, "query": {}}]})
        )


class TestRestInTwoSteps(OverHttp):
    owners = (Owner(id="7", email="lan@congty.example"),)
    nobody = NO_HIT
    expired = Reply(401)

    def found(self, request):
        if request.path == "/api/token":
            return {"access_token": self.secret, "expires_in": 3600}
        if request.path == "/api/users/7":
            return {"user": {"email": "lan@congty.example"}}
        return {"found": 1, "hits": [{"customer": {"phones": ["0901 234 567"]}, "owner": 7}]}

    def connector(self, url):
        search = {
            "path": "search",
            "method": "POST",
            "json": {"q": "{{ caller.national }}"},
            "records": "hits",
            "match": "customer.phones",
            "take": {"owner_id": "owner"},
        }
        user = {"path": "users/{{ owner_id }}", "records": "user", "take": {"email": "email"}}
        auth = {
            "type": "oauth2_client_credentials",
            "token_url": f"{url}/api/token",
            "client_id": "omi-bridge",
            "client_secret": self.secret,
        }
        return RestConnector(
            RestConfig.model_validate(
                {"base_url": f"{url}/api", "timeout": "500ms", "auth": auth, "steps": [search, user]}
            )
        )


class TestRestWithDetails(WithoutSession):
    owners = (LAN,)
    nobody: ClassVar = {"contacts": []}
    also_failures = ({"error": "quota"},)

    def found(self, request):
        if request.path == "/contacts":
            return {"contacts": [{"id": 11}, {"id": 12}]}
        phone = {"/contacts/11": "0901 234 567", "/contacts/12": "09012345670"}.get(request.path)
        return {"contact": {"phone": phone, "owner": LAN.email}} if phone else Reply(404)

    def connector(self, url):
        search = {
            "path": "contacts",
            "query": {"phone": "{{ caller.e164 }}"},
            "records": "contacts",
            "match": "exact",
            "take": {"contact": "id"},
            "error_when": "error",
        }
        detail = {
            "path": "contacts/{{ contact }}",
            "records": "contact",
            "match": "phone",
            "take": {"email": "owner"},
            "error_when": "error",
        }
        settings = {
            "base_url": url,
            "auth": {"type": "bearer", "token": self.secret},
            "steps": [search, detail],
            "max_in_flight": 1,  # one contact after the other: the kit counts requests
        }
        return RestConnector(RestConfig.model_validate(settings))


class TestSql(Conformance):
    owners = (LAN,)

    def connector(self, place):
        with closing(sqlite3.connect(place / "crm.db")) as database:
            database.execute("CREATE TABLE customers (phone TEXT, email TEXT)")
            database.execute("INSERT INTO customers VALUES ('0901 234 567', 'lan@congty.example')")
            database.commit()
        query = "SELECT phone, email FROM customers WHERE phone LIKE :interleaved"
        url, listing = f"sqlite:///{place / 'crm.db'}", "SELECT phone, email FROM customers"
        return SqlConnector(SqlConfig(url=url, password=self.secret, query=query, list_query=listing, timeout=1))

    def breakages(self):
        return {
            "there is no such database": lambda place: (place / "crm.db").unlink(),
            "the file is no database": lambda place: (place / "crm.db").write_bytes(b"PK" * 1000),
            "the table is not there": lambda place: run(place, "DROP TABLE customers"),
            "the column is not there": lambda place: run(place, "ALTER TABLE customers RENAME email TO mail"),
        }

    def hangs(self):
        return {"the database is locked": locked}


def run(place, statement):
    with closing(sqlite3.connect(place / "crm.db")) as database:
        database.execute(statement)
        database.commit()


@contextmanager
def locked(place):
    with closing(sqlite3.connect(place / "crm.db", isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


class TestSqlExtensions(ExtensionsConformance):
    entries = (
        ExtensionEntry(emails=("lan@congty.example",), names=("Lan",), extensions=("101", "102")),
        ExtensionEntry(emails=("minh@congty.example",), extensions=("0103",)),
    )

    def source(self, place):
        run(place, "CREATE TABLE staff (email TEXT, name TEXT, extension TEXT)")
        run(place, "INSERT INTO staff VALUES ('lan@congty.example', 'Lan', '101, 102')")
        run(place, "INSERT INTO staff VALUES ('minh@congty.example', NULL, '0103')")
        query = "SELECT email, name, extension FROM staff"
        settings = {"url": f"sqlite:///{place / 'crm.db'}", "password": self.secret, "query": query}
        return SqlExtensions(SqlExtensions.Config.model_validate(settings))

    def breakages(self):
        return {
            "there is no such database": lambda place: (place / "crm.db").unlink(),
            "the file is no database": lambda place: (place / "crm.db").write_bytes(b"PK" * 1000),
            "the table is not there": lambda place: run(place, "DROP TABLE staff"),
            "the table is empty": lambda place: run(place, "DELETE FROM staff"),
        }

    def hangs(self):
        return {"the database is locked": locked}


class TestOmicallExtensions(ExtensionsConformance):
    test_a_source_that_hangs_is_left_at_the_deadline = None  # the fake cannot hang; HttpClient's own tests try it
    secret = API_KEY
    entries = (
        ExtensionEntry(ids=("6209c985",), emails=("lan@congty.example",), names=("Lan",), extensions=("101",)),
        ExtensionEntry(emails=("minh@congty.example",), extensions=("0103",)),
    )

    servers: ClassVar = {}

    def source(self, place):
        phones = (phone("101", LAN.email, "Lan", "6209c985"), phone("0103", "minh@congty.example"))
        self.servers[place] = Omicall(*phones).__enter__()
        return OmicallExtensions(self.servers[place].source().config)

    def stop(self, place):
        self.servers[place].__exit__(None, None, None)

    def breakages(self):
        def answers(reply):
            return lambda place: setattr(self.servers[place], "fault", lambda _asked: reply)

        return {
            "it is not there": self.stop,
            "it has an error": answers(CrmReply(b"", 500)),
            "it refuses the key": answers(answer({}, 1, message=f"{API_KEY} is not accepted")),
            "it answers with a page": answers(CrmReply(b"<html>")),
        }
