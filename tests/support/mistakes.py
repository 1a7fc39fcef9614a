"""Connectors that ask a CRM once, each of which does one thing wrong; the first of them does everything right."""

import json
import logging
import threading
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import ConfigDict, SecretStr

from bridge.sdk import (
    Call,
    Connector,
    Customer,
    CustomerPage,
    Deadline,
    Owner,
    PhoneNumber,
    SourceRejected,
    SourceUnavailable,
    UnexpectedAnswer,
    holds,
)
from bridge.sdk.http import HttpClient, HttpSettings, Request, refuse_failure

LAN = Owner(email="lan@congty.example")
log = logging.getLogger(__name__)


class ACrm:
    """What their CRM answers."""

    found: ClassVar[Any] = {"customers": [{"phone": "0901 234 567", "owner": "lan@congty.example"}]}
    nobody: ClassVar[Any] = {"customers": []}
    also_failures = ({"error": "quota"},)


class Settings(HttpSettings):
    url: str
    token: SecretStr


class Right(Connector[Settings]):
    """Does everything right; each of the others does one thing wrong."""

    Config = Settings

    def __init__(self, config):
        super().__init__(config)
        self.http = HttpClient(config)

    def find_owners(self, call, deadline):
        answer = self.ask(call, deadline)
        self.check(answer)
        return self.owners(call, self.records(answer))

    def ask(self, call, deadline):
        headers = {"Authorization": f"Bearer {self.config.token.get_secret_value()}"}
        query = (("phone", call.caller.e164),)
        return self.http.send(Request("GET", f"{self.config.url}/customers", query, headers), deadline)

    def check(self, answer):
        refuse_failure(answer)

    def records(self, answer):
        return self.listed(answer.json())

    def listed(self, data):
        if not (isinstance(data, dict) and isinstance(data.get("customers"), list)):
            raise UnexpectedAnswer("no list of customers")
        if not all(isinstance(record, dict) for record in data["customers"]):
            raise UnexpectedAnswer("no customer in the list")
        return data["customers"]

    def owners(self, call, records):
        mine = [record for record in records if self.same(record.get("phone"), call)]
        return tuple(Owner(email=owner) for record in mine if isinstance(owner := record.get("owner"), str) and owner)

    def same(self, phone, call):
        return isinstance(phone, str) and holds(phone, call.caller)

    def close(self):
        self.http.close()


class IgnoresTheDeadline(Right):
    def ask(self, call, deadline):
        return super().ask(call, Deadline.after(20 if deadline.remaining() else 0))


class TakesAnOutageForNobody(Right):
    def find_owners(self, call, deadline):
        answer = self.ask(call, deadline)
        if answer.status >= 500:
            return ()
        self.check(answer)
        return self.owners(call, self.records(answer))


class TakesARefusalForNobody(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceRejected:
            return ()


class TakesNoCrmForNobody(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except SourceUnavailable as error:
            if "refuses" in str(error):
                return ()
            raise


class ForgetsThePause(Right):
    def check(self, answer):
        if answer.status == 429:
            raise SourceUnavailable("too many requests")
        refuse_failure(answer)


class BelievesEveryShape(Right):
    def listed(self, data):
        return (isinstance(data, dict) and data.get("customers")) or []

    def owners(self, call, records):
        return super().owners(call, [record for record in records if isinstance(record, dict)] if records != 7 else [])


class BelievesEveryByte(Right):
    def records(self, answer):
        try:
            return self.listed(json.loads(answer.body.decode(errors="replace")))
        except (ValueError, RecursionError):
            raise UnexpectedAnswer("no JSON") from None


class ReadsWithoutEnd(Right):
    def __init__(self, config):
        super().__init__(config)
        self.http = HttpClient(config.model_copy(update={"max_response_size": 10**9}))


class CrashesOnNull(Right):
    def owners(self, call, records):
        mine = [record for record in records if self.same(record.get("phone"), call)]
        return tuple(Owner(email=record["owner"].strip()) for record in mine if record["owner"] != "")


class BelievesAnothersRecord(Right):
    def same(self, phone, _call):
        return isinstance(phone, str)


class AsksWithoutTheCountry(Right):
    """The digits of a caller from abroad are a Vietnamese customer's, without the code."""

    def ask(self, call, deadline):
        return super().ask(Call(PhoneNumber.parse(call.caller.nsn_at_home)), deadline)

    def owners(self, _call, records):
        return tuple(Owner(email=record["owner"]) for record in records if record.get("owner"))


class ComparesTheEnd(Right):
    def same(self, phone, call):
        return isinstance(phone, str) and "".join(filter(str.isdigit, phone))[-9:] == call.caller.digits[-9:]


class ComparesTheBeginning(Right):
    def same(self, phone, call):
        return self.holds(phone, call) or (isinstance(phone, str) and phone.startswith(call.caller.national))

    def holds(self, phone, call):
        return super().same(phone, call)


class ComparesTexts(Right):
    def same(self, phone, call):
        return phone == "0901 234 567" and call.caller.national == "0901234567"


class KnowsNoForeigners(Right):
    def ask(self, call, deadline):
        if not call.caller.e164.startswith("+84"):
            raise ValueError("not Vietnamese")
        return super().ask(call, deadline)


class KeepsTheCall(Right):
    def find_owners(self, call, deadline):
        self.call = call
        answer = self.ask(call, deadline)
        self.check(answer)
        return self.owners(self.call, self.records(answer))


class KeepsTheOwners(Right):
    kept = ()

    def find_owners(self, call, deadline):
        self.kept = super().find_owners(call, deadline) or self.kept
        return self.kept


class AsksOneAfterTheOther(Right):
    def __init__(self, config):
        super().__init__(config)
        self.lock = threading.Lock()

    def ask(self, call, deadline):
        with self.lock:
            return super().ask(call, deadline)


class SulksAfterAFailure(Right):
    sulking = False

    def check(self, answer):
        self.sulking = self.sulking or answer.status == 500
        if self.sulking:
            raise SourceUnavailable("not again")
        refuse_failure(answer)


class DividesByTheTimeLeft(Right):
    def ask(self, call, deadline):
        assert 1 / deadline.remaining()
        return super().ask(call, deadline)


class TellsItsToken(Right):
    def check(self, answer):
        if answer.status == 401:
            raise SourceRejected(f"the token {self.config.token.get_secret_value()} is not accepted")
        refuse_failure(answer)


class QuotesTheCrm(Right):
    def check(self, answer):
        if answer.status == 503:
            raise SourceUnavailable(f"503: {answer.body.decode()}")
        refuse_failure(answer)


class ChainsWhatItCaught(Right):
    def records(self, answer):
        try:
            return super().records(answer)
        except UnexpectedAnswer:
            raise UnexpectedAnswer("bad") from ValueError(answer.body)


class LogsTheCaller(Right):
    def ask(self, call, deadline):
        log.info("asking for %s", call.caller.national)
        return super().ask(call, deadline)


class PrintsItsToken(Right):
    def ask(self, call, deadline):
        print("asking with", self.config.token.get_secret_value())  # noqa: T201 - that is the mistake
        return super().ask(call, deadline)


class KeepsItsAnswers(Right):
    def find_owners(self, call, deadline):
        answers = vars(self).setdefault("answers", {})
        if call.caller not in answers:
            answers[call.caller] = super().find_owners(call, deadline)
        return answers[call.caller]


class MakesAClientForEachCall(Right):
    def ask(self, call, deadline):
        self.http.close()
        self.http = HttpClient(self.config)
        return super().ask(call, deadline)


class TakesAnotherShapeForAnOutage(Right):
    def find_owners(self, call, deadline):
        try:
            return super().find_owners(call, deadline)
        except UnexpectedAnswer:
            raise SourceUnavailable("bad") from None


class Lists(Right):
    """Lists the customers in pages of one, and does so rightly."""

    lists_customers = True
    ids = (1, 2)
    total = 2

    def list_customers(self, after="", since=None):  # noqa: ARG002 - as the contract has it
        for number in (one for one in self.ids if one > int(after or 0)):
            yield self.page(number)

    def page(self, number):
        phone = "0901234567" if number == 1 else "0912345678"
        customer = Customer([PhoneNumber.parse(phone)], (LAN,), str(number))
        return CustomerPage([customer], str(number) if number < self.total else "", self.total)


class ListsTheFirstPageAlone(Lists):
    ids = (1,)


class ListsForEver(Lists):
    def list_customers(self, after="", since=None):  # noqa: ARG002 - as the contract has it
        while True:
            yield CustomerPage([], "2", 2)


class ListsAllUnderOneId(Lists):
    def page(self, number):
        page = super().page(number)
        return replace(page, customers=[replace(page.customers[0], record="id")])


class ExplainsItsToken(Right):
    def ask(self, call, deadline):
        call.explain(f"asking with {self.config.token.get_secret_value()}")
        return super().ask(call, deadline)


class Lenient(Settings):
    model_config = ConfigDict(extra="ignore")


class IgnoresTypos(Right):
    Config = Lenient


class Open(HttpSettings):
    url: str
    token: str


class ShowsItsToken(Right):
    Config = Open

    def __init__(self, config):
        super().__init__(Settings(url=config.url, token=config.token))
        self.config = config

    def ask(self, call, deadline):
        return self.http.send(Request("GET", f"{self.config.url}/customers", (("phone", call.caller.e164),)), deadline)


class RepeatsWhatIsWritten(Settings):
    model_config = ConfigDict(hide_input_in_errors=False)


class ShowsWrongSettings(Right):
    Config = RepeatsWhatIsWritten


class LeavesAThread(Right):
    ended = threading.Event()

    def open(self):
        threading.Thread(target=self.ended.wait, args=(60,), daemon=True).start()


class LeavesASocket(Right):
    def close(self):
        pass


class ClosesOnlyOnce(Right):
    def close(self):
        super().close()
        del self.http


class WaitsForCallsAtTheEnd(AsksOneAfterTheOther):
    def __init__(self, config):
        super().__init__(config)
        self.idle = threading.Condition()
        self.busy = 0

    def ask(self, call, deadline):
        with self.idle:
            self.busy += 1
        try:
            return Right.ask(self, call, deadline)
        finally:
            with self.idle:
                self.busy -= 1
                self.idle.notify_all()

    def close(self):
        with self.idle:
            self.idle.wait_for(lambda: not self.busy, 10)
        super().close()


class OpensWithACrash(Right):
    def open(self):
        try:
            self.http.send(Request("GET", self.config.url), Deadline.after(1))
        except SourceUnavailable:
            raise OSError("nobody there") from None


class NamesEverybody(Right):
    def owners(self, call, records):
        return *super().owners(call, records), *([Owner(email="minh@congty.example")] if records else [])


class ReturnsAGenerator(Right):
    def find_owners(self, call, deadline):
        yield from super().find_owners(call, deadline)


class BelievesTheStatus(Right):
    """Takes an answer that says of an error for one that holds nobody."""

    def listed(self, data):
        return [] if isinstance(data, dict) and "error" in data else super().listed(data)
