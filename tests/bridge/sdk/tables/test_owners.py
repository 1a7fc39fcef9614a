import pytest

from bridge.sdk import Owner
from bridge.sdk.tables.owners import mailbox_in, owner_called, owners_of, parts_of, people_in, pieces_of

LAN, MINH = "lan@congty.example", "minh@congty.example"


@pytest.mark.parametrize(
    ("text", "email", "name"),
    [
        (LAN, LAN, None),
        (f"<{LAN}>", LAN, None),
        (f"mailto:{LAN}", LAN, None),
        (f"Lan Nguyen <{LAN}>", LAN, "Lan Nguyen"),
        (f'"Nguyen, Lan" <{LAN}>', LAN, "Nguyen, Lan"),
        (f"{LAN} (Lan)", LAN, "Lan"),
        (f"Lan ({LAN})", LAN, "Lan"),
        (f"Lan [mailto:{LAN}]", LAN, "Lan"),
        (f"{LAN} - Lan", LAN, "Lan"),
        ("Lan <lan+crm@congty.example>", "lan+crm@congty.example", "Lan"),
    ],
)
def test_an_email_beside_a_name_is_found(text, email, name):
    assert mailbox_in(text) == (email, name)
    assert owners_of({"owner": text}) == ((Owner(email=email, name=name),), "")
    assert owners_of({"email": text}) == ((Owner(email=email, name=name),), "")


@pytest.mark.parametrize("text", ["Lan", f"{LAN}, Minh", f"{LAN} & Minh", f"{LAN}/{MINH}", f"{LAN} {MINH}", ""])
def test_an_email_of_one_among_several_is_not_the_email_of_all(text):
    assert mailbox_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        f"{LAN}, {MINH}",
        f"{LAN};{MINH};",
        f"{LAN} / {MINH}",
        f"{LAN}\n{MINH}",
        f"{LAN} {MINH}",
        f"{LAN} và {MINH}",
        f"{LAN} | N/A | {MINH}",
        f"Lan <{LAN}>, Minh <{MINH}>",
        f"Nguyen, Lan <{LAN}>, Tran, Minh <{MINH}>",
        f"{LAN} (Lan), {MINH} (Minh)",
        f"Nguyen, Lan <{LAN}>; {MINH}",
    ],
)
def test_emails_are_several_people_for_certain(text):
    owners, objection = owners_of({"owner": text})
    assert ([owner.email for owner in owners], objection) == ([LAN, MINH], "")
    assert [owner.email for owner in people_in(Owner(name=text))] == [LAN, MINH]


@pytest.mark.parametrize(("text", "ids"), [("7/8", "7 8"), ("7.0, 08", "7 08"), ("7;8\n9", "7 8 9"), ("7", "7")])
def test_numbers_are_several_ids_for_certain(text, ids):
    assert [owner.id for owner in owners_of({"owner_id": text})[0]] == ids.split()
    assert [owner.id for owner in owners_of({"owner": text})[0]] == ids.split()


def test_a_number_as_excel_writes_a_quantity_is_no_two_ids():
    assert parts_of("1,234") == pieces_of("1,234") == ("1,234",)
    assert pieces_of("1, 234") == ("1", "234")


@pytest.mark.parametrize(
    "text", ["Pham, Minh", "Lan/Sales", "Lan & Minh", "Lan; Minh", "Lan | Sales", "R&D", "NV01/HN"]
)
def test_names_that_may_be_one_persons_stay_whole(text):
    assert parts_of(text) == (text,)
    assert people_in(Owner(name=text)) == (Owner(name=text),)
    assert [owner.name for owner in owners_of({"owner": text})[0]] == [text]


@pytest.mark.parametrize("text", ["Lan,", "Lan; N/A", "N/A | Lan", "-, Lan"])
def test_words_for_nobody_beside_a_name_are_left_out(text):
    assert parts_of(text) == ("Lan",)


def test_an_email_or_a_number_among_names_counts_for_itself_and_the_names_together():
    assert parts_of(f"Pham\n{LAN}; Minh") == ("Pham; Minh", LAN)
    assert parts_of(f"Lan, 0905000001\n{LAN}") == ("Lan, 0905000001", LAN)
    assert parts_of("7; Lan | Sales; 8") == ("7", "Lan; Sales", "8")


def test_the_surest_separator_of_a_text_comes_first():
    assert pieces_of("Pham, Minh; Tran, Lan") == ("Pham, Minh", "Tran, Lan")
    assert pieces_of("Pham, Minh/Sales") == ("Pham", "Minh/Sales")
    assert pieces_of("Lan và Minh") == ("Lan", "Minh")
    assert pieces_of("Việt Và Lan") == ("Việt", "Lan")
    assert pieces_of("Vân và") == ("Vân và",)


def test_names_are_taken_apart_where_the_row_names_as_many_people_for_certain():
    assert people_in(Owner(email=f"{LAN}, {MINH}", name="Lan, Minh")) == (
        Owner(email=LAN, name="Lan"),
        Owner(email=MINH, name="Minh"),
    )
    assert people_in(Owner(email=LAN, name="Pham, Minh", extension="7")) == (
        Owner(email=LAN, name="Pham, Minh", extension="7"),
    )
    assert owners_of({"name": "Pham, Minh", "extension": "107/108"})[0] == (
        Owner(name="Pham, Minh", extension="107"),
        Owner(name="Pham, Minh", extension="108"),
    )


def test_an_owner_of_any_kind_is_tried_as_id_and_as_name():
    assert owner_called("lan.nt") == Owner(id="lan.nt", name="lan.nt")
    assert owner_called("Lê Lan") == Owner(name="Lê Lan")
    assert owner_called("42") == Owner(id="42")
    assert owner_called(LAN) == Owner(email=LAN)
