import pytest

from bridge.config.routes import RouteRule
from bridge.config.sections import Cache
from bridge.extensions.directory import Directory
from bridge.lookup.answer import Freshness
from bridge.lookup.decision import Outcome
from bridge.lookup.guard import Guard
from bridge.lookup.lookup import Lookup, Plan
from bridge.sdk.connector import Owner
from bridge.sdk.deadline import Deadline
from bridge.sdk.errors import SourceUnavailable
from bridge.sdk.phone.number import PhoneNumber
from bridge.storage.cache import AnswerCache
from tests.support.fakes import FakeConnector, failing, nobody, owned_by

LAN, MINH, NGHI = (
    Owner(email="lan@congty.example"),
    Owner(email="minh@congty.example"),
    Owner(email="nghi@congty.example"),
)
DOWN = failing(SourceUnavailable("down"))


class Desk:
    """A lookup over fake connectors, in the order given unless routes say otherwise."""

    def __init__(self, routes=None, **answers) -> None:
        self.connectors = {name: FakeConnector(answer=answer) for name, answer in answers.items()}
        self.guards = {name: Guard(name, one, AnswerCache(Cache())) for name, one in self.connectors.items()}
        for guard in self.guards.values():
            guard.opening.attempt()
        directory = Directory({"lan@congty.example": ["101", "102"], "minh@congty.example": ["102", "103"]})
        rules = routes or [RouteRule(frozenset(), tuple(answers))]
        self.plan = Plan(rules)
        self.lookup = Lookup(self.guards, directory, self.plan)

    def ask(self, phone="0901234567", hotline="", explain=None):
        return self.lookup.answer([phone], [hotline], Deadline.after(10), explain)

    def asked(self):
        return [name for name, connector in self.connectors.items() if connector.asked]


def test_the_owners_extensions_are_rung_in_order_and_each_once():
    decision = Desk(crm=owned_by(LAN, MINH)).ask()
    assert (decision.outcome, decision.body) == (Outcome.FOUND, "101:102:103")


def test_the_first_connector_that_knows_an_owner_decides():
    desk = Desk(crm=nobody, file=owned_by(MINH), other=owned_by(LAN))
    decision = desk.ask()
    assert (decision.body, decision.connector, desk.asked()) == ("102:103", "file", ["crm", "file"])


def test_nobody_is_the_outcome_only_if_every_connector_says_so():
    assert Desk(crm=nobody, file=nobody).ask().outcome is Outcome.NOBODY
    assert Desk(crm=DOWN, file=nobody).ask().outcome is Outcome.UNAVAILABLE
    assert Desk(crm=nobody, file=DOWN).ask().outcome is Outcome.UNAVAILABLE


def test_a_connector_that_fails_is_stepped_over():
    decision = Desk(crm=DOWN, file=owned_by(LAN)).ask()
    assert (decision.outcome, decision.body) == (Outcome.FOUND, "101:102")


def partly(*owners):
    """Return an answer of which these owners are known when the source fails."""

    def answer(call, _deadline):
        call.so_far(owners)
        raise SourceUnavailable("no time is left")

    return answer


def test_a_partial_answer_rings_and_is_told_as_one():
    desk, lines = Desk(crm=partly(LAN), file=owned_by(MINH)), []
    decision = desk.ask(explain=lines.append)
    assert (decision.outcome, decision.body, desk.asked()) == (Outcome.FOUND, "101:102", ["crm"])
    assert decision.reason == "partial: no time is left"
    assert next(decision.because()).startswith("crm: 1 owner(s), live, partial (no time is left) after ")
    assert "crm: partial: 1 owner(s) were known; no time is left" in lines


def test_a_partial_answer_without_an_extension_says_nothing_of_the_owners_that_are_not_known():
    decision = Desk(crm=partly(NGHI)).ask()
    assert (decision.outcome, decision.reason) == (Outcome.UNAVAILABLE, "partial: no time is left")


def test_an_owner_without_an_extension_is_skipped_and_the_others_are_rung():
    assert Desk(crm=owned_by(NGHI, MINH)).ask().body == "102:103"


def test_owners_without_any_extension_are_unmapped_and_no_later_connector_is_asked():
    desk = Desk(crm=owned_by(NGHI), file=owned_by(LAN))
    decision = desk.ask()
    assert (decision.outcome, decision.body, desk.asked()) == (Outcome.UNMAPPED, "", ["crm"])


def test_an_answer_says_whether_it_was_remembered():
    desk = Desk(crm=nobody, file=owned_by(LAN))
    assert [desk.ask().freshness for _ in range(2)] == [Freshness.LIVE, Freshness.CACHED]


def test_nobody_is_remembered_only_if_every_connector_remembers_it():
    desk = Desk(crm=nobody, file=nobody)
    assert [desk.ask().freshness for _ in range(2)] == [Freshness.LIVE, Freshness.CACHED]


@pytest.mark.parametrize("phone", [" 12025550123:5060", " 12025550123@pbx.example", "+12025550123:5060"])
def test_a_lost_plus_is_put_back_in_a_sip_address_too(phone):
    desk = Desk(crm=nobody)
    desk.ask(phone)
    assert [call.caller for call in desk.connectors["crm"].asked] == [PhoneNumber("+12025550123")]


@pytest.mark.parametrize("phone", ["anonymous", "101", "", "0901 234 567#", "sip:x@y", "0" * 500])
def test_a_number_that_nobody_could_own_is_decided_without_asking(phone):
    desk = Desk(crm=owned_by(LAN))
    assert desk.ask(phone).outcome is Outcome.INVALID_NUMBER
    assert desk.asked() == []


@pytest.mark.parametrize(
    "phone",
    [
        *(" 84901234567", "+84901234567", "0084 901 234 567", "(090) 123-4567", "84901234567", "840901234567"),
        *("sip:0901234567@pbx.example", "<sip:+84901234567@pbx.example>", "tel:+84901234567"),
    ],
)
def test_every_spelling_is_the_same_caller_also_when_a_plus_became_a_blank(phone):
    desk = Desk(crm=nobody)
    desk.ask(phone)
    assert [call.caller for call in desk.connectors["crm"].asked] == [PhoneNumber("+84901234567")]


def test_a_lost_plus_of_a_foreign_number_is_put_back():
    desk = Desk(crm=nobody)
    desk.ask(" 12025550123")
    assert [call.caller for call in desk.connectors["crm"].asked] == [PhoneNumber("+12025550123")]


def test_a_foreign_number_without_its_plus_is_read_if_it_can_be_no_vietnamese_one():
    desk = Desk(crm=nobody)
    desk.ask("6591234567")
    assert [call.caller for call in desk.connectors["crm"].asked] == [PhoneNumber("+6591234567")]


def test_a_caller_given_twice_is_one_if_the_numbers_are_equal_and_none_otherwise():
    lookup = Desk(crm=owned_by(LAN)).lookup
    assert lookup.answer(["0901234567", "+84901234567"], [], Deadline.after(10)).outcome is Outcome.FOUND
    assert lookup.answer(["0901234567", "0912345678"], [], Deadline.after(10)).outcome is Outcome.INVALID_NUMBER


def hotline_routes() -> list[RouteRule]:
    sales = frozenset([PhoneNumber("+842499950291")])
    return [RouteRule(sales, ("sales",)), RouteRule(frozenset(), ("all",))]


@pytest.mark.parametrize(
    ("hotline", "asked"),
    [
        ("842499950291", "sales"),
        (" 842499950291", "sales"),
        ("02499950291", "sales"),
        ("+84 24 9995 0291", "sales"),
        ("sip:842499950291@pbx.example", "sales"),
        ("sip:%2B842499950291@pbx.example:5060;transport=udp", "sales"),
        ("SIPS:02499950291@pbx.example", "sales"),
        ("<sip:02499950291@pbx.example;transport=udp>;tag=7", "sales"),
        ('"Sales" <sip:02499950291;ext=1@pbx.example>', "sales"),
        ("Sales <+842499950291>", "sales"),
        ("tel:+84-24-9995-0291;phone-context=vn", "sales"),
        ("02499950291@pbx.example", "sales"),
        ("sip: 842499950291@pbx.example", "sales"),
        ("sip:02499950291:5060", "sales"),
        ("sip:02499950291:secret@pbx.example:5060", "sales"),
        ("02499950291:secret@pbx.example", "sales"),
        ("02499950291:5060", "sales"),
        (" 842499950291:5060 ", "sales"),
        ("<sips:02499950291:5061>", "sales"),
        ("sip:02499950292@pbx.example", "all"),
        ("sip:sales@pbx.example", "all"),
        ("<sip:>", "all"),
        ("02499950292", "all"),
        ("", "all"),
        ("rubbish", "all"),
    ],
)
def test_the_hotline_in_any_spelling_chooses_the_route(hotline, asked):
    desk = Desk(hotline_routes(), sales=nobody, all=nobody)
    desk.ask(hotline=hotline)
    assert desk.asked() == [asked]


def test_two_routes_never_share_an_answer():
    desk = Desk(hotline_routes(), sales=owned_by(LAN), all=owned_by(MINH))
    assert [desk.ask(hotline=hotline).body for hotline in ("02499950291", "", "02499950291")] == [
        "101:102",
        "102:103",
        "101:102",
    ]


def test_without_a_route_for_the_hotline_nobody_is_asked():
    desk = Desk(hotline_routes()[:1], sales=owned_by(LAN))
    assert desk.ask().outcome is Outcome.NOBODY
    assert desk.asked() == []


def test_an_expired_deadline_asks_nobody():
    desk = Desk(crm=owned_by(LAN))
    decision = desk.lookup.answer(["0901234567"], [], Deadline.after(-1))
    assert (decision.outcome, desk.asked()) == (Outcome.UNAVAILABLE, [])


def test_an_explanation_tells_each_step_and_why_there_is_no_answer():
    lines = []
    decision = Desk(crm=DOWN, file=owned_by(NGHI)).ask(explain=lines.append)
    text = "\n".join(lines)
    for expected in ("+84901234567", "crm: nothing remembered", "crm: unavailable: down", "extension none"):
        assert expected in text
    assert decision.reason == "1 owner(s), none with an extension"


class AList:
    """A list of extensions that cannot be read."""

    def __call__(self):
        raise SourceUnavailable("extensions.csv: was never read")


def test_a_missing_list_of_extensions_is_never_taken_for_a_connector_that_does_not_know():
    """Else the next connector's owner would ring, who is somebody else's."""
    desk = Desk(first=owned_by(MINH), second=owned_by(LAN))
    desk.lookup = Lookup(desk.guards, Directory({"lan@congty.example": ["101"]}, [AList()]), desk.plan)
    decision = desk.ask()
    assert (decision.outcome, decision.body, desk.asked()) == (Outcome.UNAVAILABLE, "", ["first"])
    assert decision.reason == "extensions.csv: was never read"


def test_who_is_known_rings_though_another_owners_list_is_missing():
    desk = Desk(first=owned_by(MINH, LAN))
    desk.lookup = Lookup(desk.guards, Directory({"lan@congty.example": ["101"]}, [AList()]), desk.plan)
    assert (desk.ask().outcome, desk.ask().body) == (Outcome.FOUND, "101")
