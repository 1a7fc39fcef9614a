"""Connectors that search, then read what they found, some of them in a session; each does one thing wrong."""

import json
import threading
from typing import Any, ClassVar

from bridge.sdk import Deadline, SourceRejected, SourceUnavailable, UnexpectedAnswer
from bridge.sdk.http import Request, refuse_failure
from tests.support.mistakes import Right


class ACrmWithDetails:
    """What their CRM answers: the numbers stand in the second answer alone."""

    also_failures = ({"error": "quota"},)

    def found(self, request):
        if request.path == "/login":
            return {"session": self.secret} if self.secret in request.body.decode() else {"error": "password"}
        if request.headers.get("x-session") != self.secret:
            return {"error": "session"}
        if request.path == "/contacts":
            return {"ids": [11, 12]}
        mine = request.path == "/contacts/11"
        return {"contact": {"phone": "0901 234 567" if mine else "09012345670", "owner": "lan@congty.example"}}

    def nobody(self, request):
        return {"ids": []} if request.path == "/contacts" else self.found(request)


class ACrmWithSessions(ACrmWithDetails):
    """The same, whose sessions end."""

    expired: ClassVar[Any] = {"error": "session"}


class ReadsDetails(Right):
    """Searches, and reads what it has found, one by one."""

    def find_owners(self, call, deadline):
        found = self.read("contacts", (("tel", call.caller.national),), deadline).get("ids")
        if not isinstance(found, list) or not all(isinstance(number, int) for number in found):
            raise UnexpectedAnswer("no ids")
        contacts = [contact for number in found if (contact := self.contact(number, deadline))]
        return self.owners(call, contacts)

    def contact(self, number, deadline):
        contact = self.read(f"contacts/{number}", (), deadline).get("contact")
        if not isinstance(contact, dict):
            raise UnexpectedAnswer("no contact")
        return contact

    def read(self, path, query, deadline):
        token = {"X-Session": self.session(deadline)}
        answer = self.http.send(Request("GET", f"{self.config.url}/{path}", query, token), deadline)
        return self.data(answer)

    def data(self, answer):
        refuse_failure(answer)
        if not isinstance(data := answer.json(), dict):
            raise UnexpectedAnswer("no object")
        if "error" in data:
            raise SourceRejected("an error")
        return data

    def session(self, _deadline):
        return self.config.token.get_secret_value()


class SwallowsAFailedDetail(ReadsDetails):
    def contact(self, number, deadline):
        try:
            return super().contact(number, deadline)
        except (SourceUnavailable, UnexpectedAnswer):
            return None


class ComparesNoDetail(ReadsDetails):
    def same(self, phone, _call):
        return isinstance(phone, str)


class SignsIn(ReadsDetails):
    """Searches and reads with a session that it opens ahead of the first call."""

    def __init__(self, config):
        super().__init__(config)
        self.lock = threading.Lock()
        self.current = ""

    def open(self):
        self.renew("", Deadline.after(self.config.timeout))

    def read(self, path, query, deadline):
        used = self.session(deadline)
        try:
            return super().read(path, query, deadline)
        except SourceRejected:
            self.renew(used, deadline)
        return super().read(path, query, deadline)

    def session(self, deadline):
        return self.current or self.renew("", deadline)

    def renew(self, used, deadline):
        if not self.entered(deadline):
            raise SourceUnavailable("somebody else is signing in")
        try:
            if self.current in ("", used):
                self.current = self.sign_in(deadline)
            return self.current
        finally:
            self.lock.release()

    def entered(self, deadline):
        return self.lock.acquire(timeout=deadline.remaining())

    def sign_in(self, deadline):
        body = json.dumps({"password": self.config.token.get_secret_value()}).encode()
        answer = self.http.send(Request("POST", f"{self.config.url}/login", body=body), deadline)
        if not isinstance(session := self.data(answer).get("session"), str):
            raise UnexpectedAnswer("no session")
        return session


class WaitsForAnothersSession(SignsIn):
    def entered(self, _deadline):
        return self.lock.acquire()


class OpensWithoutAnEnd(SignsIn):
    def open(self):
        self.renew("", Deadline.after(60))


class OpensWhateverHappens(SignsIn):
    """Takes a failed sign-in for a good one."""

    def sign_in(self, deadline):
        try:
            return super().sign_in(deadline)
        except SourceUnavailable:
            return "none"

    def find_owners(self, call, deadline):
        return () if self.current == "none" else super().find_owners(call, deadline)


class TellsItsPasswordWhenItSignsIn(SignsIn):
    def sign_in(self, deadline):
        try:
            return super().sign_in(deadline)
        except UnexpectedAnswer:
            raise UnexpectedAnswer(f"{self.config.token.get_secret_value()} does not help") from None


class TellsItsSession(SignsIn):
    def data(self, answer):
        try:
            return super().data(answer)
        except UnexpectedAnswer:
            raise UnexpectedAnswer(f"the session {self.current} does not help") from None


class NeverSignsInAgain(SignsIn):
    def renew(self, used, deadline):
        if used:
            raise SourceRejected("the session is over")
        return super().renew(used, deadline)
