import pytest

from bridge.sdk import Owner, shared_names, told_apart


@pytest.mark.parametrize(
    "two",
    [
        (Owner(id="7", name="Lan"), Owner(id="9", name="LAN")),
        (Owner(email="lan1@congty.example", name="Hoà"), Owner(email="lan2@congty.example", name="Hòa")),
        (Owner(login="lan1", name="Lan"), Owner(login="lan2", name="Lan")),
    ],
)
def test_a_name_of_two_people_of_a_source_is_shared(two):
    assert len(shared_names(two)) == 1
    assert all(owner.name is None for owner in told_apart(two, shared_names(two)))
    assert len(told_apart(two, shared_names(two))) == 2


@pytest.mark.parametrize(
    "one",
    [
        (Owner(id="7", name="Lan"), Owner(id="7", name="Lan", email="lan@congty.example")),
        (Owner(email="lan@congty.example", name="Thuỷ"), Owner(email="LAN@congty.example", name="Thủy")),
        (Owner(id="7", name="Lan"), Owner(email="lan@congty.example", name="Lan")),
        (
            Owner(id="7", name="Lan"),
            Owner(email="lan@congty.example", name="Lan"),
            Owner(id="7", email="lan@congty.example", name="Lan"),
        ),
        (Owner(name="Lan"), Owner(id="7", name="Lan"), Owner(id="Lan", name="Lan")),
    ],
)
def test_who_may_be_one_person_keeps_the_name(one):
    assert shared_names(one) == frozenset()
    assert told_apart(one, shared_names(one)) == one


def test_who_is_nothing_but_a_shared_name_is_nobody():
    owners = (Owner(name="Lan"), Owner(id="Lan", name="Lan"), Owner(name="Lan", extension="101"), Owner(name="Minh"))
    assert told_apart(owners, {"lan"}) == (Owner(extension="101"), Owner(name="Minh"))
