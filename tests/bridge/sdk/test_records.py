"""The records that an owner's text names, and owners who are told several times."""

from bridge.resilience.sanitizing import sanitised_owners
from bridge.sdk import Owner, each_once, named_records
from bridge.sdk.records import records_of


def test_each_owner_once_has_the_records_of_all_who_are_equal_in_order():
    found = each_once(
        [Owner(id="7", record="42"), Owner(id="8"), Owner(id="7", record="43, 42"), Owner(id="8", record="5")]
    )
    assert [(owner.id, records_of(owner)) for owner in found] == [("7", ["42", "43"]), ("8", ["5"])]


def test_what_a_connector_returns_several_times_keeps_all_its_records():
    (owner,) = sanitised_owners([Owner(id="7", record=str(number)) for number in range(5)])
    assert records_of(owner) == ["0", "1", "2", "3", "4"]


def test_records_end_whole_where_the_text_is_as_long_as_it_may_be():
    named = named_records(f"{number:08}" for number in range(200))
    assert named is not None
    assert 990 <= len(named) <= 1000
    assert all(len(record) == 8 for record in named.split(", "))
    assert named_records([]) is None
