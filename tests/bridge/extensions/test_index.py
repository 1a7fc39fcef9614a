import pytest

from bridge.extensions.index import ExtensionMap, inline_map
from bridge.sdk.connector import Owner
from bridge.sdk.extension_source import ExtensionEntry

AN_1 = ExtensionEntry(ids=("1",), emails=("an1@congty.example",), names=("Nguyễn Văn An",), extensions=("101",))
AN_2 = ExtensionEntry(ids=("2",), emails=("an2@congty.example",), names=("nguyễn văn an",), extensions=("102",))


def of_any_kind(*rows: tuple[str, ...]) -> ExtensionMap:
    """Return the list of rows, each of which ends with its extension."""
    return ExtensionMap(of_any_kind=((row[:-1], row[-1:]) for row in rows))


def test_a_login_a_name_and_an_email_are_no_id():
    entries = ExtensionMap(
        [
            ExtensionEntry(ids=("7",), extensions=("101",)),
            ExtensionEntry(logins=("7",), extensions=("102",)),
            ExtensionEntry(names=("7",), extensions=("103",)),
            ExtensionEntry(emails=("7",), extensions=("104",)),
        ]
    )
    assert entries.extensions_of(Owner(id="7")) == ("101",)
    assert entries.extensions_of(Owner(login="7")) == ("102",)
    assert entries.extensions_of(Owner(name="7")) == ("103",)
    assert entries.extensions_of(Owner(email="7")) == ("104",)
    assert entries.extensions_of(Owner(id="8", login="7")) == ("102",)


def test_an_id_is_compared_exactly_and_the_rest_without_capitals():
    entries = ExtensionMap(
        [
            ExtensionEntry(ids=("005A0",), logins=("Lan.T",), extensions=("101",)),
            ExtensionEntry(ids=("005a0",), extensions=("102",)),
        ]
    )
    assert entries.extensions_of(Owner(id="005A0")) == ("101",)
    assert entries.extensions_of(Owner(id="005a0")) == ("102",)
    assert entries.extensions_of(Owner(login="lan.t")) == ("101",)


def test_an_email_is_one_persons_also_where_it_serves_as_a_login():
    by_email = ExtensionMap([ExtensionEntry(emails=("lan@congty.example",), extensions=("101",))])
    by_login = ExtensionMap([ExtensionEntry(logins=("LAN@congty.example",), extensions=("101",))])
    assert by_email.extensions_of(Owner(login="Lan@congty.example")) == ("101",)
    assert by_login.extensions_of(Owner(email="lan@congty.example")) == ("101",)


def test_a_name_that_two_people_have_leads_to_nobody_but_their_emails_do():
    entries = ExtensionMap([AN_1, AN_2])
    assert entries.extensions_of(Owner(name="Nguyễn Văn An")) == ()
    assert entries.extensions_of(Owner(name="Nguyễn Văn An", email="AN2@congty.example")) == ("102",)
    assert entries.ambiguous == {"Nguyễn Văn An": ("101", "102")}
    assert len(entries) == 4


def test_two_entries_of_a_mere_name_may_be_two_people():
    lan = [ExtensionEntry(names=("Lan",), extensions=(extension,)) for extension in ("101", "102")]
    assert ExtensionMap(lan).extensions_of(Owner(name="Lan")) == ()
    assert ExtensionMap([lan[0], lan[0]]).extensions_of(Owner(name="Lan")) == ("101",)


@pytest.mark.parametrize("common", [{"ids": ("7",)}, {"emails": ("lan@congty.example",)}, {"logins": ("lan",)}])
def test_what_is_one_persons_makes_one_person_of_two_entries_of_a_name(common):
    entries = [ExtensionEntry(names=("Lan",), extensions=(extension,), **common) for extension in ("101", "102")]
    assert ExtensionMap(entries).extensions_of(Owner(name="Lan")) == ("101", "102")


def test_entries_are_one_persons_also_through_a_third():
    entries = [
        ExtensionEntry(names=("Lan",), ids=("7",), extensions=("101",)),
        ExtensionEntry(names=("Lan",), emails=("lan@congty.example",), extensions=("102",)),
        ExtensionEntry(names=("Lan",), ids=("7",), emails=("lan@congty.example",), extensions=("103",)),
    ]
    assert ExtensionMap(entries).extensions_of(Owner(name="Lan")) == ("101", "102", "103")


def test_a_name_does_not_count_against_the_emails():
    entries = ExtensionMap([AN_1])
    assert entries.extensions_of(Owner(name="Nguyễn Văn An", email="an2@congty.example")) == ()
    assert entries.extensions_of(Owner(name="Nguyễn Văn An", login="an2@congty.example")) == ()
    assert entries.extensions_of(Owner(name="Nguyễn Văn An", login="an2")) == ("101",)
    assert entries.extensions_of(Owner(name="Nguyễn Văn An")) == ("101",)
    assert entries.namesakes(Owner(name="Nguyễn Văn An", email="an2@congty.example")) == ("101",)


def test_an_entry_without_an_email_is_not_contradicted():
    entries = ExtensionMap([ExtensionEntry(ids=("7",), names=("Lan",), extensions=("101",))])
    assert entries.extensions_of(Owner(name="Lan", email="lan@congty.example")) == ("101",)


def test_an_id_and_a_login_count_whatever_the_emails_are():
    entries = ExtensionMap([ExtensionEntry(ids=("7",), emails=("old@congty.example",), extensions=("101",))])
    assert entries.extensions_of(Owner(id="7", email="lan@congty.example")) == ("101",)


def test_where_the_kind_is_not_said_a_name_is_any():
    entries = inline_map({"7": ["101"], "Lan": ["102"]})
    assert entries.extensions_of(Owner(id="7")) == entries.extensions_of(Owner(login="7")) == ("101",)
    assert entries.extensions_of(Owner(name="lan", email="lan@congty.example")) == ("102",)
    assert entries.extensions_of(Owner(id="lan")) == ()


def test_rows_of_different_emails_are_different_people_where_the_kind_is_not_said():
    entries = of_any_kind(("an1@congty.example", "An", "101"), ("an2@congty.example", "An", "102"))
    assert entries.extensions_of(Owner(id="An", name="An")) == entries.extensions_of(Owner(login="an")) == ()
    assert entries.extensions_of(Owner(email="an2@congty.example")) == ("102",)
    assert entries.ambiguous == {"An": ("101", "102")}
    assert not entries.leads("an")


def test_rows_that_name_the_same_are_one_person_where_the_kind_is_not_said():
    entries = of_any_kind(("Lan", "7", "101"), ("7", "lan", "102"))
    assert entries.extensions_of(Owner(name="Lan")) == ("101", "102")


def test_what_may_be_a_mere_name_does_not_count_against_the_emails():
    entries = of_any_kind(("an1@congty.example", "An", "101"))
    assert entries.extensions_of(Owner(id="An", name="An", email="an2@congty.example")) == ()
    assert entries.extensions_of(Owner(id="An", name="An")) == ("101",)


def test_what_is_given_as_id_and_name_may_be_a_login():
    entries = ExtensionMap([ExtensionEntry(logins=("lan.t",), extensions=("101",))])
    assert entries.extensions_of(Owner(id="Lan.T", name="Lan.T")) == ("101",)
    assert entries.extensions_of(Owner(id="Lan.T", name="Lan")) == ()


def test_zeros_in_front_tell_ids_apart_only_if_the_list_has_both():
    one = inline_map({"007": ["101"], "lan@congty.example": ["102"]})
    assert one.extensions_of(Owner(id="7")) == one.extensions_of(Owner(id="0007")) == ("101",)
    both = inline_map({"007": ["101"], "7": ["102"]})
    assert both.extensions_of(Owner(id="7")) == ("102",)
    assert both.extensions_of(Owner(id="007")) == ("101",)
    assert both.extensions_of(Owner(id="07")) == ()
    assert both.ambiguous == {}
    assert len(both) == 2
    typed = ExtensionMap([ExtensionEntry(ids=("7",), logins=("8",), extensions=("101",))])
    assert typed.extensions_of(Owner(id="007")) == ("101",)
    assert typed.extensions_of(Owner(id="008")) == typed.extensions_of(Owner(login="08")) == ()


@pytest.mark.parametrize("written", ["7", "\uff17", "7\u200b", " 7\u00a0"])
def test_an_id_is_one_however_it_was_typed(written):
    assert inline_map({written: ["101"]}).extensions_of(Owner(id="7")) == ("101",)
    assert ExtensionMap([ExtensionEntry(ids=("7",), extensions=("101",))]).extensions_of(Owner(id=written)) == ("101",)


def test_a_name_is_one_wherever_its_tone_mark_stands():
    entries = inline_map({"Lê Thị Thủy": ["101"], "Hoà": ["102"], "Hoa": ["103"]})
    assert entries.extensions_of(Owner(name="LÊ THỊ THUỶ")) == ("101",)
    assert entries.extensions_of(Owner(name="Hòa")) == ("102",)
    assert entries.extensions_of(Owner(name="Hoa")) == ("103",)


def test_two_spellings_of_one_name_are_one_name_that_two_people_have():
    entries = of_any_kind(("an1@congty.example", "Hoà", "101"), ("an2@congty.example", "Hòa", "102"))
    assert entries.ambiguous == {"Hoà": ("101", "102")}
    assert entries.is_shared("HÒA")
    assert not entries.is_shared("Hoa")


def test_whoever_has_no_extension_on_purpose_is_known():
    entries = inline_map({"lan@congty.example": []})
    assert entries.extensions_of(Owner(email="lan@congty.example")) == ()
    assert len(entries.rows_of(Owner(email="lan@congty.example"))) == 1
    assert entries.rows_of(Owner(email="minh@congty.example")) == ()
