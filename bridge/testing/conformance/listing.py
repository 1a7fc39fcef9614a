"""Tests of a connector that lists its customers ahead of their calls; they ask nothing of one that does not."""

from collections.abc import Iterator
from typing import Any

from bridge.sdk.connector import AnyConnector, CustomerPage, Owner
from bridge.sdk.errors import SourceError
from bridge.testing.conformance.outcome import complain
from bridge.testing.conformance.subject import Subject, asks_nothing

_MOST_PAGES = 10_000
_NO_LIST = (
    "Raise a SourceError as find_owners does: a list that ends is taken for whole, and who is not in it for gone."
)


class Listing(Subject):
    """Whom a connector lists, and that a list is whole."""

    @asks_nothing
    def test_customers_who_are_listed_have_the_owners_of_a_call(self, place: Any) -> None:  # noqa: ANN401
        """Names the customer's owners in its list as when it is asked; `lists_customers` promises that there is one."""
        for connector, pages in self._listed(place):
            found = self._owners_in(connector, pages)
            if found != tuple(self.owners):
                complain(
                    f"list_customers: it names {found or 'nobody'} for {self.number.e164} where find_owners names "
                    f"{tuple(self.owners)}: read the records' numbers and owners in one way for both."
                )

    @asks_nothing
    def test_a_list_goes_on_behind_each_of_its_pages(self, place: Any) -> None:  # noqa: ANN401
        """Begins behind the page that said `after`, and so loses nothing when a reading was ended."""
        for connector, pages in self._listed(place):
            for number, page in enumerate(pages, 1):
                rest = self._read(connector, page.after) if page.after else pages[number:]
                if _customers(rest) != _customers(pages[number:]):
                    complain(
                        f"list_customers: page {number} says after={page.after!r}, and the rest does not follow it"
                    )

    @asks_nothing
    def test_a_list_is_as_long_as_it_says(self, place: Any) -> None:  # noqa: ANN401
        """Gives as many records as its pages say there are, and tells each from all others."""
        for _connector, pages in self._listed(place):
            told, read = pages[-1].total if pages else None, sum(page.records for page in pages)
            if told is not None and not 0.9 * told <= read <= told:
                complain(
                    f"list_customers: its pages have {read} records, and say that there are {told}. Ask for all pages; "
                    "total is what the source says of all of them, seen how many records a page has."
                )
            records = [one.record for page in pages for one in page.customers if one.record]
            if twice := next((record for record in records if records.count(record) > 1), ""):
                complain(
                    f"list_customers: two customers have the record {twice!r}, and the later one would replace the "
                    "other. Give each the id that the source gives it, and no page twice."
                )

    def test_a_list_that_cannot_be_read_is_no_list(self, place: Any) -> None:  # noqa: ANN401
        """Raises a SourceError when the source breaks, or lists the customer all the same."""
        for what, connector in self.left(place):
            if not connector.lists_customers:
                return
            try:
                found = self._owners_in(connector, self._read(connector))
            except SourceError:
                continue
            if found != tuple(self.owners):
                complain(f"{what}: list_customers ended without the customer. {_NO_LIST}")

    def _listed(self, place: Any) -> Iterator[tuple[AnyConnector, list[CustomerPage]]]:  # noqa: ANN401
        with self.opened(place) as connector:
            if connector.lists_customers:
                yield connector, self._read(connector)

    def _read(self, connector: AnyConnector, after: str = "") -> list[CustomerPage]:
        pages: list[CustomerPage] = []
        begun = {after}
        for page in connector.list_customers(after):
            pages.append(page)
            if page.after in begun and page.after:
                complain(
                    f"list_customers: it comes to after={page.after!r} again, and so never ends. Each page says where "
                    "the next one begins, and the last one after=''."
                )
            begun.add(page.after)
            if len(pages) > _MOST_PAGES:
                complain("list_customers: it does not end")
        return pages

    def _owners_in(self, connector: AnyConnector, pages: list[CustomerPage]) -> tuple[Owner, ...]:
        held = [one for page in pages for one in page.customers if self.number in one.numbers]
        for rank in sorted({one.rank for one in held}):
            owners = dict.fromkeys(owner for one in held if one.rank == rank for owner in one.owners or ())
            if counting := connector.counting(tuple(owners)):
                return tuple(counting)
        return ()


def _customers(pages: list[CustomerPage]) -> list[object]:
    return [(tuple(one.numbers), one.owners, one.record) for page in pages for one in page.customers]
