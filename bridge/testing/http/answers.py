"""Tests of what is made of a CRM's answers: at each step of a lookup, whatever comes instead of a good one."""

from collections.abc import Iterator

import pytest

from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.phone import holds
from bridge.testing.conformance.outcome import TrialOutcome, complain, not_tried
from bridge.testing.fake_crm import FakeCrm, ReceivedRequest, Reply, send, sending
from bridge.testing.http.faults import BROKEN_TEXT, FAILURES, HANGS, RUBBISH, SPOILT, TOO_LONG
from bridge.testing.http.shapes import envelopes, inside
from bridge.testing.http.subject import HttpSubject
from bridge.testing.scripted_server import Connection

_LIMIT = "Read no more than a limit; bridge.sdk.http does, by max_response_size."


class HttpAnswers(HttpSubject):
    """What a connector believes."""

    @pytest.mark.parametrize("what", [*FAILURES, *RUBBISH])
    def test_a_failure_is_not_nobody(self, place: FakeCrm, what: str) -> None:
        """Tells every failure by the error that it deserves."""
        fault = {**FAILURES, **RUBBISH}[what]
        for step, _reply in enumerate(self.replies(place)):
            outcome = self.ask_while(place, place.misbehaving(fault.script, first=step))
            situation = f"{what}, in answer to request {step + 1} of a lookup"
            if fault.status != 200 and self.means_nobody(Reply(fault.status)):  # noqa: PLR2004 - OK
                outcome.must_be((), situation, "That is in also_nobody: return ().")
                continue
            outcome.must_be_failure(situation, fault.raises)
            if fault.pause and getattr(outcome.error, "retry_after", None) != fault.pause:
                advice = "give it on: raise SourceUnavailable(…, retry_after=answer.headers['Retry-After'])"
                complain(f"{situation}: the CRM asks to be left alone for {fault.pause} s, {advice}")

    def test_what_the_crm_calls_an_error_is_not_nobody(self, place: FakeCrm) -> None:
        """Reads what stands in an answer with the status 200, at each step of a lookup."""
        if not self.errors:
            not_tried(
                "answers with the status 200 that say of an error. If your CRM has such, list them in also_failures"
            )
        for what, fault in self.errors.items():
            for step, _reply in enumerate(self.replies(place)):
                outcome = self.ask_while(place, place.misbehaving(fault.script, first=step))
                outcome.must_be_failure(f"{what}, in answer to request {step + 1} of a lookup")

    @pytest.mark.parametrize("what", SPOILT)
    def test_a_spoilt_answer_is_not_believed(self, place: FakeCrm, what: str) -> None:
        """Refuses what only begins like a good answer."""
        spoil = SPOILT[what]
        replies = self.replies(place)
        if any(spoil(reply.content) is None for reply in replies):
            not_tried(f"{what}: the answers in found are written in another way")

        def script(connection: Connection, request: ReceivedRequest) -> None:
            send(connection, Reply(body=spoil(place.reply(request).content)))

        for step, _reply in enumerate(replies):
            outcome = self.ask_while(place, place.misbehaving(script, first=step, last=step))
            situation = f"{what}, in answer to request {step + 1} of a lookup"
            if what == BROKEN_TEXT:  # which may stand in the record of somebody else
                self.must_not_mislead(outcome, situation)
            else:
                outcome.must_be_failure(situation, advice=_LIMIT if what == TOO_LONG else "")

    def test_an_answer_of_another_shape_is_not_nobody(self, place: FakeCrm) -> None:
        """Refuses an answer without a list where a list should be, and so on."""
        for step, reply in self._json(place):
            for what, other in envelopes(reply):
                situation = f"{what}, in answer to request {step + 1} of a lookup (expected: {reply!r:.200})"
                outcome = self._ask_once(place, step, other)
                if self.means_nobody(Reply(json=other)):
                    outcome.must_be((), situation, "That is in also_nobody: return ().")
                elif outcome.found != tuple(self.owners):  # otherwise that place is not read at all
                    self._must_be_refused(outcome, situation)

    def test_a_field_of_another_type_is_no_crash(self, place: FakeCrm) -> None:
        """Survives a record in which something is not what it should be."""
        for step, reply in self._json(place):
            for what, other in inside(reply):
                outcome = self._ask_once(place, step, other)
                outcome.must_be_honest(f"{what}, in answer to request {step + 1} of a lookup")

    def test_the_record_of_another_customer_does_not_count(self, place: FakeCrm) -> None:
        """Compares the number in a record with the caller's: a CRM that searches may find more than was asked for."""
        numbers = [number.national for number in self.similar]
        for spelling in (*numbers, f"{self.number.national}8", f"8{self.number.digits}"):
            outcome = self.ask_while(place, self.renumbering(place, spelling))
            if outcome.found and not self.match_is_exact:
                complain(
                    f"the CRM answers with the record of {spelling}: {outcome}. Compare the number in the "
                    "record with the caller's, by bridge.sdk.holds(text, call.caller)."
                )
            outcome.must_be_honest(f"the CRM answers with the record of {spelling}")

    def test_the_number_counts_in_every_spelling(self, place: FakeCrm) -> None:
        """Finds a customer whose number is written in another way."""
        for spelling in self._spellings():
            outcome = self.ask_while(place, self.renumbering(place, spelling))
            advice = "Compare numbers by bridge.sdk.holds(text, call.caller), not as texts."
            self.must_find(outcome, f"the CRM has written the number as {spelling}", advice)

    @pytest.mark.parametrize("what", HANGS)
    def test_a_crm_that_hangs_is_left_at_the_deadline(self, place: FakeCrm, what: str) -> None:
        """Comes back when its time is over, at whatever step of a lookup the CRM hangs."""
        for step, _reply in enumerate(self.replies(place)):
            outcome = self.ask_while(place, place.misbehaving(HANGS[what], first=step), self.moment)
            outcome.must_be_failure(f"{what}, at request {step + 1} of a lookup", best="SourceUnavailable")

    def _spellings(self) -> list[str]:
        """Return spellings of the number that are no other customer's: one from abroad has none without `+` or `00`."""
        number, national = self.number, self.number.national
        spaced = f"{national[:4]} {national[4:7]} {national[7:]}"
        abroad = f"+{number.digits[:-6]} {number.digits[-6:-3]} {number.digits[-3:]}"
        every = (number.e164, number.digits, f"00{number.digits}", abroad, spaced, spaced.replace(" ", "."))
        return [spelling for spelling in every if holds(spelling, number)]

    def _ask_once(self, crm: FakeCrm, step: int, data: object) -> TrialOutcome:
        """Ask while this JSON answers one request of the lookup."""
        return self.ask_while(crm, crm.misbehaving(sending(Reply(json=data)), first=step, last=step))

    def _json(self, crm: FakeCrm) -> Iterator[tuple[int, object]]:
        """Give the JSON that each request of a lookup is answered with when all is well."""
        steps = [(step, reply.json) for step, reply in enumerate(self.replies(crm)) if reply.body is None]
        if not steps:
            not_tried("answers of other shapes: those in found are no JSON, so try them in tests of your own")
        yield from steps

    def _must_be_refused(self, outcome: TrialOutcome, situation: str) -> None:
        if outcome.found == ():
            complain(
                f"{situation}: find_owners returned nobody, which is remembered as the truth. Raise UnexpectedAnswer; "
                "if the CRM really says by this that it knows nobody, list it in also_nobody."
            )
        outcome.must_be_failure(situation)
        if isinstance(outcome.error, SourceUnavailable):
            complain(f"{situation}: {outcome}. Raise UnexpectedAnswer: asking again later changes nothing.")
