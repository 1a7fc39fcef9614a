"""Tests of calls around each other, and around a CRM that comes and goes."""

import threading
import time
from collections.abc import Callable

from bridge.sdk.connector import AnyConnector
from bridge.sdk.http import HttpSettings
from bridge.sdk.http.rate_limit import parse_rate
from bridge.testing.conformance.outcome import complain, not_tried
from bridge.testing.conformance.subject import asks_strangers
from bridge.testing.fake_crm import FakeCrm, ReceivedRequest, sending
from bridge.testing.http.faults import FAILURES
from bridge.testing.http.hold import Hold
from bridge.testing.http.subject import HttpSubject
from bridge.testing.scripted_server import dead_port

_NO_STATE = "Keep nothing about a call on self, on the class or in the module."
_NO_QUEUE = "Hold no lock while asking: one slow answer must not keep the others waiting."


class HttpCalls(HttpSubject):
    """What becomes of calls when others, or the CRM, come and go."""

    @asks_strangers
    def test_a_customer_keeps_his_owners_while_a_stranger_calls(self, place: FakeCrm) -> None:
        """Waits for one answer while a whole other call comes and goes."""
        stranger = self.strangers[0]
        with self.opened(place) as connector, Hold(place, self._is_asked_for) as hold:
            first = self.begin(connector, seconds=2 * self.enough)
            if not hold.arrived():
                complain("no request to the CRM holds the caller's number in a spelling of call.caller.forms")
            second = self.ask(connector, stranger)
            hold.release()
            second.must_be((), "a stranger calls while a customer's answer is awaited", f"{_NO_QUEUE} {_NO_STATE}")
            self.must_find(first.outcome(), "a stranger called while the customer's answer was awaited", _NO_STATE)

    @asks_strangers
    def test_a_stranger_gets_no_owners_while_a_customer_calls(self, place: FakeCrm) -> None:
        """Gets the customer's record, and has to compare it with the call that it was asked for."""
        stranger = self.strangers[0]
        with self.opened(place) as connector:
            place.script = sending(self.found)  # whoever is asked for
            with Hold(place, lambda request: request.names(stranger)) as hold:
                first = self.begin(connector, stranger, seconds=2 * self.enough)
                hold.arrived()
                self.must_find(self.ask(connector), "a customer calls while a stranger's answer is awaited", _NO_QUEUE)
            if first.outcome().found and not self.match_is_exact:
                complain(f"a stranger got the owners of a customer who called at the same time. {_NO_STATE}")

    def test_a_call_waits_for_no_other_beyond_its_deadline(self, place: FakeCrm) -> None:
        """Leaves a queue when its time is over, also the one for a new session."""
        with self.opened(place) as connector:
            self._must_leave_the_queue(place, connector, lambda _request: True, "the CRM does not answer another call")
        if self.expired is None:
            return
        with self.opened(place) as connector:
            self.must_find(self.ask(connector), "all is well")
            place.asked.clear()
            self.must_find(self.ask(connector), "all is still well")
            asked, over = {request.path for request in place.asked}, sending(self.expired)
            place.script = lambda connection, request: (over if request.path in asked else place.answer)(
                connection, request
            )
            situation = "the session is over, and another call signs in, which the CRM does not answer"
            self._must_leave_the_queue(place, connector, lambda request: request.path not in asked, situation)

    def test_closing_during_a_call_is_no_crash(self, place: FakeCrm) -> None:
        """Lets the call find what it looks for, or fail by a SourceError; neither it nor `close` hangs."""
        with self.opened(place) as connector:
            hold = Hold(place, self._is_asked_for)
            question = self.begin(connector)
            hold.arrived()
            closing = threading.Thread(target=self.put_aside, args=(connector,), daemon=True)
            closing.start()
            closing.join(self.margin)
            hanging = closing.is_alive()
            hold.release()
            outcome = question.outcome()
        if hanging:
            complain("close waited for a call under way: omi-bridge waits for close a second at most, so let it be")
        outcome.must_be_honest("a call was under way when the connector was closed")
        if outcome.found == ():
            outcome.must_be_failure("a call was under way when the connector was closed")

    def test_a_crm_that_was_away_is_found_again(self, place: FakeCrm) -> None:  # noqa: ARG002 - another one is used
        """Is opened while nobody is there, then again, and answers as if nothing had been."""
        with dead_port() as port:
            url = f"http://127.0.0.1:{port}"
        with self.made_at(url) as connector:
            away = self.opened_or_not(connector, "the CRM is away")
            with FakeCrm(self.reply, port) as crm:
                if away:
                    self._reopen(connector)
                self.must_find(self.ask(connector), f"the CRM at {crm.url} was away and is back")

    @asks_strangers
    def test_an_answer_is_not_kept(self, place: FakeCrm) -> None:
        """Asks anew for each call: omi-bridge remembers answers, for as long as it is told to."""
        with self.opened(place) as connector:
            self.must_find(self.ask(connector), "all is well")
            place.script = sending(self.nobody)
            outcome = self.ask(connector)
            if connector.remembered and outcome.found == tuple(self.owners):
                complain(
                    f"the CRM no longer knows the customer, and {outcome}. Keep no answers: omi-bridge remembers them, "
                    "and forgets them when 'cache' or a webhook of the CRM says so."
                )

    def test_no_more_is_asked_than_max_rate_allows(self, place: FakeCrm) -> None:
        """Makes one HttpClient and asks by it alone, which counts requests for all processes."""
        with self.made_at(self.new_place(place)) as model:
            if not isinstance(model.config, HttpSettings):
                not_tried("max_rate, which settings have that are made of bridge.sdk.http.HttpSettings")
            slow = type(model)(model.config.model_copy(update={"max_rate": parse_rate("1/h")}))
        place.asked.clear()
        try:
            self.open(slow)
            for caller in (self.number, *self.strangers[:1]):
                self.ask(slow, caller)
        finally:
            self.put_aside(slow)
        asked = [(request.method, request.path) for request in place.asked]
        if again := next((one for one in asked if asked.count(one) > 1), None):
            complain(
                f"with max_rate: 1/h it made {asked.count(again)} requests {' '.join(again)} at once. Make one "
                "HttpClient(config) in __init__, and ask by it alone: it counts them."
            )

    def test_one_failure_is_no_failure_for_ever(self, place: FakeCrm) -> None:
        """Answers again as soon as the CRM does."""
        with self.opened(place) as connector:
            place.script = FAILURES["500"].script
            self.ask(connector)
            place.script = place.answer
            advice = "Leave it to omi-bridge to spare a source that is in trouble."
            self.must_find(self.ask(connector), "the CRM failed once, and is well again", advice)

    def _is_asked_for(self, request: ReceivedRequest) -> bool:
        return request.names(self.number)

    def _must_leave_the_queue(
        self, crm: FakeCrm, connector: AnyConnector, held: Callable[[ReceivedRequest], bool], situation: str
    ) -> None:
        """Complain unless a call with little time ends in time, while another one has more and waits."""
        with Hold(crm, held) as hold:
            first = self.begin(connector, seconds=2 * self.enough)
            while not (hold.arrived(0.01) or first.over):
                pass
            second = self.ask(connector, seconds=self.moment)
        first.outcome()
        crm.script = crm.answer
        second.must_be_failure(situation, best="SourceUnavailable")

    def _reopen(self, connector: AnyConnector) -> None:
        """Open it again, as omi-bridge does every other second, for a connector may ask for a pause."""
        for _ in range(50):
            still = self.opened_or_not(connector, "the CRM is back")
            if still is None:
                return
            time.sleep(0.1)
        complain(
            "the CRM was away and is back, but open still raises a SourceError: let it try again from the beginning"
        )
