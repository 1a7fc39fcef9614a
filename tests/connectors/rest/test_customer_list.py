"""Customers who are listed page by page: a list that repeats itself or ends too early is never taken for the whole."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.sdk import CustomerPage, UnexpectedAnswer
from connectors.rest.connector import RestConnector
from tests.support.crm import Crm, Question, Says, config
from tests.support.fakes import FakeClock
from tests.support.listing import Kept

TEXT = """
snapshot: {every: 1h, only: true}
steps: []
list:
  - path: customers
    query: {limit: 10, offset: "{{ page }}"}
    pages: {first: 0, by: 10, more: "items[9]"}
    records: items
    record: id
    total: total
    match: phone
    take: {email: owner}
"""
EVERYBODY = [{"id": at, "phone": f"09012345{at:02}", "owner": "lan@congty.example"} for at in range(35)]


def offset(asked: Question) -> int:
    return int(dict(asked.query)["offset"])


def page_at(first: int, *, total: int = len(EVERYBODY), size: int = 10) -> dict[str, Any]:
    return {"items": EVERYBODY[first : first + size], "total": total, "asked": first}


def pages(crm: Crm, after: str = "", text: str = TEXT) -> list[CustomerPage]:
    with closing(RestConnector(config(text, crm.url))) as connector:
        connector.open()
        return list(connector.list_customers(after))


def begun(crm: Crm, text: str = TEXT) -> tuple[list[CustomerPage], str]:
    """Read until it fails; return what came before that, and why."""
    came: list[CustomerPage] = []
    with closing(RestConnector(config(text, crm.url))) as connector:
        connector.open()
        with pytest.raises(UnexpectedAnswer) as raised:
            came.extend(connector.list_customers())
    return came, str(raised.value)


def test_all_pages_are_read_and_any_of_them_can_be_gone_on_behind() -> None:
    with Crm({"customers": lambda asked: page_at(offset(asked))}) as crm:
        whole = pages(crm)
        assert [page.records for page in whole] == [10, 10, 10, 5]
        for number, page in enumerate(whole, 1):
            assert [rest.records for rest in pages(crm, page.after)] == [10, 10, 10, 5][number:]


def test_a_place_that_an_earlier_version_said_is_gone_on_from() -> None:
    with Crm({"customers": lambda asked: page_at(offset(asked), total=15)}) as crm:
        assert [page.records for page in pages(crm, "[0, 0, 20]")] == [10, 5]


def test_a_page_that_shows_the_same_again_is_an_error_and_not_read_for_ever() -> None:
    """As where the parameter for the page is called otherwise, and so is not heeded."""
    with Crm({"customers": lambda asked: {**page_at(0), "asked": offset(asked)}}) as crm:
        came, why = begun(crm)
        assert why.startswith("list, step 1 (customers): page 10 shows the same records as the one before: what asks ")
        assert (len(came), len(crm.asked)) == (1, 2)


def test_pages_of_a_single_record_may_say_the_same() -> None:
    text = TEXT.replace("items[9]", "items[0]").replace("    record: id\n", "").replace("    total: total\n", "")
    same = {"items": [{"phone": "0901234567", "owner": "lan@congty.example"}]}
    with Crm({"customers": lambda asked: same if offset(asked) < 30 else {"items": []}}) as crm:
        assert [page.records for page in pages(crm, text=text)] == [1, 1, 1, 0]


@pytest.mark.parametrize(("size", "shown"), [(10, 20), (7, 7)], ids=["shows only so many", "shorter pages than asked"])
def test_a_list_that_ends_too_early_is_told_and_read_from_its_beginning(size: int, shown: int) -> None:
    def answer(asked: Question) -> dict[str, Any]:
        return page_at(offset(asked), size=size) if offset(asked) < 20 else {"items": [], "total": 35}

    with Crm({"customers": answer}) as crm:
        came, why = begun(crm)
        assert why.endswith(
            f"the list ended behind {shown} of the 35 customers that `total` tells of: does the source show no more "
            "than that, or fewer on a page than `pages.more` goes by?"
        )
        assert came[-1].after == ""  # where a reading cannot be gone on with, and so begins anew


@pytest.mark.parametrize("total", [0, 30, 38, -1, None, "35", "many", True, 35.5])
def test_a_few_who_came_meanwhile_and_a_total_that_is_none_are_no_fault(total: object) -> None:
    with Crm({"customers": lambda asked: {**page_at(offset(asked)), "total": total}}) as crm:
        assert sum(page.records for page in pages(crm)) == 35


def test_what_was_seen_before_a_restart_counts() -> None:
    with Crm({"customers": lambda asked: page_at(offset(asked))}) as crm:
        *_, third, _ = pages(crm)
        assert [page.records for page in pages(crm, third.after)] == [5]


def test_each_list_has_a_total_of_its_own() -> None:
    text = TEXT + TEXT.partition("list:\n")[2].replace("path: customers", "path: leads\n    start: also")
    leads = {"items": [{"id": 1, "phone": "0987654321", "owner": "minh@congty.example"}], "total": 1}
    with Crm({"customers": lambda asked: page_at(offset(asked)), "leads": leads}) as crm:
        assert [page.records for page in pages(crm, text=text)] == [10, 10, 10, 5, 1]


@pytest.mark.parametrize("broken", [{"id": None}, {"id": ""}, {"id": "0"}])
def test_a_record_without_an_id_is_an_error_where_changes_are_told(broken: dict[str, object]) -> None:
    """A change would stand beside what it replaces, and the owner before would ring on."""
    text = TEXT.replace("    match: phone\n", "    match: phone\n    changed_since: {since: '{{ since.iso }}'}\n")
    one = {**EVERYBODY[0], **broken}
    with Crm({"customers": {"items": [EVERYBODY[1], one]}}) as crm:
        _, why = begun(crm, text)
        assert why.endswith("record: `id` finds no id in record 2, and without one nobody knows what a change replaces")
        assert pages(crm)[0].records == 2  # where all are read each time


def test_a_misspelt_id_is_an_error_where_changes_are_told() -> None:
    text = TEXT.replace("record: id", "record: uuid\n    changed_since: {since: '{{ since.iso }}'}")
    with Crm({"customers": lambda asked: page_at(offset(asked))}) as crm:
        assert "record: `uuid` finds no id in record 1" in begun(crm, text)[1]


def test_a_list_that_ended_too_early_is_put_in_force_once_it_is_whole(tmp_path: Path) -> None:
    """It is read from its beginning: where it ended says nothing of what was left out before."""
    cut = True

    def answer(asked: Question) -> dict[str, Any]:
        return page_at(offset(asked)) if offset(asked) < 20 or not cut else {"items": [], "total": 35}

    clock = FakeClock()
    with Crm({"customers": answer}) as crm, closing(RestConnector(config(TEXT, crm.url))) as connector:
        connector.open()
        kept = Kept(connector, tmp_path, clock)
        assert kept.read().snapshot.age is None
        assert "behind 20 of the 35 customers" in kept.snapshot.trouble
        cut = False
        clock.now += 10
        assert kept.read().snapshot.in_force is not None
        assert kept.snapshot.counted() == (35, 35)
        assert [offset(asked) for asked in crm.asked] == [0, 10, 20, 0, 10, 20, 30]
        kept.ends()


def test_a_total_in_xml_is_a_text_and_counts() -> None:
    text = TEXT.replace("    records: items", "    answer: xml\n    records: r.item[]").replace("items[9]", "r.item[9]")
    text = text.replace("total: total", "total: r._total").replace("    record: id\n", "")
    items = "".join(f"<item><phone>{one['phone']}</phone><owner>{one['owner']}</owner></item>" for one in EVERYBODY[:4])
    body = f'<r total="35">{items}</r>'.encode()
    with Crm({"customers": Says(raw=body, headers=(("Content-Type", "text/xml"),))}) as crm:
        assert "the list ended behind 4 of the 35 customers" in begun(crm, text)[1]
