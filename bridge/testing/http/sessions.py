"""Tests of what comes before the questions: signing in, when the CRM fails or hangs, and sessions that end."""

from bridge.sdk.errors import SourceError, SourceUnavailable
from bridge.testing.conformance.outcome import not_tried
from bridge.testing.fake_crm import FakeCrm, Reply, sending
from bridge.testing.http.faults import FAILURES, HANGS, RUBBISH
from bridge.testing.http.subject import HttpSubject

_ASKS_NOTHING = "what becomes of open when the CRM fails: it asks nothing"
_ANEW = "When the source says that the session is over, sign in anew, and ask once more."


class HttpSessions(HttpSubject):
    """How a connector gets ready to ask; nothing is tested here of one that just asks."""

    def test_a_failure_while_it_is_opened_is_told(self, place: FakeCrm) -> None:
        """Fails by the error that fits, in `open` or when asked after it."""
        if not self.opening_asks(place):
            not_tried(_ASKS_NOTHING)
        for what, fault in {**FAILURES, **RUBBISH, **self.errors}.items():
            place.script = fault.script
            with self.made(place) as connector:
                outcome = self.tried(connector)
            place.script = place.answer
            if outcome.found != () or not self.means_nobody(Reply(fault.status)):
                kind = SourceUnavailable if fault.raises is SourceUnavailable else SourceError
                outcome.must_be_failure(f"{what}, in answer to what open asks", kind)

    def test_opening_ends_when_the_source_hangs(self, place: FakeCrm) -> None:
        """Gives up, and is tried again later; what hangs in `open` for ever is never opened again."""
        if not self.opening_asks(place):
            not_tried(_ASKS_NOTHING)
        for what, script in HANGS.items():
            situation = f"{what}, when it is asked by open"
            with FakeCrm(self.reply) as crm, self.made(crm) as connector:
                crm.script = script
                if self.opened_or_not(connector, situation) is None:
                    self.ask(connector, seconds=self.moment).must_be_failure(situation, best="SourceUnavailable")

    def test_a_session_that_is_over_is_renewed(self, place: FakeCrm) -> None:
        """Finds the owners although the CRM says once, at any step, that the session is over."""
        if self.expired is None:
            not_tried("the end of a session. If your connector signs in, say in expired what the CRM answers then")
        for step in range(self._requests_of_the_second_lookup(place)):
            with self.opened(place) as connector:
                self.must_find(self.ask(connector), "all is well")
                place.script = place.misbehaving(sending(self.expired), first=step, last=step)
                outcome = self.ask(connector)
                place.script = place.answer
                self.must_find(outcome, f"expired, once, in answer to request {step + 1} of a lookup", _ANEW)

    def _requests_of_the_second_lookup(self, crm: FakeCrm) -> int:
        """Count them when all is well: there is a session already, if there are any."""
        with self.opened(crm) as connector:
            self.must_find(self.ask(connector), "all is well")
            crm.asked.clear()
            self.must_find(self.ask(connector), "all is still well")
            return len(crm.asked)
