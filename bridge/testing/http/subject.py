"""What an integrator fills in for a source that is asked over HTTP, and how the tests ask a CRM that misbehaves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from bridge.sdk.connector import AnyConnector
from bridge.testing.conformance.outcome import TrialOutcome, complain, not_tried
from bridge.testing.conformance.subject import Explain, Subject
from bridge.testing.fake_crm import FakeCrm, ReceivedRequest, Reply, Script, reply_of, send, sending
from bridge.testing.http.faults import FAILURES, HANGS, RUBBISH, Fault
from bridge.testing.http.shapes import renumbered, renumbered_text
from bridge.testing.scripted_server import Connection


class HttpSubject(Subject):
    """The connector under test, and what its CRM answers.

    `found` is what the CRM answers about the customer, in JSON or as a `Reply`; `nobody`, what it answers about
    somebody whom it does not know. Either may be a method of the `ReceivedRequest`, for a lookup of several requests.
    """

    found: Any = None
    nobody: Any = None
    also_nobody: Sequence[object] = ()
    """Other answers by which this CRM says that it knows nobody: JSON, or `Reply(404)` for a status."""
    also_failures: Sequence[object] = ()
    """Answers by which this CRM says with the status 200 that something is wrong: JSON, or methods of the
    `ReceivedRequest`."""
    expired: Any = None
    """What this CRM answers to the token of a session that is over: JSON, or `Reply(401)`. None if it has no such."""
    match_is_exact: bool = False
    """True if the CRM's answers hold no telephone number, because it finds whole numbers only."""

    @pytest.fixture
    def place(self) -> Iterator[FakeCrm]:
        """Run the CRM of this test."""
        with FakeCrm(self.reply) as crm:
            yield crm

    def connector(self, url: str) -> AnyConnector:  # noqa: ARG002 - for subclasses
        """Return a new connector to the CRM at `url`, with `secret` as its credentials, not opened yet."""
        complain("define connector(self, url): return your connector to the CRM at url, with self.secret as its token")

    def new_place(self, place: FakeCrm) -> str:
        """Return the address of the CRM: one will do for all connectors of a test."""
        return place.url

    def reply(self, request: ReceivedRequest) -> object:
        """Return what a healthy CRM answers to a request."""
        unknown = any(request.names(number) for number in (*self.strangers, *self.similar))
        said = self.nobody if unknown else self.found
        return said(request) if callable(said) else said

    @property
    def errors(self) -> Mapping[str, Fault]:
        """The answers that look good and are none, by what they say."""
        said = [*self.also_failures, *([] if self.expired is None else [self.expired])]
        return {f"{getattr(one, '__name__', one)!s:.100}": Fault(sending(one)) for one in said}

    def breaking(self, place: FakeCrm) -> Iterator[tuple[str, AnyConnector, Callable[[], object]]]:  # noqa: ARG002 - it goes away
        """Give a connector to a CRM of its own, and what ends that."""
        with ExitStack() as running:
            crm = running.enter_context(FakeCrm(self.reply))
            with self.made_at(crm.url) as connector:
                yield "the CRM refuses the connection", connector, running.close

    def hung(self, place: FakeCrm) -> Iterator[tuple[str, AnyConnector]]:
        """Give an open connector to a CRM that does not answer any more; `HttpAnswers` tries the other ways."""
        what, script = next(iter(HANGS.items()))
        with self.opened(place) as connector:
            place.script = script
            yield what, connector
            place.script = place.answer

    def broken(
        self, place: FakeCrm, explain: Explain | None = None
    ) -> Iterator[tuple[str, AnyConnector, TrialOutcome]]:
        """Ask a connector for each way in which a CRM can be broken; open one while it is, if opening asks it."""
        yield from super().broken(place, explain)
        opening_asks = self.opening_asks(place)
        for what, fault in {**FAILURES, **RUBBISH, **self.errors}.items():
            with self.opened(place) as connector:
                place.script = fault.script
                yield f"the CRM answers: {what}", connector, self.ask(connector, explain=explain)
                place.script = place.answer
            if opening_asks:
                place.script = fault.script
                with self.made(place) as connector:
                    yield f"the CRM answers to open: {what}", connector, self.tried(connector, explain)
                place.script = place.answer

    def opening_asks(self, crm: FakeCrm) -> bool:
        """Tell whether `open` asks the CRM for anything, as to sign in."""
        crm.asked.clear()
        with self.opened(crm):
            return bool(crm.asked)

    def ask_while(self, crm: FakeCrm, script: Script, seconds: float | None = None) -> TrialOutcome:
        """Ask a new connector, opened before, for the customer's owners while the CRM follows `script`."""
        with self.opened(crm) as connector:
            crm.script = script
            try:
                return self.ask(connector, seconds=seconds)
            finally:
                crm.script = crm.answer

    def replies(self, crm: FakeCrm) -> Sequence[Reply]:
        """Return what the requests of a lookup are answered with when all is well."""
        replies = []

        def record(connection: Connection, request: ReceivedRequest) -> None:
            replies.append(crm.reply(request))
            send(connection, replies[-1])

        self.must_find(self.ask_while(crm, record), "all is well")
        if not replies:
            complain("the connector asked nothing over HTTP: is it given the url of connector(self, url)?")
        return replies

    def renumbering(self, crm: FakeCrm, spelling: str) -> Script:
        """Return a script: as all is well, but with another number in the customer's place in all answers."""
        if all(self._renumbered(reply, "") == reply for reply in self.replies(crm)):
            if self.match_is_exact:
                not_tried("which number stands in a record: no answer in found holds one")
            complain(
                f"no answer in found holds the number {self.caller}: put it into the record as your CRM would. Only if "
                "its answers never hold one, and it was tried that it finds no longer and no shorter number, say "
                "match_is_exact = True; then nothing else keeps a wrong owner from being named"
            )

        def script(connection: Connection, request: ReceivedRequest) -> None:
            send(connection, self._renumbered(crm.reply(request), spelling))

        return script

    def _renumbered(self, reply: Reply, spelling: str) -> Reply:
        """Return the reply with another number in the customer's place, in JSON or in a text such as XML."""
        if reply.body is None:
            return replace(reply, json=renumbered(reply.json, self.number, spelling))
        return replace(reply, body=renumbered_text(reply.body, self.number, spelling))

    def means_nobody(self, reply: Reply) -> bool:
        """Tell whether the CRM says by this answer that it knows nobody."""
        known = [reply_of(said) for said in (self.nobody, *self.also_nobody) if not callable(said)]
        return any(
            one.status == reply.status and (one.status != 200 or one.content == reply.content)  # noqa: PLR2004 - OK
            for one in known
        )
